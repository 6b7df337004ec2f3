"""The cases of ops.json: PyTorch's operations in the layouts of src/parallax.h."""

import dataclasses
from typing import Callable

import numpy
import torch
from torch.nn import functional as F


@dataclasses.dataclass
class Case:
    name: str
    op: str
    attributes: dict
    inputs: dict  # name: rng -> array
    compute: Callable  # inputs -> (outputs, updated parameters)
    differentiated: bool = True
    fixed: tuple = ()  # real inputs without a gradient


def normal(*shape, scale=1.0):
    return lambda rng: scale * rng.standard_normal(shape)


def uniform(low, high, *shape):
    return lambda rng: rng.uniform(low, high, shape)


def indices(below, *shape):
    return lambda rng: rng.integers(0, below, shape).astype(numpy.int32)


def given(values, dtype=numpy.float64):
    return lambda rng: numpy.array(values, dtype)


def case(name, inputs, compute, fixed=(), differentiated=True, **attributes):
    """The op is the part of the name before the slash; compute gets the inputs in order."""

    def run(tensors):
        y = compute(*tensors.values())
        return (y if isinstance(y, tuple) else (y,)), {}

    return Case(name, name.split("/")[0], attributes, inputs, run, differentiated, fixed)


def to_nchw(x):
    return x.permute(0, 3, 1, 2)


def to_nhwc(x):
    return x.permute(0, 2, 3, 1)


# ---- Convolution and pooling ----------------------------------------------------------------------


def padded(x, padding, value=0.0):
    top, bottom, left, right = padding
    return F.pad(to_nchw(x), (left, right, top, bottom), value=value)


def conv(name, x, weights, bias=True, stride=(1, 1), padding=(0, 0, 0, 0), dilation=(1, 1), groups=1):
    inputs = {"x": normal(*x), "weights": normal(*weights, scale=0.5)}
    if bias:
        inputs["bias"] = normal(weights[3])

    def compute(x, weights, bias=None):
        y = F.conv2d(
            padded(x, padding), weights.permute(3, 2, 0, 1), bias, stride, 0, dilation, groups
        )
        return to_nhwc(y)

    more = dict(stride=stride, padding=padding, dilation=dilation, groups=groups)
    return case(f"conv2d/{name}", inputs, compute, **more)


def conv_transpose(
    name, x, weights, bias=True, stride=(1, 1), padding=(0, 0, 0, 0), dilation=(1, 1), groups=1,
    extra=(0, 0),
):
    inputs = {"x": normal(*x), "weights": normal(*weights, scale=0.5)}
    if bias:
        inputs["bias"] = normal(weights[2] * groups)

    def compute(x, weights, bias=None):
        """Padding of four sizes: computes the full result and cuts off the edges."""
        y = F.conv_transpose2d(
            to_nchw(x), weights.permute(3, 2, 0, 1), None, stride, 0, 0, groups, dilation
        )
        top, bottom, left, right = padding
        y = F.pad(y, (0, extra[1], 0, extra[0]))
        y = y[:, :, top : y.shape[2] - bottom, left : y.shape[3] - right]
        if padding[0] == padding[1] and padding[2] == padding[3]:
            same = F.conv_transpose2d(
                to_nchw(x), weights.permute(3, 2, 0, 1), None, stride, padding[::2], extra, groups,
                dilation,
            )
            assert torch.allclose(y, same)
        return to_nhwc(y) + (0 if bias is None else bias)

    more = dict(stride=stride, padding=padding, dilation=dilation, groups=groups, extra=extra)
    return case(f"conv2d_transpose/{name}", inputs, compute, **more)


