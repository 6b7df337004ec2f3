"""The same operations in NumPy alone, with which make_ops.py checks PyTorch's results: outputs
directly, gradients by a central difference of sum(w * y) along a random direction."""

import numpy

CLOSE = 1e-9  # float64 arithmetic on numbers near 1
STEP = 1e-5
SLOPE = 1e-6  # a central difference of that step errs by STEP^2 times third derivatives

checked = {}
WANTED = {"conv2d": 12, "attention": 9, "layer_norm": 3, "gru": 4}


def conv2d(i, a):
    x, w = i["x"], i["weights"]
    n, height, width, channels = x.shape
    kh, kw, each, out = w.shape
    (sy, sx), (top, bottom, left, right), (dy, dx) = a["stride"], a["padding"], a["dilation"]
    oh = (height + top + bottom - dy * (kh - 1) - 1) // sy + 1
    ow = (width + left + right - dx * (kw - 1) - 1) // sx + 1
    y = numpy.zeros((n, oh, ow, out))
    for r, c in numpy.ndindex(oh, ow):
        for p, q in numpy.ndindex(kh, kw):
            row, column = r * sy + p * dy - top, c * sx + q * dx - left
            if not (0 <= row < height and 0 <= column < width):
                continue
            for o in range(out):
                first = o // (out // a["groups"]) * each
                y[:, r, c, o] += x[:, row, column, first : first + each] @ w[p, q, :, o]
    return y + i["bias"] if "bias" in i else y


def attention(i, a):
    q, k, v = i["q"], i["k"], i["v"]
    b, s, _ = q.shape
    t = k.shape[1]
    heads, kv_heads = a["heads"], a["kv_heads"] or a["heads"]
    d, e = q.shape[2] // heads, v.shape[2] // kv_heads
    scale = a["scale"] or 1 / numpy.sqrt(d)
    y = numpy.zeros((b, s, heads * e))
    for n, h, p in numpy.ndindex(b, heads, s):
        g = h // (heads // kv_heads)
        scores = scale * (k[n, :, g * d : (g + 1) * d] @ q[n, p, h * d : (h + 1) * d])
        if "mask" in i:
            m = i["mask"]
            scores = scores + m[n % m.shape[0], p % m.shape[1]]
        if a["causal"]:
            scores[p + t - s + 1 :] = -numpy.inf
        if numpy.all(numpy.isneginf(scores)):
            continue
        share = numpy.exp(scores - scores.max())
        y[n, p, h * e : (h + 1) * e] = share / share.sum() @ v[n, :, g * e : (g + 1) * e]
    return y


def layer_norm(i, a):
    x = i["x"]
    centred = x - x.mean(-1, keepdims=True)
    y = centred / numpy.sqrt((centred**2).mean(-1, keepdims=True) + a["epsilon"])
    return y * i.get("scale", 1) + i.get("shift", 0)


def sigmoid(x):
    return 1 / (1 + numpy.exp(-x))


def gru(i, a):
    x, h, u = i["x"], i["h0"], i["h0"].shape[1]
    y = numpy.zeros((*x.shape[:2], u))
    steps = range(x.shape[1])
    for t in reversed(steps) if a["reverse"] else steps:
        own, bias = x[:, t] @ i["w"] + i["bias"], i["recurrent_bias"]
        z, reset = (
            sigmoid(own[:, c] + h @ i["r"][:, c] + bias[c]) for c in (slice(u), slice(u, 2 * u))
        )
        r, c = i["r"][:, 2 * u :], bias[2 * u :]
        part = reset * (h @ r + c) if a["reset_after"] else (reset * h) @ r + c
        new = numpy.tanh(own[:, 2 * u :] + part)
        y[:, t] = h = (1 - z) * new + z * h
    return y


BY_NUMPY = {"conv2d": conv2d, "attention": attention, "layer_norm": layer_norm, "gru": gru}


def check(case, inputs, outputs, weights, grads):
    if case.op not in BY_NUMPY:
        return
    compute = lambda values: BY_NUMPY[case.op](values, case.attributes)
    numpy.testing.assert_allclose(compute(inputs), outputs[0].detach().numpy(), CLOSE, CLOSE)
    w = weights[0].detach().numpy()
    rng = numpy.random.default_rng(1)
    names = list(grads)
    directions = {name: rng.uniform(-1, 1, inputs[name].shape) for name in names}
    moved = lambda step: (
        w * compute({**inputs, **{n: inputs[n] + step * directions[n] for n in names}})
    ).sum()
    slope = (moved(STEP) - moved(-STEP)) / (2 * STEP)
    expected = sum((grads[name] * directions[name]).sum() for name in names)
    numpy.testing.assert_allclose(expected, slope, SLOPE, SLOPE)
    checked[case.op] = checked.get(case.op, 0) + 1
