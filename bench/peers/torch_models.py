"""The models by name in PyTorch: the same layers on the same weights, as Parallax numbers them."""

import math

import torch
from torch.nn import functional
from torch_steps import Training


def model_training(data, name):
    model = Model(data, name)
    return Training(model.loss, model.weights.values(), model.running.values())


class Model:
    """Weights by name, with matrices as torch.nn.Linear keeps them, and the loss of a batch."""

    def __init__(self, data, name):
        self.family = name.split("-")[0]
        self.weights = {
            name: torch.nn.Parameter(self.as_torch(name, torch.from_numpy(w)))
            for name, w in data.weights.items()
        }
        self.running = {name: torch.from_numpy(x).clone() for name, x in data.state.items()}
        self.inputs = {name: integers(torch.from_numpy(x)) for name, x in data.inputs.items()}
        self.targets = [integers(torch.from_numpy(labels)) for labels in data.targets]

    @staticmethod
    def as_torch(name, tensor):
        if not name.endswith("weight") or name == "class.weight":
            return tensor.clone()
        if tensor.dim() == 2:
            return tensor.t().contiguous()
        return tensor.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)

    def loss(self):
        return getattr(self, self.family)()

    # ---- Layers: name is that of the weights' scope -----------------------------------------------

    def dense(self, name, x):
        return functional.linear(x, self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias"))

    def norm(self, name, x):
        shift = self.weights.get(f"{name}.shift")
        scale = self.weights[f"{name}.scale"]
        if shift is None:
            return functional.rms_norm(x, scale.shape, scale, 1e-5)
        return functional.layer_norm(x, scale.shape, scale, shift, self.epsilon)

    def heads(self, x, heads):
        return x.unflatten(2, (heads, -1)).transpose(1, 2)

    @staticmethod
    def rotate(x, base=10000.0):
        """x [b, h, s, d]: element i is rotated with element i + d / 2."""
        half = x.shape[-1] // 2
        rates = base ** (-torch.arange(half, dtype=torch.float32) / half)
        angles = torch.arange(x.shape[-2], dtype=torch.float32)[:, None] * rates
        cos, sin = angles.cos(), angles.sin()
        a, b = x[..., :half], x[..., half:]
        return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)

    def attention(self, name, x, heads, kv_heads, causal, rope):
        q = self.heads(self.dense(f"{name}.query", x), heads)
        k = self.heads(self.dense(f"{name}.key", x), kv_heads)
        v = self.heads(self.dense(f"{name}.value", x), kv_heads)
        if rope:
            q, k = self.rotate(q), self.rotate(k)
        y = functional.scaled_dot_product_attention(
            q, k, v, is_causal=causal, enable_gqa=kv_heads != heads
        )
        return self.dense(f"{name}.output", y.transpose(1, 2).flatten(2))

    def hidden(self, name, x, activation):
        if f"{name}.gate.weight" in self.weights:
            y = functional.silu(self.dense(f"{name}.gate", x)) * self.dense(f"{name}.up", x)
        else:
            y = activation(self.dense(f"{name}.up", x))
        return self.dense(f"{name}.down", y)

    def block(self, name, x, heads, kv_heads=0, causal=False, rope=False, post=False, activation=None):
        attend = lambda y: self.attention(
            f"{name}.attention", y, heads, kv_heads or heads, causal, rope
        )
        think = lambda y: self.hidden(f"{name}.mlp", y, activation or functional.gelu)
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
        y = functional.conv2d(
            x.permute(0, 3, 1, 2), weight, self.weights[f"{name}.bias"], stride=weight.shape[-1]
        )
        return y.flatten(2).transpose(1, 2)

    def batch_norm(self, name, x):
        return functional.batch_norm(
            x,
            self.running[f"{name}.mean"],
            self.running[f"{name}.variance"],
            self.weights[f"{name}.scale"],
            self.weights[f"{name}.shift"],
            training=True,
            momentum=0.1,
        )

    def conv(self, name, x, stride=1):
        weight = self.weights[f"{name}.weight"]
        return functional.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)

    epsilon = 1e-5

    # ---- Families: loss of a batch ------------------------------------------------------------------

    def gpt2(self):
        ids = self.inputs["ids"]
        tanh = lambda y: functional.gelu(y, approximate="tanh")
        table = self.weights["tokens.table"]
        x = functional.embedding(ids, table) + self.weights["positions.table"]
        for name in self.blocks(""):
            x = self.block(name, x, 4, causal=True, activation=tanh)
        return self.cross_entropy([functional.linear(self.norm("norm", x), table)])

    def transformer(self):
        table = self.weights["tokens.table"]
        x = functional.embedding(self.inputs["ids"], table)
        for name in self.blocks(""):
            x = self.block(name, x, 4, kv_heads=2, causal=True, rope=True)
        return self.cross_entropy([functional.linear(self.norm("norm", x), table)])

    def bert(self):
        """Ids are never 0, so that no attention is masked."""
        self.epsilon = 1e-12
        table = self.weights["tokens.table"]
        x = functional.embedding(self.inputs["ids"], table) + self.weights["positions.table"]
        x = self.norm("norm", x)
        for name in self.blocks(""):
            x = self.block(name, x, 4, post=True)
        words = self.norm("words.norm", functional.gelu(self.dense("words.dense", x)))
        words = functional.linear(words, table, self.weights["words.bias"])
        pooled = torch.tanh(self.dense("class.pooler", x[:, 0]))
        return self.cross_entropy([words, self.dense("class.dense", pooled)])

    def vit(self):
        self.epsilon = 1e-6
        x = self.patches("patches", self.inputs["image"])
        token = self.weights["class.weight"].expand(x.shape[0], 1, -1)
        x = torch.cat((token, x), 1) + self.weights["positions.table"]
        for name in self.blocks(""):
            x = self.block(name, x, 4)
        return self.cross_entropy([self.dense("head", self.norm("norm", x[:, 0]))])

    def clip(self):
        x = self.patches("image.patches", self.inputs["pixels"])
        y = functional.embedding(self.inputs["ids"], self.weights["text.tokens.table"])
        pooled = []
        for tower, rows in (("image", x), ("text", y)):
            rows = rows + self.weights[f"{tower}.positions.table"]
            for name in self.blocks(f"{tower}."):
                rows = self.block(name, rows, 4)
            rows = self.norm(f"{tower}.norm", rows).mean(1)
            pooled.append(functional.normalize(self.dense(f"{tower}.projection", rows), dim=-1))
        scale = self.weights["temperature"].clamp(max=math.log(100)).exp()
        logits = scale * pooled[0] @ pooled[1].t()
        labels = torch.arange(logits.shape[0])
        ways = (functional.cross_entropy(way, labels) for way in (logits, logits.t()))
        return sum(ways) / 2

    def resnet(self):
        x = self.inputs["image"].permute(0, 3, 1, 2)
        x = functional.relu(self.batch_norm("stem_norm", self.conv("stem", x)))
        stage, block = 0, 0
        while f"stage_{stage}.block_{block}.conv_1.weight" in self.weights:
            name = f"stage_{stage}.block_{block}"
            stride = 2 if stage and not block else 1
            y = self.conv(f"{name}.conv_1", x, stride)
            y = functional.relu(self.batch_norm(f"{name}.norm_1", y))
            y = self.batch_norm(f"{name}.norm_2", self.conv(f"{name}.conv_2", y))
            if f"{name}.projection.weight" in self.weights:
                x = self.conv(f"{name}.projection", x, stride)
                x = self.batch_norm(f"{name}.projection_norm", x)
            x = functional.relu(x + y)
            block += 1
            if f"stage_{stage}.block_{block}.conv_1.weight" not in self.weights:
                stage, block = stage + 1, 0
        return self.cross_entropy([self.dense("head", x.mean((2, 3)))])

    def cross_entropy(self, outputs):
        return sum(
            functional.cross_entropy(logits.flatten(0, -2), labels.flatten())
            for logits, labels in zip(outputs, self.targets)
        )


def integers(tensor):
    """PyTorch takes labels as 64-bit integers only."""
    return tensor.long() if tensor.dtype == torch.int32 else tensor
