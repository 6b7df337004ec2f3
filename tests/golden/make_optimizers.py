"""Writes optimizers.json: ten steps of each optimizer, by torch.optim in float64.

    python3 -m venv /tmp/golden-venv && /tmp/golden-venv/bin/pip install numpy torch
    /tmp/golden-venv/bin/python tests/golden/make_optimizers.py

Gradients are random numbers, the same for all. PyTorch has no Lion: it follows its paper (Chen et al.,
2023, algorithm 2) in NumPy. Next to the weights of every step is how far rounding may take each of
them, in units of the rounding error: a step rounds about eight times, relative to the magnitudes it adds
up; constants that are rounded once, betas among them, add as much for every step so far; and an error of
the weight feeds back through decay, so everything is doubled.
"""

import json
import pathlib
import platform

import numpy
import torch

SEED, SIZE, STEPS = 20171, 21, 10
FILE = pathlib.Path(__file__).parent / "optimizers.json"

CASES = [
    ("sgd", dict(rate=0.1)),
    ("sgd", dict(rate=0.1, weight_decay=0.05)),
    ("sgd", dict(rate=0.05, momentum=0.9)),
    ("sgd", dict(rate=0.05, momentum=0.9, nesterov=True, weight_decay=0.05)),
    ("adam", dict(rate=0.05)),
    ("adam", dict(rate=0.05, beta1=0.8, beta2=0.95, weight_decay=0.1)),
    ("adamw", dict(rate=0.05, weight_decay=0.1)),
    ("rmsprop", dict(rate=0.02)),
    ("rmsprop", dict(rate=0.01, momentum=0.9, weight_decay=0.1)),
    ("lion", dict(rate=0.02)),
    ("lion", dict(rate=0.02, weight_decay=0.1)),
]


class Lion(torch.optim.Optimizer):
    """By the paper; state and weights are updated in place as NumPy arrays."""

    def __init__(self, params, lr, betas, weight_decay):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                w, g = p.detach().numpy(), p.grad.numpy()
                m = self.state[p].setdefault("m", numpy.zeros_like(w))
                c = beta1 * m + (1 - beta1) * g
                assert numpy.abs(c).min() > 1e-5, "a sign that rounding could turn"
                w -= group["lr"] * (numpy.sign(c) + group["weight_decay"] * w)
                self.state[p]["m"] = beta2 * m + (1 - beta2) * g


def optimizer_of(kind, w, o):
    rate, decay = o["rate"], o.get("weight_decay", 0)
    if kind == "sgd":
        return torch.optim.SGD(
            [w], rate, o.get("momentum", 0), 0, decay, o.get("nesterov", False)
        )
    if kind == "rmsprop":
        return torch.optim.RMSprop([w], rate, 0.99, 1e-8, decay, o.get("momentum", 0))
    betas = (o.get("beta1", 0.9), o.get("beta2", 0.99 if kind == "lion" else 0.999))
    if kind == "lion":
        return Lion([w], rate, betas, decay)
    return getattr(torch.optim, {"adam": "Adam", "adamw": "AdamW"}[kind])([w], rate, betas, 1e-8, decay)


def size_of_move(kind, o, state, t, met, d):
    """The magnitude that the update of step t adds up (before the rate), and met's next value."""
    if kind == "lion":
        return numpy.ones_like(d), met
    if kind == "sgd":
        met = o.get("momentum", 0) * met + d
        return met + (o["momentum"] * met if o.get("nesterov") else 0), met
    if kind == "rmsprop":
        met = o.get("momentum", 0) * met + d / (state["square_avg"].sqrt().numpy() + 1e-8)
        return met, met
    beta1, beta2 = o.get("beta1", 0.9), o.get("beta2", 0.999)
    met = beta1 * met + (1 - beta1) * d
    root = (state["exp_avg_sq"] / (1 - beta2**t)).sqrt().numpy()
    return met / (1 - beta1**t) / (root + 1e-8), met


def run(kind, o, start, gradients):
    w = torch.tensor(start.astype(numpy.float64), requires_grad=True)
    optimizer = optimizer_of(kind, w, o)
    decay = o.get("weight_decay", 0)
    error, met, steps = numpy.zeros(SIZE), numpy.zeros(SIZE), []
    for t, g in enumerate(gradients, 1):
        before = numpy.abs(w.detach().numpy())
        w.grad = torch.tensor(g.astype(numpy.float64))
        optimizer.step()
        size, met = size_of_move(kind, o, optimizer.state[w], t, met, numpy.abs(g) + decay * before)
        after = w.detach().numpy()
        shrink = o["rate"] * decay * before
        error = error + 2 * (2 * numpy.abs(after) + shrink + o["rate"] * size * (8 + 4 * t))
        steps.append(dict(weights=after.tolist(), error=[float(f"{e:.3g}") for e in error]))
    return dict(optimizer=kind, options=o, steps=steps)


def main():
    rng = numpy.random.default_rng(SEED)
    start = rng.standard_normal(SIZE).astype(numpy.float32)
    gradients = rng.standard_normal((STEPS, SIZE)).astype(numpy.float32)
    versions = f"torch {torch.__version__}, numpy {numpy.__version__}, Python {platform.python_version()}"
    data = dict(
        made_by=f"make_optimizers.py, {versions}",
        seed=SEED,
        start=start.tolist(),
        gradients=gradients.tolist(),
        cases=[run(kind, o, start, gradients) for kind, o in CASES],
    )
    FILE.write_text(json.dumps(data, separators=(",", ":")) + "\n")


main()
