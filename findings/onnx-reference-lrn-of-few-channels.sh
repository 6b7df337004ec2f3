#!/usr/bin/env bash
# onnx 1.23.2: the reference evaluator's LRN normalises only as many channels as the batch has images and copies the
# others, so a batch of one keeps all but its first channel. onnxruntime 1.32.0 normalises each.
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


options = {"size": 3, "alpha": 1.0, "beta": 0.5}
for images in (1, 2):
    inputs = {"x": np.tile(np.array([1, 2, 3, 4], np.float32), images).reshape(images, 4, 1, 1)}
    for name, run in (("onnxruntime", onnxruntime_result), ("reference", reference_result)):
        print(images, name, run("LRN", inputs, **options).round(2)[0].ravel())
END

seen=$(venv/bin/python -W ignore run.py)
expected='1 onnxruntime [0.61 0.84 0.92 1.31]
1 reference [0.61 2.   3.   4.  ]
2 onnxruntime [0.61 0.84 0.92 1.31]
2 reference [0.61 0.84 3.   4.  ]'
if [ "$seen" != "$expected" ]; then
    printf 'This has changed. Expected:\n%s\nSeen:\n%s\n' "$expected" "$seen" >&2
    exit 1
fi
printf '%s\n' "$seen"
