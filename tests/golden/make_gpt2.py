"""Writes gpt2.json: a small GPT-2 in PyTorch, in float64: logits, loss, and ten steps of AdamW.

    python3 -m venv /tmp/golden-venv && /tmp/golden-venv/bin/pip install numpy torch
    /tmp/golden-venv/bin/python tests/golden/make_gpt2.py

The model is written from the paper, with torch.nn.functional alone. Initial weights are numbers that
float32 holds exactly; everything else is computed and written in float64. Weight decay applies to
matrices and tables, not to biases, scales and shifts.

Next to logits and loss is the number that their tolerance in float32 follows from:
  magnitude  max over elements i of sum_j |d y_i / d w_j| |w_j| over all weights: by how much y_i moves,
             relative to a relative perturbation of all of them
"""

import base64
import json
import math
import pathlib

import numpy
import torch
import torch.nn.functional as F

SEED = 20190
LAYERS, HEADS, WIDTH, VOCABULARY, CONTEXT, BATCH, STEPS = 2, 2, 16, 29, 12, 3, 10
RATE, BETAS, EPSILON, DECAY = 3e-3, (0.9, 0.95), 1e-8, 0.1
FILE = pathlib.Path(__file__).parent / "gpt2.json"


def encoded(tensor, kind):
    values = tensor.detach().numpy()
    data = base64.b64encode(numpy.ascontiguousarray(values, kind).tobytes()).decode()
    names = {"<i4": "i32", "<f4": "f32", "<f8": "f64"}
    return {"dtype": names[kind], "shape": list(values.shape), "data": data}


def shapes():
    """Names as in Parallax; matrices are [inputs, outputs]."""
    yield "tokens.table", (VOCABULARY, WIDTH)
    yield "positions.table", (CONTEXT, WIDTH)
    for i in range(LAYERS):
        for part, units in (("attention", ("query", "key", "value", "output")), ("mlp", ())):
            for name in units:
                yield f"block_{i}.{part}.{name}.weight", (WIDTH, WIDTH)
                yield f"block_{i}.{part}.{name}.bias", (WIDTH,)
        yield f"block_{i}.mlp.up.weight", (WIDTH, 4 * WIDTH)
        yield f"block_{i}.mlp.up.bias", (4 * WIDTH,)
        yield f"block_{i}.mlp.down.weight", (4 * WIDTH, WIDTH)
        yield f"block_{i}.mlp.down.bias", (WIDTH,)
        for norm in ("norm_1", "norm_2"):
            yield f"block_{i}.{norm}.scale", (WIDTH,)
            yield f"block_{i}.{norm}.shift", (WIDTH,)
    yield "norm.scale", (WIDTH,)
    yield "norm.shift", (WIDTH,)


def begin():
    """Larger than GPT-2's initial weights, so that every part matters to the result."""
    torch.manual_seed(SEED)
    weights = {}
    for name, shape in shapes():
        values = torch.randn(shape, dtype=torch.float32) * 0.2
        if name.endswith("scale"):
            values = 1 + values
        weights[name] = values.double().requires_grad_()
    return weights


def norm(weights, name, x):
    return F.layer_norm(x, (WIDTH,), weights[f"{name}.scale"], weights[f"{name}.shift"], 1e-5)


def dense(weights, name, x):
    return x @ weights[f"{name}.weight"] + weights[f"{name}.bias"]


def attention(weights, name, x):
    """Attention written out, without torch's own."""
    split = lambda y: y.reshape(BATCH, CONTEXT, HEADS, WIDTH // HEADS).transpose(1, 2)
    q, k, v = (split(dense(weights, f"{name}.{part}", x)) for part in ("query", "key", "value"))
    scores = q @ k.transpose(2, 3) / math.sqrt(WIDTH // HEADS)
    hidden = torch.ones(CONTEXT, CONTEXT, dtype=torch.bool).triu(1)
    seen = torch.softmax(scores.masked_fill(hidden, -math.inf), -1) @ v
    return dense(weights, f"{name}.output", seen.transpose(1, 2).reshape(BATCH, CONTEXT, WIDTH))


def forward(weights, ids):
    x = weights["tokens.table"][ids] + weights["positions.table"]
    for i in range(LAYERS):
        block = f"block_{i}"
        x = x + attention(weights, f"{block}.attention", norm(weights, f"{block}.norm_1", x))
        y = dense(weights, f"{block}.mlp.up", norm(weights, f"{block}.norm_2", x))
        x = x + dense(weights, f"{block}.mlp.down", F.gelu(y, approximate="tanh"))
    return norm(weights, "norm", x) @ weights["tokens.table"].T


def loss_of(weights, ids, labels):
    logits = forward(weights, ids)
    return F.cross_entropy(logits.reshape(-1, VOCABULARY), labels.reshape(-1)), logits


def magnitude(y, weights):
    flat, variables = y.reshape(-1), list(weights.values())
    largest = 0.0
    for first in range(0, flat.numel(), 128):
        rows = torch.eye(flat.numel(), dtype=y.dtype)[first : first + 128]
        parts = torch.autograd.grad(flat, variables, rows, retain_graph=True, is_grads_batched=True)
        sums = sum((p * v.detach()).abs().reshape(len(rows), -1).sum(1) for p, v in zip(parts, variables))
        largest = max(largest, float(sums.max()))
    return largest


def main():
    weights = begin()
    ids = torch.randint(VOCABULARY, (BATCH, CONTEXT))
    labels = torch.randint(VOCABULARY, (BATCH, CONTEXT))
    loss, logits = loss_of(weights, ids, labels)
    golden = {
        "torch": torch.__version__,
        "layers": LAYERS, "heads": HEADS, "width": WIDTH, "vocabulary": VOCABULARY,
        "context": CONTEXT, "batch": BATCH,
        "rate": RATE, "beta1": BETAS[0], "beta2": BETAS[1], "epsilon": EPSILON, "decay": DECAY,
        "ids": encoded(ids.int(), "<i4"),
        "labels": encoded(labels.int(), "<i4"),
        "logits": encoded(logits, "<f8") | {"magnitude": magnitude(logits, weights)},
        "loss_magnitude": magnitude(loss, weights),
        "weights": [{"name": name} | encoded(w, "<f4") for name, w in weights.items()],
    }
    decayed = [w for w in weights.values() if w.dim() > 1]
    plain = [w for w in weights.values() if w.dim() == 1]
    groups = [{"params": decayed, "weight_decay": DECAY}, {"params": plain, "weight_decay": 0}]
    optimizer = torch.optim.AdamW(groups, lr=RATE, betas=BETAS, eps=EPSILON)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss, _ = loss_of(weights, ids, labels)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    golden["losses"] = losses
    golden["trained"] = [{"name": name} | encoded(w, "<f8") for name, w in weights.items()]
    FILE.write_text(json.dumps(golden, indent=1) + "\n")
    print(FILE, FILE.stat().st_size, "bytes; losses", losses)


if __name__ == "__main__":
    main()
