"""JAX on the CPU as an engine of scripts/peers: one command per line, one answer per line (see
native.c)."""

import jax_setup  # first: it limits the threads

import jax
import numpy
from case_data import split
from jax import numpy as jnp
from jax_models import model_training
from jax_steps import Training, in_one_call, make_step, mean_cross_entropy, one_by_one
from line_protocol import fastest, python_version, serve


def same(y):
    return y


class Call:
    """The fastest way, [(name, function, arguments, result)], of computing something."""

    def __init__(self, ways):
        compiled = [(name, jax.jit(function), *rest) for name, function, *rest in ways]
        way, self.variant = fastest(compiled, self.trial)
        self.trial(*way)

    def trial(self, function, arguments, result):
        self.function, self.result = function, result
        self.arguments = jax.block_until_ready(jax.tree.map(jnp.asarray, arguments))
        self.run(1)
        return lambda: self.run(1)

    def restart(self):
        pass

    def run(self, count):
        for _ in range(count):
            self.output = self.function(*self.arguments)
        jax.block_until_ready(self.output)

    def results(self, _):
        self.run(1)
        return numpy.ascontiguousarray(self.result(numpy.asarray(self.output)))


def product(values, sizes, transposed):
    m, n, k = sizes
    ta, tb = transposed == "a", transposed == "b"
    arrays = tuple(split(values, (k, m) if ta else (m, k), (n, k) if tb else (k, n)))

    def multiplied(a, b):
        return jnp.matmul(a.T if ta else a, b.T if tb else b)

    return Call([("", multiplied, arrays, same)])


def forward(layers, x):
    for w, b in layers[:-1]:
        x = jax.nn.relu(x @ w + b)
    w, b = layers[-1]
    return x @ w + b


def network(data, loss):
    if loss is None:
        constant = jax.tree.map(jnp.asarray, data.layers)
        return Call(
            [
                ("weights as arguments", forward, (data.layers, data.x), same),
                ("weights as constants", lambda x: forward(constant, x), (data.x,), same),
            ]
        )
    measure = {
        "mse": lambda output, y: jnp.square(output - y).mean(),
        "crossentropy": mean_cross_entropy,
    }[loss]

    def compute(weights, running, inputs):
        x, y = inputs
        return measure(forward(weights, x), y), running

    step = make_step(compute)
    ways = [
        ("a call for each step", step, one_by_one(step)),
        ("steps in one call", step, in_one_call(step)),
    ]
    return Training(ways, data.layers, {}, (data.x, data.y))


# ---- Single operations: [(name, function, arguments, result)] --------------------------------------


def conv2d(values, n, h, w, channels, k, out, stride, pad, groups):
    shapes = (n, h, w, channels), (k, k, channels // groups, out), (out,)
    x, weights, bias = split(values, *shapes)

    def convolve(layout, x, weights, bias):
        y = jax.lax.conv_general_dilated(
            x,
            weights,
            (stride, stride),
            ((pad, pad), (pad, pad)),
            dimension_numbers=layout,
            feature_group_count=groups,
        )
        return y + bias

    last = lambda *args: convolve(("NHWC", "HWIO", "NHWC"), *args)
    first = lambda *args: convolve(("NCHW", "OIHW", "NCHW"), *args)
    turned = x.transpose(0, 3, 1, 2), weights.transpose(3, 2, 0, 1), bias.reshape(1, out, 1, 1)
    return [
        ("NHWC", last, (x, weights, bias), same),
        ("NCHW", first, turned, lambda y: y.transpose(0, 2, 3, 1)),
    ]


def attention(values, batch, length, heads, width):
    shape = (batch, length, heads, width)
    rows = tuple(split(values, shape, shape, shape))
    apart = tuple(x.transpose(0, 2, 1, 3) for x in rows)

    def products(q, k, v):
        scores = q @ k.swapaxes(-1, -2) / numpy.sqrt(numpy.float32(width))
        return jax.nn.softmax(scores, axis=-1) @ v

    return [
        ("dot_product_attention", jax.nn.dot_product_attention, rows, same),
        ("heads apart", products, apart, lambda y: y.transpose(0, 2, 1, 3)),
    ]


def layer_norm(values, rows, width):
    def centred(x, scale, shift):
        centre = x - x.mean(-1, keepdims=True)
        variance = jnp.square(centre).mean(-1, keepdims=True)
        return centre * jax.lax.rsqrt(variance + 1e-5) * scale + shift

    def variance(x, scale, shift):
        y = (x - x.mean(-1, keepdims=True)) * jax.lax.rsqrt(x.var(-1, keepdims=True) + 1e-5)
        return y * scale + shift

    arguments = tuple(split(values, (rows, width), (width,), (width,)))
    return [("centred", centred, arguments, same), ("var", variance, arguments, same)]


def softmax(values, rows, width):
    return [("", jax.nn.softmax, (values.reshape(rows, width),), same)]


def gelu(values, rows, width):
    exact = lambda x: jax.nn.gelu(x, approximate=False)
    return [("", exact, (values.reshape(rows, width),), same)]


def embedding(values, vocabulary, width, ids):
    table, chosen = split(values, (vocabulary, width), (ids,))
    arguments = (table, chosen.view(numpy.int32))
    inside = lambda table, ids: table.at[ids].get(mode="promise_in_bounds")
    return [
        ("indexing", lambda table, ids: table[ids], arguments, same),
        ("promise_in_bounds", inside, arguments, same),
    ]


OPERATIONS = {
    "conv2d": conv2d,
    "attention": attention,
    "layer_norm": layer_norm,
    "softmax": softmax,
    "gelu": gelu,
    "embedding": embedding,
}


def main():
    # float32 as it is: on some devices JAX rounds the factors of products to fewer bits.
    jax.config.update("jax_default_matmul_precision", "highest")
    about = {"version": jax.__version__, "runtime": python_version(), "notes": []}
    serve(
        about,
        {
            "gemm": product,
            "layers": network,
            "model": model_training,
            "op": lambda values, name, sizes: Call(OPERATIONS[name](values, *sizes)),
        },
    )


if __name__ == "__main__":
    main()
