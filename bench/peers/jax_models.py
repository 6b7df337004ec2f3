"""The models by name in JAX: the same layers on the same weights, as Parallax numbers them."""

import math

import jax
from jax import numpy as jnp
from jax_steps import Training, make_step, mean_cross_entropy, one_by_one

HEADS = 4
MOMENTUM = 0.1


def model_training(data, name):
    family = name.split("-")[0]

    def with_(attend):
        def loss(weights, running, inputs):
            model = Model(weights, running, *inputs, attend)
            return getattr(model, family)(), model.running

        step = make_step(loss)
        return step, one_by_one(step)

    if any(".attention." in weight for weight in data.weights):
        ways = [(way, *with_(attend)) for way, attend in ATTENTION.items()]
    else:
        ways = [("", *with_(None))]
    return Training(ways, data.weights, data.state, (data.inputs, data.targets))


# ---- Attention of q, k, v [b, s, heads, d], with fewer heads in k and v if they are shared ---------


def documented(q, k, v, causal):
    return jax.nn.dot_product_attention(q, k, v, is_causal=causal)


def products(q, k, v, causal):
    """The same as two batched products with the heads apart."""
    shared = q.shape[2] // k.shape[2]
    q, k, v = (x.swapaxes(1, 2) for x in (q, k, v))
    k, v = (jnp.repeat(x, shared, axis=1) for x in (k, v))
    scores = q @ k.swapaxes(-1, -2) / math.sqrt(q.shape[-1])
    if causal:
        seen = jnp.tril(jnp.ones(scores.shape[-2:], bool))
        scores = jnp.where(seen, scores, -jnp.inf)
    return (jax.nn.softmax(scores, axis=-1) @ v).swapaxes(1, 2)


ATTENTION = {"dot_product_attention": documented, "products": products}


def rotate(x, base=10000.0):
    """x [b, s, h, d]: element i is rotated with element i + d / 2."""
    half = x.shape[-1] // 2
    rates = base ** (-jnp.arange(half, dtype=jnp.float32) / half)
    angles = (jnp.arange(x.shape[1], dtype=jnp.float32)[:, None] * rates)[:, None]
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    a, b = x[..., :half], x[..., half:]
    return jnp.concatenate((a * cos - b * sin, b * cos + a * sin), -1)


def gelu(x):
    return jax.nn.gelu(x, approximate=False)


