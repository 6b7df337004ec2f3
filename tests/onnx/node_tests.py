"""Runs the node tests that come with the Python package onnx by `parallax run`, and prints what becomes
of each, one a line: its name, a tab, and "pass", "differs: ..." or the sentence of the refusal.

usage: python node_tests.py PROGRAM

Of the tests whose arrays are float32, int64 and bool, those whose operators onnx_operators.txt lists.
Arrays that are no float32, and single numbers, are bound at import. Tolerances are those of the
package: relative 1e-3, absolute 1e-7.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
from onnx.backend.test.loader import load_model_tests

TYPES = (np.float32, np.int64, np.bool_)


def arrays_of(values):
    """The arrays; None if one is no array of the types that are compared."""
    if not all(isinstance(value, (np.ndarray, np.generic)) for value in values):
        return None
    arrays = [np.asarray(value) for value in values]
    return arrays if all(array.dtype in TYPES for array in arrays) else None


def cases(operators):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the references, which divide by 0 on purpose
        tests = load_model_tests(kind="node")
    for test in sorted(tests, key=lambda one: one.name):
        nodes = [node.op_type for node in test.model.graph.node] if test.model else []
        if not nodes or "_expanded" in test.name or nodes[-1] not in operators:
            continue
        inputs, outputs = (arrays_of(arrays) for arrays in test.data_sets[0])
        if inputs is None or outputs is None:
            continue
        if any(array.dtype == np.float32 for array in inputs + outputs):
            yield test.name, test.model, inputs, outputs


def difference(folder, graph, expected):
    for port, wanted in zip(graph.output, expected):
        found = np.load(folder / (re.sub(r"[/\\:]", "_", port.name) + ".npy"))
        if found.dtype != wanted.dtype or found.shape != wanted.shape:
            return f"differs: {port.name} is {found.dtype} {list(found.shape)}"
        if not np.allclose(found, wanted, rtol=1e-3, atol=1e-7, equal_nan=True):
            return f"differs: {port.name} has other values"
    return "pass"


def state_of(program, case):
    _, model, inputs, outputs = case
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        onnx.save(model, folder / "model.onnx")
        arguments = [program, "run", "model.onnx", "--threads", "1", "--output", "out"]
        for i, (port, array) in enumerate(zip(model.graph.input, inputs)):
            np.save(folder / f"{i}.npy", array)
            bound = array.dtype != np.float32 or array.ndim == 0 or port.name == "scales"
            arguments += ["--bind" if bound else "--input", f"{port.name}={i}.npy"]
        run = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)
        if run.returncode == 0:
            return difference(folder / "out", model.graph, outputs)
        return re.sub(r'^parallax: "model\.onnx": onnx: ', "", run.stderr.splitlines()[0])


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    listed = pathlib.Path(__file__).with_name("onnx_operators.txt").read_text(encoding="utf-8")
    every = list(cases(set(listed.split())))
    with ThreadPoolExecutor(2) as pool:
        for case, state in zip(every, pool.map(lambda one: state_of(program, one), every)):
            print(f"{case[0]}\t{state}")


main()
