"""Writes hypercausal.json: chains and graphs of hypercausal nodes, computed with NumPy alone.

    python3 -m venv /tmp/golden-venv && /tmp/golden-venv/bin/pip install numpy
    /tmp/golden-venv/bin/python tests/golden/make_hypercausal.py

Inputs and weights are rounded to float32, everything after them is done in float64 (or complex128, for
gradients by the complex step: Squire and Trapp, "Using complex variables to estimate derivatives of real
functions", 1998, which subtracts nothing and so loses nothing; central differences check it).

Next to the gradients are two numbers that their tolerance follows from, as in make_ops.py:
  magnitude  max over gradients g of sum_v |dg / dv| |v|, v all inputs and weights
  terms      the length of the longest sum
"""

import json
import pathlib

import numpy as np

FILE = pathlib.Path(__file__).parent / "hypercausal.json"
SEED = 11

# w, b, span, and the parents of each node; the first takes the input.
CHAIN = [(0.90, 0.03, 0.22, []), (0.97, 0.02, 0.25, [0]), (1.05, 0.00, 0.30, [1])]
DIAMOND = [
    (0.90, 0.03, 0.22, []),
    (0.97, 0.02, 0.25, [0]),
    (1.05, 0.00, 0.30, [0]),
    (1.00, 0.01, 0.25, [1, 2]),
]

CASES = [
    # shape, policy, channels, futures, times, depth
    ("chain", "mean", 3, 3, 48, 1),
    ("chain", "mean", 6, 9, 24, 3),
    ("chain", "mean", 1, 2, 17, 2),
    ("chain", "mean", 5, 65, 12, 1),
    ("chain", "median", 3, 5, 16, 2),
    ("chain", "median", 3, 4, 16, 1),
    ("chain", "min-risk", 3, 9, 16, 2),
    ("diamond", "mean", 3, 5, 16, 2),
    ("diamond", "min-risk", 6, 4, 12, 3),
    ("diamond", "median", 4, 6, 20, 1),
]


def waves(times, channels, rng):
    t = np.arange(times)
    kinds = [0.30 * np.sin(0.35 * t), 0.20 * np.sin(0.35 * t + 0.70), 0.10 * np.cos(0.35 * t + 0.30)]
    x = np.stack([kinds[c % 3] for c in range(channels)], axis=1)
    return (x + 0.01 * rng.standard_normal(x.shape)).astype(np.float32).astype(float)