def convolutions():
    return [
        conv("plain", (2, 6, 5, 3), (3, 3, 3, 4)),
        conv("no_bias", (1, 5, 6, 2), (2, 3, 2, 3), bias=False),
        conv("stride", (1, 9, 8, 3), (3, 3, 3, 5), stride=(2, 3), padding=(1, 1, 1, 1)),
        conv("asymmetric", (1, 6, 7, 3), (3, 2, 3, 4), padding=(2, 0, 1, 3)),
        conv("dilation", (1, 9, 9, 2), (3, 3, 2, 3), dilation=(2, 3), padding=(2, 2, 3, 3)),
        conv("groups", (2, 5, 5, 6), (3, 3, 2, 9), groups=3, padding=(1, 1, 1, 1)),
        conv("depthwise", (1, 8, 7, 9), (3, 3, 1, 9), groups=9, padding=(1, 1, 1, 1)),
        conv("1x1", (2, 4, 5, 7), (1, 1, 7, 6)),
        conv("7x7", (1, 12, 11, 3), (7, 7, 3, 4), stride=(2, 2), padding=(3, 3, 3, 3)),
        conv("3x3", (1, 10, 11, 16), (3, 3, 16, 16), padding=(1, 1, 1, 1)),
        conv_transpose("plain", (1, 4, 5, 3), (3, 3, 2, 3)),
        conv_transpose(
            "stride_extra", (1, 4, 3, 3), (3, 3, 4, 3), stride=(2, 3), padding=(1, 1, 1, 1),
            extra=(1, 2),
        ),
        conv_transpose(
            "groups", (2, 3, 4, 4), (2, 3, 3, 4), groups=2, stride=(2, 2), dilation=(1, 2)
        ),
        conv_transpose(
            "asymmetric", (1, 4, 4, 2), (4, 3, 3, 2), bias=False, stride=(2, 2),
            padding=(0, 1, 2, 0), extra=(1, 0),
        ),
    ]


def dilated_mean(x, size, stride, dilation):
    """The mean of windows of pixels that are not neighbours, as a depthwise convolution."""
    channels = x.shape[1]
    weights = torch.full((channels, 1, *size), 1 / (size[0] * size[1]), dtype=x.dtype)
    return F.conv2d(x, weights, None, stride, 0, dilation, channels)


def pool(
    kind, name, x, size, stride, padding=(0, 0, 0, 0), count_padding=False, dilation=(1, 1), ceil=False
):
    def largest(x):
        own = padded(x, padding, -float("inf"))
        return to_nhwc(F.max_pool2d(own, size, stride, 0, dilation, ceil))

    def average(x):
        if dilation != (1, 1):
            return to_nhwc(dilated_mean(to_nchw(x), size, stride, dilation))
        if ceil:  # PyTorch pads both sides alike, and then does not count what is outside of that
            around = (padding[0], padding[2])
            assert padding == (around[0], around[0], around[1], around[1])
            return to_nhwc(F.avg_pool2d(to_nchw(x), size, stride, around, ceil, count_padding))
        y = F.avg_pool2d(padded(x, padding), size, stride)
        if not count_padding:
            y = y / F.avg_pool2d(padded(torch.ones_like(x), padding), size, stride)
        return to_nhwc(y)

    more = dict(
        size=size, stride=stride, padding=padding, count_padding=count_padding, dilation=dilation,
        ceil=ceil,
    )
    compute = largest if kind == "max_pool2d" else average
    return case(f"{kind}/{name}", {"x": normal(*x)}, compute, **more)


def pools():
    cases = []
    for kind in ("max_pool2d", "avg_pool2d"):
        cases += [
            pool(kind, "2x2", (2, 6, 5, 3), (2, 2), (2, 2)),
            pool(kind, "overlap", (1, 7, 8, 5), (3, 3), (2, 2), (1, 1, 1, 1)),
            pool(kind, "asymmetric", (1, 6, 7, 4), (3, 2), (1, 2), (2, 0, 0, 1)),
            pool(kind, "dilated", (1, 9, 8, 3), (3, 2), (1, 2), dilation=(2, 3)),
            pool(kind, "ceil", (1, 7, 8, 3), (3, 3), (3, 2), ceil=True),
        ]
    cases += [
        pool("avg_pool2d", "count_padding", (1, 7, 6, 3), (3, 3), (2, 2), (1, 1, 2, 0), True),
        pool("avg_pool2d", "ceil_counted", (1, 7, 8, 2), (3, 2), (2, 3), (1, 1, 1, 1), True, ceil=True),
        case("global_avg_pool2d/plain", {"x": normal(2, 5, 3, 7)}, lambda x: x.mean((1, 2))),
    ]
    for mode in ("nearest", "bilinear"):
        corners = {"align_corners": False} if mode == "bilinear" else {}
        for rows, columns in ((2, 2), (3, 1), (1, 4)):
            cases.append(
                case(
                    f"upsample2d/{mode}_{rows}x{columns}",
                    {"x": normal(2, 3, 4, 3)},
                    lambda x, mode=mode, factor=(rows, columns), corners=corners: to_nhwc(
                        F.interpolate(to_nchw(x), scale_factor=factor, mode=mode, **corners)
                    ),
                    rows=rows,
                    columns=columns,
                    method=mode,
                )
            )
    return cases


