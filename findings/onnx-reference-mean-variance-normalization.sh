#!/usr/bin/env bash
# onnx 1.23.2: the reference evaluator's MeanVarianceNormalization of 10000.25, 10000.5, 10000.75, 10001 is about
# 1e8 in size, as the variance comes out as 0 from the mean of squares less the square of the mean. Its
# LayerNormalization is right; so is onnxruntime 1.32.0.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0

cat >run.py <<'END'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

onnxruntime.set_default_logger_severity(4)


def model(op, inputs, result=TensorProto.FLOAT, opset=21, **attributes):
    """A graph of one node."""
    given = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
        for name, x in inputs.items()
    ]
    node = helper.make_node(op, list(inputs), ["y"], **attributes)
    graph = helper.make_graph([node], "g", given, [helper.make_tensor_value_info("y", result, None)])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def onnxruntime_result(op, inputs, **options):
    text = model(op, inputs, **options).SerializeToString()
    session = onnxruntime.InferenceSession(text, providers=["CPUExecutionProvider"])
    return session.run(None, inputs)[0]


def reference_result(op, inputs, **options):
    return ReferenceEvaluator(model(op, inputs, **options)).run(None, inputs)[0]


x = np.array([10000.25, 10000.5, 10000.75, 10001], np.float32)
image = {"x": x.reshape(1, 1, 1, 4)}
print("onnxruntime", onnxruntime_result("MeanVarianceNormalization", image, axes=[0, 2, 3]).round(2).ravel())
print("reference", reference_result("MeanVarianceNormalization", image, axes=[0, 2, 3]).ravel())
row = {"x": x.reshape(1, 4), "scale": np.ones(4, np.float32)}
print("its LayerNormalization", reference_result("LayerNormalization", row).round(2).ravel())
END

seen=$(venv/bin/python -W ignore run.py)
expected='onnxruntime [-1.34 -0.45  0.45  1.34]
reference [-3.75e+08 -1.25e+08  1.25e+08  3.75e+08]
its LayerNormalization [-1.34 -0.45  0.45  1.34]'
if [ "$seen" != "$expected" ]; then
    printf 'This has changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen" >&2
    exit 1
fi
printf '%s\n' "$seen"