def representative(futures, policy):
    """futures [K, T, D]; order and choice by the real part, which the complex step does not change."""
    if policy == "mean":
        return futures.mean(axis=0)
    if policy == "median":
        order = np.argsort(futures.real, axis=0)
        ascending = np.take_along_axis(futures, order, axis=0)
        k = len(futures)
        return (ascending[(k - 1) // 2] + ascending[k // 2]) / 2
    risks = (futures.real**2).sum(axis=2)
    least = np.sort(risks, axis=0)
    # If two are equally good, rounding would decide between them.
    assert ((least[1] - least[0]) > 1e-5).all(), "two futures of equal risk: take another seed"
    chosen = risks.argmin(axis=0)
    return futures[chosen, np.arange(futures.shape[1])]


def forward(nodes, policy, futures, depth, x, target, weights):
    """States, representative futures and spreads of all nodes, and the losses."""
    states, representatives, spreads = [], [], []
    for (_, _, span, parents), (w, b) in zip(nodes, weights):
        s = sum(states[p] for p in parents) / len(parents) if parents else x
        for _ in range(depth):
            s = np.tanh(w * s + b)
        p = max(0.08, span / (1 + 0.3 * (depth - 1)))
        f = np.stack([np.tanh(s + d) for d in np.linspace(-p, p, futures)])
        states.append(s)
        representatives.append(representative(f, policy))
        spreads.append(((f - f.mean(axis=0)) ** 2).mean())
    s, f = states[-1], representatives[-1]
    task = ((s - target) ** 2).mean()
    consistency = 0.8 * ((s[1:] - s[:-1]) ** 2).mean() + 1.2 * ((s[1:] - f[1:]) ** 2).mean()
    coherence = sum(spreads) / len(spreads)
    total = task + 0.5 * consistency + 0.3 * coherence
    return states, representatives, [total, task, consistency, coherence]


def gradients(call, weights, x):
    """Gradients of the total for every w and b, by the complex step."""
    step = 1e-40
    out = np.zeros(weights.size)
    for i in range(weights.size):
        moved = weights.astype(complex)
        moved.flat[i] += 1j * step
        out[i] = call(x, moved)[2][0].imag / step
    return out


def magnitude(call, weights, x):
    """How much a gradient moves per relative perturbation of all inputs."""
    sums = np.zeros(weights.size)
    h = 1e-6
    for values in (x, weights):
        for i in range(values.size):
            kept = values.flat[i]
            values.flat[i] = kept + h
            above = gradients(call, weights, x)
            values.flat[i] = kept - h
            below = gradients(call, weights, x)
            values.flat[i] = kept
            sums += np.abs((above - below) / (2 * h) * kept)
    return sums.max()


def check_by_differences(call, weights, x, expected):
    h = 1e-6
    for i in range(weights.size):
        moved = weights.copy()
        moved.flat[i] += h
        above = call(x, moved)[2][0]
        moved.flat[i] -= 2 * h
        below = call(x, moved)[2][0]
        assert abs((above - below) / (2 * h) - expected[i]) < 1e-8


def case(shape, policy, channels, futures, times, depth, rng):
    nodes = CHAIN if shape == "chain" else DIAMOND
    x = waves(times, channels, rng)
    weights = np.array([[w, b] for w, b, _, _ in nodes]).astype(np.float32).astype(float)
    # A case with its own weights, so that no b is 0.
    weights = (weights + 0.1 * rng.standard_normal(weights.shape)).astype(np.float32).astype(float)
    target = np.zeros_like(x)

    def call(inputs, w):
        return forward(nodes, policy, futures, depth, inputs, target, w)

    states, representatives, losses = call(x, weights)
    by_weights = gradients(call, weights, x)
    check_by_differences(call, weights, x, by_weights)
    return {
        "name": f"{shape} D {channels} K {futures} T {times} depth {depth} {policy}",
        "shape": shape,
        "policy": policy,
        "D": channels,
        "K": futures,
        "T": times,
        "depth": depth,
        "x": x.ravel().tolist(),
        "weights": weights.ravel().tolist(),
        "state": states[-1].ravel().tolist(),
        "future": representatives[-1].ravel().tolist(),
        "losses": losses,
        "gradients": by_weights.tolist(),
        "magnitude": magnitude(call, weights, x),
        "terms": x.size,
    }


def metrics(n, zero, rng):
    """Compares a prediction p with a reference r; a forecast p at one time is for r at the next."""
    r = np.zeros(n) if zero else np.sin(0.4 * np.arange(n)) * 0.9 ** np.arange(n) + 0.3
    p = (r + 0.5 * 0.8 ** np.arange(n) * rng.standard_normal(n)).astype(np.float32).astype(float)
    r = r.astype(np.float32).astype(float)
    error = np.abs(p - r)
    band = 0.05 * (np.abs(r).max() or error.max())
    outside = np.flatnonzero(error > band)
    mse = float((error**2).mean())
    top = float(r.max())
    out = {
        "p": p.tolist(),
        "r": r.tolist(),
        "mse": mse,
        "overshoot": max(0.0, float(p.max()) - top) / abs(top) if top else 0.0,
        "settling": int(outside[-1]) + 1 if outside.size else 0,
        "robustness": 1 / (1 + mse),
        "direction": float((np.sign(np.diff(r)[1:]) * np.sign(np.diff(p)[:-1])).mean()),
    }
    if not zero:  # undefined, where the reference is 0 and never changes
        out["mape"] = float(100 * np.abs((r[1:] - p[:-1]) / r[1:]).mean())
        out["mase"] = float(np.abs(r[1:] - p[:-1]).mean() / np.abs(np.diff(r)).mean())
    return out


def main():
    rng = np.random.default_rng(SEED)
    out = {
        "made": f"make_hypercausal.py, NumPy {np.__version__}, seed {SEED}",
        "cases": [case(*each, rng) for each in CASES],
        "metrics": [metrics(40, False, rng), metrics(25, False, rng), metrics(30, True, rng)],
    }
    FILE.write_text(json.dumps(out) + "\n")
    print(f"{FILE}: {len(out['cases'])} cases, {FILE.stat().st_size} bytes")


main()