# ---- Normalisation --------------------------------------------------------------------------------


def affine(channels):
    return {"scale": normal(channels), "shift": normal(channels)}


def group_norm(name, x, groups, more):
    def compute(x, scale=None, shift=None):
        y = F.group_norm(x.movedim(-1, 1), groups, scale, shift, 1e-5)
        return y.movedim(1, -1)

    return case(
        f"group_norm/{name}", {"x": normal(*x), **more}, compute, groups=groups, epsilon=1e-5
    )


def batch_norm(name, x, training, with_affine=True, momentum=0.1):
    channels = x[-1]
    inputs = {"x": normal(*x, scale=2.0), **(affine(channels) if with_affine else {})}
    inputs["running_mean"] = normal(channels)
    inputs["running_variance"] = uniform(0.5, 2, channels)

    def compute(tensors):
        mean, variance = (tensors[n].clone() for n in ("running_mean", "running_variance"))
        y = F.batch_norm(
            tensors["x"].movedim(-1, 1), mean, variance, tensors.get("scale"),
            tensors.get("shift"), training, momentum, 1e-5,
        )
        updated = {"running_mean": mean, "running_variance": variance}
        return (y.movedim(1, -1),), updated

    return Case(
        f"batch_norm/{name}", "batch_norm",
        {"training": training, "momentum": momentum, "epsilon": 1e-5}, inputs, compute, True,
        ("running_mean", "running_variance"),
    )


def norms():
    def layer(x, scale=None, shift=None, epsilon=1e-5):
        return F.layer_norm(x, x.shape[-1:], scale, shift, epsilon)

    def rms(x, scale=None, epsilon=1e-6):
        return F.rms_norm(x, x.shape[-1:], scale, epsilon)

    return [
        case("layer_norm/plain", {"x": normal(4, 11), **affine(11)}, layer, epsilon=1e-5),
        case("layer_norm/no_affine", {"x": normal(2, 3, 8)}, layer, epsilon=1e-5),
        case(
            "layer_norm/shifted",
            {"x": lambda rng: 10 + rng.standard_normal((3, 33)), **affine(33)},
            lambda *i: layer(*i, epsilon=1e-3),
            epsilon=1e-3,
        ),
        case("rms_norm/plain", {"x": normal(4, 11), "scale": normal(11)}, rms, epsilon=1e-6),
        case("rms_norm/no_scale", {"x": normal(2, 3, 17)}, rms, epsilon=1e-6),
        group_norm("plain", (2, 4, 3, 6), 3, affine(6)),
        group_norm("one_group", (2, 3, 3, 4), 1, affine(4)),
        group_norm("instance", (2, 9, 5), 5, {}),
        batch_norm("training", (3, 4, 2, 5), True),
        batch_norm("training_rows", (9, 7), True, False, 0.3),
        batch_norm("inference", (2, 3, 3, 5), False),
    ]


# ---- Embedding, attention -------------------------------------------------------------------------


def heads_first(x, heads):
    return x.unflatten(2, (heads, -1)).transpose(1, 2)


def attention(
    name, heads, kv_heads, q, k, causal=False, mask=None, scale=0.0
):
    width = q[2] // heads * (kv_heads or heads)
    inputs = {"q": normal(*q), "k": normal(q[0], k, width), "v": normal(q[0], k, width)}
    if mask:
        inputs["mask"] = mask

    def compute(q, k, v, mask=None):
        s, t = q.shape[1], k.shape[1]
        more = None if mask is None else mask[:, None]
        if causal and (s != t or mask is not None):
            seen = torch.ones(s, t, dtype=torch.bool).tril(t - s)
            hidden = torch.zeros(s, t).masked_fill(~seen, -float("inf"))
            more = hidden if more is None else more + hidden
        with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
            y = F.scaled_dot_product_attention(
                heads_first(q, heads), heads_first(k, kv_heads or heads),
                heads_first(v, kv_heads or heads), more, 0.0, causal and more is None,
                scale=scale or None, enable_gqa=bool(kv_heads),
            )
        return y.transpose(1, 2).flatten(2)

    return case(
        f"attention/{name}", inputs, compute, fixed=("mask",), heads=heads, kv_heads=kv_heads,
        causal=causal, scale=scale,
    )