class Model:
    """Weights by name, and the loss of a batch by family; running becomes the new statistics."""

    def __init__(self, weights, running, inputs, targets, attend):
        self.weights, self.inputs, self.targets = weights, inputs, targets
        self.running = dict(running)
        self.attend = attend

    # ---- Layers: name is that of the weights' scope -----------------------------------------------

    def dense(self, name, x):
        y = x @ self.weights[f"{name}.weight"]
        bias = self.weights.get(f"{name}.bias")
        return y if bias is None else y + bias

    def norm(self, name, x):
        scale, shift = self.weights[f"{name}.scale"], self.weights.get(f"{name}.shift")
        if shift is None:
            square = jnp.square(x).mean(-1, keepdims=True)
            return x * jax.lax.rsqrt(square + 1e-5) * scale
        centre = x - x.mean(-1, keepdims=True)
        variance = jnp.square(centre).mean(-1, keepdims=True)
        return centre * jax.lax.rsqrt(variance + self.epsilon) * scale + shift

    def attention(self, name, x, kv_heads, causal, rope):
        heads = lambda part, count: self.dense(f"{name}.{part}", x).reshape(*x.shape[:2], count, -1)
        q, k, v = heads("query", HEADS), heads("key", kv_heads), heads("value", kv_heads)
        if rope:
            q, k = rotate(q), rotate(k)
        y = self.attend(q, k, v, causal)
        return self.dense(f"{name}.output", y.reshape(x.shape[0], x.shape[1], -1))

    def hidden(self, name, x, activation):
        up = self.dense(f"{name}.up", x)
        if f"{name}.gate.weight" in self.weights:
            y = jax.nn.silu(self.dense(f"{name}.gate", x)) * up
        else:
            y = activation(up)
        return self.dense(f"{name}.down", y)

    def block(self, name, x, kv_heads=HEADS, causal=False, rope=False, post=False, activation=gelu):
        attend = lambda y: self.attention(f"{name}.attention", y, kv_heads, causal, rope)
        think = lambda y: self.hidden(f"{name}.mlp", y, activation)
        for norm, part in ((f"{name}.norm_1", attend), (f"{name}.norm_2", think)):
            x = self.norm(norm, x + part(x)) if post else x + part(self.norm(norm, x))
        return x

    def blocks(self, prefix):
        i = 0
        while f"{prefix}block_{i}.norm_2.scale" in self.weights:
            yield f"{prefix}block_{i}"
            i += 1

    def patches(self, name, x):
        """Turns x [n, h, w, c] into [n, patches, width]."""
        weight = self.weights[f"{name}.weight"]
        y = self.conv2d(x, weight, stride=weight.shape[0], padding=0) + self.weights[f"{name}.bias"]
        return y.reshape(y.shape[0], -1, y.shape[-1])

    @staticmethod
    def conv2d(x, weight, stride, padding):
        return jax.lax.conv_general_dilated(
            x,
            weight,
            (stride, stride),
            ((padding, padding), (padding, padding)),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )

    def conv(self, name, x, stride=1):
        weight = self.weights[f"{name}.weight"]
        return self.conv2d(x, weight, stride, weight.shape[0] // 2)

    def batch_norm(self, name, x):
        axes = (0, 1, 2)
        mean = x.mean(axes)
        centre = x - mean
        variance = jnp.square(centre).mean(axes)
        count = x.size // x.shape[-1]
        for key, value in (("mean", mean), ("variance", variance * (count / (count - 1)))):
            old = self.running[f"{name}.{key}"]
            self.running[f"{name}.{key}"] = (1 - MOMENTUM) * old + MOMENTUM * value
        y = centre * jax.lax.rsqrt(variance + 1e-5)
        return y * self.weights[f"{name}.scale"] + self.weights[f"{name}.shift"]

    epsilon = 1e-5

    # ---- Families: loss of a batch ------------------------------------------------------------------

    def gpt2(self):
        tanh = lambda y: jax.nn.gelu(y, approximate=True)
        table = self.weights["tokens.table"]
        x = table[self.inputs["ids"]] + self.weights["positions.table"]
        for name in self.blocks(""):
            x = self.block(name, x, causal=True, activation=tanh)
        return self.cross_entropy([self.norm("norm", x) @ table.T])

    def transformer(self):
        table = self.weights["tokens.table"]
        x = table[self.inputs["ids"]]
        for name in self.blocks(""):
            x = self.block(name, x, kv_heads=HEADS // 2, causal=True, rope=True)
        return self.cross_entropy([self.norm("norm", x) @ table.T])

    def bert(self):
        """Ids are never 0, so that no attention is masked."""
        self.epsilon = 1e-12
        table = self.weights["tokens.table"]
        x = self.norm("norm", table[self.inputs["ids"]] + self.weights["positions.table"])
        for name in self.blocks(""):
            x = self.block(name, x, post=True)
        words = self.norm("words.norm", gelu(self.dense("words.dense", x)))
        words = words @ table.T + self.weights["words.bias"]
        pooled = jnp.tanh(self.dense("class.pooler", x[:, 0]))
        return self.cross_entropy([words, self.dense("class.dense", pooled)])

    def vit(self):
        self.epsilon = 1e-6
        x = self.patches("patches", self.inputs["image"])
        token = jnp.broadcast_to(self.weights["class.weight"], (x.shape[0], 1, x.shape[-1]))
        x = jnp.concatenate((token, x), 1) + self.weights["positions.table"]
        for name in self.blocks(""):
            x = self.block(name, x)
        return self.cross_entropy([self.dense("head", self.norm("norm", x[:, 0]))])

    def clip(self):
        x = self.patches("image.patches", self.inputs["pixels"])
        y = self.weights["text.tokens.table"][self.inputs["ids"]]
        pooled = []
        for tower, rows in (("image", x), ("text", y)):
            rows = rows + self.weights[f"{tower}.positions.table"]
            for name in self.blocks(f"{tower}."):
                rows = self.block(name, rows)
            rows = self.dense(f"{tower}.projection", self.norm(f"{tower}.norm", rows).mean(1))
            pooled.append(rows / jnp.linalg.norm(rows, axis=-1, keepdims=True))
        scale = jnp.exp(jnp.minimum(self.weights["temperature"], math.log(100)))
        logits = scale * pooled[0] @ pooled[1].T
        labels = jnp.arange(logits.shape[0])
        return sum(mean_cross_entropy(way, labels) for way in (logits, logits.T)) / 2

    def resnet(self):
        x = jax.nn.relu(self.batch_norm("stem_norm", self.conv("stem", self.inputs["image"])))
        stage, block = 0, 0
        while f"stage_{stage}.block_{block}.conv_1.weight" in self.weights:
            name = f"stage_{stage}.block_{block}"
            stride = 2 if stage and not block else 1
            y = self.conv(f"{name}.conv_1", x, stride)
            y = jax.nn.relu(self.batch_norm(f"{name}.norm_1", y))
            y = self.batch_norm(f"{name}.norm_2", self.conv(f"{name}.conv_2", y))
            if f"{name}.projection.weight" in self.weights:
                x = self.conv(f"{name}.projection", x, stride)
                x = self.batch_norm(f"{name}.projection_norm", x)
            x = jax.nn.relu(x + y)
            block += 1
            if f"stage_{stage}.block_{block}.conv_1.weight" not in self.weights:
                stage, block = stage + 1, 0
        return self.cross_entropy([self.dense("head", x.mean((1, 2)))])

    def cross_entropy(self, outputs):
        return sum(mean_cross_entropy(logits, labels) for logits, labels in zip(outputs, self.targets))
