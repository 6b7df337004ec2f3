"""Writes ops.json: golden inputs, outputs and gradients of the operations, computed by PyTorch.

    python3 -m venv /tmp/golden-venv && /tmp/golden-venv/bin/pip install numpy torch
    /tmp/golden-venv/bin/python tests/golden/make_ops.py

Inputs are rounded to float32, everything after them is done in float64, and results are rounded to
float32 once, when they are written. Gradients are those of sum(w * y) with w given in the file.
Convolutions, attention, GRUs and layer norm are computed a second time with NumPy alone (check_ops.py),
and nothing is written unless the two agree.

Next to each result are two numbers that its tolerance follows from (ops.c says how):
  magnitude  max over elements i of sum_j |d y_i / d x_j| |x_j|, x_j all real numbers that go in: by how
             much y_i moves, relative to a relative perturbation of all of them
  terms      the most numbers of one array that an element depends on: no sum is longer
"""

import base64
import json
import pathlib
import platform
import zlib

import numpy
import torch

import check_ops
import golden_cases

SEED = 20170
CHUNK = 256
FILE = pathlib.Path(__file__).parent / "ops.json"


def encoded(values):
    """Little-endian 32-bit words as base64."""
    kind = "<i4" if values.dtype.kind == "i" else "<f4"
    return base64.b64encode(numpy.ascontiguousarray(values, kind).tobytes()).decode()


def array(values):
    dtype = "i32" if values.dtype.kind == "i" else "f32"
    return {"dtype": dtype, "shape": list(values.shape), "data": encoded(values)}


def sensitivity(y, variables):
    """magnitude and terms of y, by rows of its Jacobian."""
    flat = y.reshape(-1)
    largest, terms = 0.0, 1
    if not flat.requires_grad:
        return {"magnitude": float(y.detach().abs().max()), "terms": terms}
    for first in range(0, flat.numel(), CHUNK):
        rows = torch.eye(flat.numel(), dtype=y.dtype)[first : first + CHUNK]
        jacobian = torch.autograd.grad(
            flat, variables, rows, retain_graph=True, allow_unused=True, is_grads_batched=True
        )
        sums, counts = torch.zeros(len(rows)), torch.zeros(len(rows))
        for part, variable in zip(jacobian, variables):
            if part is None:
                continue
            sums = sums + (part * variable).detach().abs().reshape(len(rows), -1).sum(1)
            counts = torch.maximum(counts, (part != 0).reshape(len(rows), -1).sum(1))
        largest = max(largest, float(sums.max()))
        terms = max(terms, int(counts.max()))
    return {"magnitude": float(f"{largest:.4g}"), "terms": terms}


def result(name, y, variables):
    values = y.detach().numpy()
    return {"name": name, **array(values), **sensitivity(y, variables)}


def solved(case, seed):
    rng = numpy.random.default_rng(seed)
    inputs = {}
    for name, make in case.inputs.items():
        values = make(rng)
        if values.dtype.kind == "f":
            values = values.astype(numpy.float32).astype(numpy.float64)
        inputs[name] = values
    tensors = {name: torch.from_numpy(values) for name, values in inputs.items()}
    real = [n for n, v in inputs.items() if v.dtype.kind == "f" and n not in case.fixed]
    for name in real:
        tensors[name].requires_grad_(True)
    outputs, updated = case.compute(tensors)
    variables = [tensors[name] for name in real]
    entry = {"name": case.name, "op": case.op, "seed": seed, "attributes": case.attributes}
    entry["inputs"] = [{"name": name, **array(values)} for name, values in inputs.items()]
    entry["outputs"] = []
    weights, loss = [], 0
    for i, y in enumerate(outputs):
        if not y.is_floating_point():
            entry["outputs"].append({"name": f"y{i}", **array(y.numpy())})
            continue
        entry["outputs"].append(result(f"y{i}", y, variables))
        if case.differentiated:
            w = rng.uniform(-1, 1, tuple(y.shape)).astype(numpy.float32).astype(numpy.float64)
            entry["outputs"][-1]["w"] = encoded(numpy.asarray(w))
            weights.append(torch.from_numpy(numpy.asarray(w)).requires_grad_(True))
            loss = loss + (weights[-1] * y).sum()
    entry["gradients"] = []
    if case.differentiated:
        grads = torch.autograd.grad(loss, variables, create_graph=True)
        for name, gradient in zip(real, grads):
            entry["gradients"].append(result(name, gradient, variables + weights))
    entry["updated"] = [result(name, y, variables) for name, y in updated.items()]
    if case.differentiated:
        exact = {name: gradient.detach().numpy() for name, gradient in zip(real, grads)}
        check_ops.check(case, inputs, outputs, weights, exact)
    return entry


def main():
    torch.set_default_dtype(torch.float64)
    torch.use_deterministic_algorithms(True)
    cases = golden_cases.all_cases()
    names = [case.name for case in cases]
    assert len(names) == len(set(names)), "two cases have one name"
    manifest = {
        "script": "tests/golden/make_ops.py",
        "source": "PyTorch on the CPU in float64; convolution, attention, GRU and layer norm also by NumPy",
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "torch": torch.__version__,
        "seed": SEED,
        "seeds": "of a case: seed + CRC-32 of its name",
        "data": "synthetic; base64 of little-endian float32 or int32",
        "cases": len(cases),
    }
    lines = [json.dumps(solved(case, SEED + zlib.crc32(case.name.encode()))) for case in cases]
    text = '{"manifest": %s,\n"cases": [\n%s\n]}\n' % (json.dumps(manifest), ",\n".join(lines))
    assert len(text) < 10**6, f"{len(text)} bytes"
    assert check_ops.checked == check_ops.WANTED, check_ops.checked
    FILE.write_text(text)
    print(f"{len(cases)} cases, {len(text)} bytes; checked by NumPy: {check_ops.checked}")


main()