def mask_of(shape, hidden_row=None):
    def make(rng):
        mask = rng.standard_normal(shape)
        mask[rng.random(shape) < 0.3] = -numpy.inf
        mask[..., 0] = 0
        if hidden_row is not None:
            mask[:, hidden_row] = -numpy.inf
        return mask

    return make


def rope(name, x, heads, base, first):
    def compute(x):
        """Computed as a multiplication of complex numbers."""
        b, s, width = x.shape
        half = width // heads // 2
        turned = x.reshape(b, s, heads, 2, half)
        angle = (first + torch.arange(s))[:, None] * base ** (-torch.arange(half) / half)
        turn = torch.polar(torch.ones_like(angle), angle)[:, None]
        z = torch.complex(turned[..., 0, :], turned[..., 1, :]) * turn
        return torch.stack([z.real, z.imag], -2).reshape(b, s, width)

    return case(f"rope/{name}", {"x": normal(*x)}, compute, heads=heads, base=base, first=first)


def attentions():
    ids = [[1, 4, 4], [0, 1, 1]]
    return [
        case(
            "embedding/repeated",
            {"table": normal(6, 5), "ids": given(ids, numpy.int32)},
            lambda table, ids: F.embedding(ids, table),
        ),
        case(
            "embedding/rows",
            {"table": normal(40, 9), "ids": indices(40, 13)},
            lambda table, ids: F.embedding(ids, table),
        ),
        attention("full", 2, 0, (2, 7, 16), 7),
        attention("cross", 3, 0, (1, 5, 12), 9),
        attention("causal", 2, 0, (2, 8, 16), 8, causal=True),
        attention("causal_cache", 2, 0, (1, 3, 16), 8, causal=True),
        attention("masked", 2, 0, (2, 5, 8), 6, mask=mask_of((2, 5, 6))),
        attention("masked_shared", 2, 0, (2, 5, 8), 6, mask=mask_of((1, 1, 6))),
        attention("unseen", 1, 0, (1, 4, 8), 5, mask=mask_of((1, 4, 5), hidden_row=2)),
        attention("grouped", 4, 2, (1, 6, 32), 6, causal=True, scale=0.5),
        attention("long", 2, 1, (1, 70, 16), 70, causal=True),
        rope("plain", (2, 5, 16), 2, 10000.0, 0),
        rope("later", (1, 4, 12), 1, 500.0, 7),
        case(
            "swiglu/plain", {"gate": normal(3, 9), "up": normal(3, 9)},
            lambda gate, up: F.silu(gate) * up,
        ),
        case(
            "geglu/plain", {"gate": normal(3, 9), "up": normal(3, 9)},
            lambda gate, up: F.gelu(gate) * up,
        ),
    ]


# ---- Elementwise ----------------------------------------------------------------------------------


def activations():
    functions = {
        "relu": F.relu,
        "silu": F.silu,
        "gelu": F.gelu,
        "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu6": F.relu6,
        "selu": F.selu,
        "mish": F.mish,
        "hardswish": lambda x: x * F.relu6(x + 3) / 6,
        # F.hardsigmoid has no second derivative, which the magnitudes need.
        "hardsigmoid": lambda x: F.relu6(x + 3) / 6,
        # F.softplus becomes the identity above its threshold.
        "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
        "softsign": F.softsign,
    }
    cases = [
        case(f"{name}/plain", {"x": normal(5, 13, scale=3.0)}, f, p=0.0)
        for name, f in functions.items()
    ]
    cases += [
        case(
            f"{name}/p_{p}", {"x": normal(5, 13, scale=2.0)},
            lambda x, f=f, p=p: f(x, p), p=p,
        )
        for name, f in (("leaky_relu", F.leaky_relu), ("elu", F.elu), ("celu", F.celu))
        for p in (0.25, 1.5)
    ]
    cases.append(
        case(
            "prelu/plain", {"x": normal(5, 7), "slope": uniform(0.1, 0.5, 7)},
            lambda x, slope: F.prelu(x, slope),
        )
    )
    return cases


