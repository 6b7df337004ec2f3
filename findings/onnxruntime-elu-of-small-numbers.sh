#!/usr/bin/env bash
# onnxruntime 1.32.0: Elu, Selu and Celu of -1e-8 are 0, because exp(x) - 1 is formed in single precision. The
# reference evaluator of onnx 1.23.2 gives about -1e-8 times the slope at 0.
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


inputs = {"x": np.array([-1e-8], np.float32)}
for op in ("Elu", "Selu", "Celu"):
    values = onnxruntime_result(op, inputs)[0], reference_result(op, inputs)[0]
    print(op, *(f"{value:.3e}" for value in values))
END

seen=$(venv/bin/python -W ignore run.py)
expected='Elu 0.000e+00 -1.000e-08
Selu 0.000e+00 -1.758e-08
Celu 0.000e+00 -1.000e-08'
if [ "$seen" != "$expected" ]; then
    printf 'This has changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen" >&2
    exit 1
fi
printf '%s\n' "$seen"
