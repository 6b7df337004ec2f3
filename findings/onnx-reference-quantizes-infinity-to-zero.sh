#!/usr/bin/env bash
# onnx 1.23.2: the reference evaluator quantises infinity to 0 (uint8) or to the least value (int8), where the
# operator's text asks for saturation. onnxruntime 1.32.0 saturates.
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


for dtype in (np.uint8, np.int8):
    inputs = {"x": np.array([np.inf, 1e9, -np.inf], np.float32)}
    inputs |= {"scale": np.ones((), np.float32), "zero": np.zeros((), dtype)}
    options = {"result": helper.np_dtype_to_tensor_dtype(np.dtype(dtype))}
    for name, run in (("onnxruntime", onnxruntime_result), ("reference", reference_result)):
        print(dtype.__name__, name, run("QuantizeLinear", inputs, **options))
END

seen=$(venv/bin/python -W ignore run.py)
expected='uint8 onnxruntime [255 255   0]
uint8 reference [  0 255   0]
int8 onnxruntime [ 127  127 -128]
int8 reference [-128  127 -128]'
if [ "$seen" != "$expected" ]; then
    printf 'This has changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen" >&2
    exit 1
fi
printf '%s\n' "$seen"