def elementwise():
    binary = {
        "add": torch.add,
        "sub": torch.sub,
        "mul": torch.mul,
        "max": torch.maximum,
        "min": torch.minimum,
    }
    cases = [
        case(f"{name}/broadcast", {"a": normal(3, 1, 5), "b": normal(4, 1)}, f)
        for name, f in binary.items()
    ]
    positive = {"a": uniform(0.5, 3, 3, 4), "b": uniform(0.5, 3, 4)}
    cases += [
        case("div/broadcast", positive, torch.div),
        case("pow/broadcast", positive, torch.pow),
    ]
    unary = {"exp": torch.exp, "abs": torch.abs, "square": torch.square, "erf": torch.erf,
             "sin": torch.sin, "cos": torch.cos}
    cases += [case(f"{name}/plain", {"x": normal(3, 17)}, f) for name, f in unary.items()]
    above = {"log": torch.log, "sqrt": torch.sqrt, "rsqrt": torch.rsqrt}
    cases += [case(f"{n}/plain", {"x": uniform(0.2, 4, 3, 17)}, f) for n, f in above.items()]
    cases.append(
        case(
            "clip/plain", {"x": normal(4, 9, scale=2.0)}, lambda x: torch.clamp(x, -0.5, 1.25),
            low=-0.5, high=1.25,
        )
    )
    return cases


def products():
    return [
        case("matmul/plain", {"a": normal(5, 7), "b": normal(7, 6)}, torch.mm, ta=False, tb=False),
        case(
            "matmul/transposed", {"a": normal(7, 5), "b": normal(6, 7)},
            lambda a, b: a.T @ b.T, ta=True, tb=True,
        ),
        case(
            "dense/rows", {"x": normal(2, 3, 7), "w": normal(7, 5), "b": normal(5)},
            lambda x, w, b: F.linear(x, w.T, b),
        ),
    ]


# ---- Along axes -----------------------------------------------------------------------------------


def along_axes():
    cases = []
    for axis in (0, 1, 2, -1):
        shape = (3, 4, 2, 5)
        for name, f in (("softmax", F.softmax), ("log_softmax", F.log_softmax)):
            x = {"x": normal(*shape, scale=2.0)}
            cases.append(case(f"{name}/axis_{axis}", x, lambda x, f=f, a=axis: f(x, a), axis=axis))
    everything = 1000  # PLX_ALL_AXES
    reductions = {
        "log_sum_exp": torch.logsumexp,
        "reduce_sum": torch.sum,
        "reduce_mean": torch.mean,
        "reduce_max": torch.amax,
    }
    for name, f in reductions.items():
        for axis in (0, 1, -1, everything):
            axes = (0, 1, 2) if axis == everything else axis
            x = {"x": normal(3, 4, 5)}
            cases.append(case(f"{name}/axis_{axis}", x, lambda x, f=f, a=axes: f(x, a), axis=axis))
    for axis in (0, 1):
        x = {"x": normal(4, 7)}
        cases.append(
            case(
                f"argmax/axis_{axis}", x,
                lambda x, a=axis: torch.argmax(x, a).to(torch.int32), axis=axis,
                differentiated=False,
            )
        )
    ties = [[1, 3, 3, 2], [5, 5, 5, 5], [-1, -2, -1, -3]]
    cases.append(
        case(
            "argmax/ties", {"x": given(ties)},
            lambda x: torch.from_numpy(numpy.argmax(x.detach().numpy(), 1).astype(numpy.int32)),
            axis=1, differentiated=False,
        )
    )
    return cases + selections(ties)


def top_k(x, k):
    """Uses a stable sort: the first of equal values comes first."""
    order = numpy.argsort(-x.detach().numpy(), axis=-1, kind="stable")[..., :k].copy()
    values = torch.gather(x, -1, torch.from_numpy(order))
    assert torch.equal(values, torch.topk(x, k).values)
    return values, torch.from_numpy(order.astype(numpy.int32))


