#!/usr/bin/env bash
# onnxruntime 1.32.0: ReduceMax, ReduceMin and ArgMax are NaN (or its index) only where NaN comes first; further
# on it is skipped. The reference evaluator of onnx 1.23.2 gives NaN, as NumPy does.
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


for x in ([np.nan, 1, 2], [1, np.nan, 2]):
    inputs = {"x": np.array(x, np.float32)}
    print(x)
    for op in ("ReduceMax", "ReduceMin", "ArgMax"):
        result = TensorProto.INT64 if op == "ArgMax" else TensorProto.FLOAT
        options = {"result": result, "keepdims": 0}
        print(" ", op, onnxruntime_result(op, inputs, **options), reference_result(op, inputs, **options))
END

seen=$(venv/bin/python -W ignore run.py)
expected='[nan, 1, 2]
  ReduceMax nan nan
  ReduceMin nan nan
  ArgMax 0 0
[1, nan, 2]
  ReduceMax 2.0 nan
  ReduceMin 1.0 nan
  ArgMax 2 1'
if [ "$seen" != "$expected" ]; then
    printf 'This has changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen" >&2
    exit 1
fi
printf '%s\n' "$seen"