def selections(ties):
    def gather(axis):
        def compute(x, indices):
            flat = torch.index_select(x, axis, indices.reshape(-1))
            return flat.unflatten(axis, tuple(indices.shape))

        return compute

    x = {"x": normal(4, 5, 3)}
    repeated = {"indices": given([[1, 0, 1], [2, 2, 1]], numpy.int32)}
    cases = [
        case(f"gather/axis_{axis}", {**x, **repeated}, gather(axis), axis=axis)
        for axis in (0, 1, 2)
    ]
    return cases + [
        case("top_k/plain", {"x": normal(3, 11)}, lambda x: top_k(x, 4), k=4),
        case("top_k/ties", {"x": given(ties)}, lambda x: top_k(x, 3), k=3),
        case("transpose/plain", x, lambda x: x.permute(2, 0, 1), axes=[2, 0, 1]),
        case("slice/forward", x, lambda x: x[:, 1:5:2], axis=1, begin=1, end=5, step=2),
        case(
            "slice/backward", x, lambda x: x.flip(1)[:, 0:4:3], axis=1, begin=4, end=0, step=-3
        ),
        case(
            "pad/plain", x, lambda x: F.pad(x, (0, 2, 1, 0, 2, 1), value=0.5),
            before=[2, 1, 0], after=[1, 0, 2], value=0.5,
        ),
        case(
            "concat/plain", {"a": normal(2, 3, 4), "b": normal(2, 2, 4)},
            lambda a, b: torch.cat([a, b], 1), axis=1,
        ),
        case(
            "broadcast/plain", {"x": normal(3, 1, 2)}, lambda x: x.expand(2, 3, 4, 2),
            dims=[2, 3, 4, 2],
        ),
        case(
            "split/sizes", {"x": normal(3, 6)}, lambda x: torch.split(x, [1, 3, 2], 1),
            axis=1, sizes=[1, 3, 2],
        ),
    ]


# ---- Losses ---------------------------------------------------------------------------------------


def losses():
    pair = {"prediction": normal(4, 7), "target": normal(4, 7)}

    def info_nce(a, b, scale):
        logits = scale * (F.normalize(a) @ F.normalize(b).T)
        own = torch.arange(len(a))
        return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2

    def clip(largest):
        """Like clip_grad_norm_, without the 1e-6 that it adds to the norm."""

        def compute(*grads):
            length = torch.cat([g.reshape(-1) for g in grads]).norm()
            result = tuple(g * torch.clamp(largest / length, max=1) for g in grads)
            theirs = [g.detach().clone().requires_grad_(True) for g in grads]
            for g in theirs:
                g.grad = g.detach().clone()
            torch.nn.utils.clip_grad_norm_(theirs, largest)
            for ours, g in zip(result, theirs):
                assert torch.allclose(ours, g.grad, rtol=1e-5)
            return result

        return compute

    grads = {"a": normal(3, 4), "b": normal(5), "c": normal(2, 2, 2)}
    return [
        case(
            "cross_entropy/rows", {"logits": normal(6, 5, scale=2.0), "labels": indices(5, 6)},
            lambda logits, labels: F.cross_entropy(logits, labels.long()),
        ),
        case(
            "cross_entropy/3d", {"logits": normal(2, 3, 7), "labels": indices(7, 2, 3)},
            lambda logits, labels: F.cross_entropy(logits.reshape(-1, 7), labels.long().reshape(-1)),
        ),
        case(
            "binary_cross_entropy/plain",
            {"logits": normal(4, 7, scale=3.0), "target": uniform(0, 1, 4, 7)},
            F.binary_cross_entropy_with_logits,
        ),
        case("mse/plain", pair, F.mse_loss),
        case("l1/plain", pair, F.l1_loss),
        *(
            case(
                f"huber/delta_{delta}", pair,
                lambda prediction, target, d=delta: F.huber_loss(prediction, target, delta=d),
                delta=delta,
            )
            for delta in (0.5, 1.5)
        ),
        case(
            "l2_normalize/plain", {"x": normal(4, 7)}, lambda x: F.normalize(x, dim=-1, eps=1e-12),
            epsilon=1e-12,
        ),
        case(
            "cosine_loss/plain", {"a": normal(5, 8), "b": normal(5, 8)},
            lambda a, b: (1 - F.cosine_similarity(a, b, dim=-1)).mean(),
        ),
        case(
            "info_nce/plain", {"a": normal(5, 8), "b": normal(5, 8), "scale": given(4.0)}, info_nce
        ),
        case("clip_by_norm/longer", grads, clip(1.5), differentiated=False, largest=1.5),
        case("clip_by_norm/shorter", grads, clip(50.0), differentiated=False, largest=50.0),
    ]


# ---- Recurrence -----------------------------------------------------------------------------------


def one_row(name, x, weights, stride, dilation, padding, groups=1):
    """A convolution of sequences, as one of images of one row."""
    inputs = {"x": normal(x[0], 1, *x[1:]), "weights": normal(1, *weights, scale=0.5)}
    inputs["bias"] = normal(weights[2])

    def compute(x, weights, bias):
        own = F.pad(x[:, 0].permute(0, 2, 1), padding)
        y = F.conv1d(own, weights[0].permute(2, 1, 0), bias, stride, 0, dilation, groups)
        return y.permute(0, 2, 1)[:, None]

    more = dict(stride=(1, stride), padding=(0, 0, *padding), dilation=(1, dilation), groups=groups)
    return case(f"conv2d/{name}", inputs, compute, **more)


def turned(x, reverse):
    return x.flip(1) if reverse else x


def lstm(name, batch, time, width, units, reverse=False):
    inputs = {
        "x": normal(batch, time, width), "w": normal(width, 4 * units, scale=0.5),
        "r": normal(units, 4 * units, scale=0.5), "bias": normal(4 * units),
        "h0": normal(batch, units), "c0": normal(batch, units),
    }

    def compute(x, w, r, bias, h0, c0):
        weights = [w.T, r.T, bias, torch.zeros_like(bias)]
        y, _, cell = torch.lstm(
            turned(x, reverse), (h0[None], c0[None]), weights, True, 1, 0.0, False, False, True
        )
        return turned(y, reverse), cell[0]

    return case(f"lstm/{name}", inputs, compute, reverse=reverse)


def gru(name, batch, time, width, units, reverse=False, reset_after=True):
    inputs = {
        "x": normal(batch, time, width), "w": normal(width, 3 * units, scale=0.5),
        "r": normal(units, 3 * units, scale=0.5), "bias": normal(3 * units),
        "recurrent_bias": normal(3 * units), "h0": normal(batch, units),
    }

    def ordered(weights):
        """PyTorch's gates are r, z, n."""
        z, r, n = weights.transpose(-1, 0).chunk(3)
        return torch.cat([r, z, n])

    def after(x, w, r, bias, recurrent_bias, h0):
        weights = [ordered(each) for each in (w, r, bias, recurrent_bias)]
        y, _ = torch.gru(
            turned(x, reverse), h0[None], weights, True, 1, 0.0, False, False, True
        )
        return turned(y, reverse)

    def before(x, w, r, bias, recurrent_bias, h0):
        """The formula of Cho et al., which PyTorch lacks."""
        h, states = h0, []
        for step in turned(x, reverse).unbind(1):
            own = (step @ w + bias + recurrent_bias).split(units, 1)
            z, reset = (torch.sigmoid(o + h @ p) for o, p in zip(own[:2], r.split(units, 1)))
            new = torch.tanh(own[2] + (reset * h) @ r[:, 2 * units :])
            h = (1 - z) * new + z * h
            states.append(h)
        return turned(torch.stack(states, 1), reverse)

    compute = after if reset_after else before
    return case(f"gru/{name}", inputs, compute, reverse=reverse, reset_after=reset_after)


def recurrences():
    return [
        one_row("one_row", (2, 9, 3), (3, 3, 4), 2, 1, (1, 1)),
        one_row("one_row_causal", (1, 8, 4), (3, 2, 6), 1, 2, (4, 0), groups=2),
        lstm("plain", 3, 5, 4, 6),
        lstm("reverse", 2, 4, 3, 5, reverse=True),
        gru("plain", 3, 5, 4, 6),
        gru("reverse", 2, 4, 3, 5, reverse=True),
        gru("reset_before", 3, 4, 3, 5, reset_after=False),
        gru("reset_before_reverse", 2, 3, 4, 4, reverse=True, reset_after=False),
    ]


def all_cases():
    return [
        *recurrences(),
        *convolutions(),
        *pools(),
        *norms(),
        *attentions(),
        *activations(),
        *elementwise(),
        *products(),
        *along_axes(),
        *losses(),
    ]
