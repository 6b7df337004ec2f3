"""PyTorch as an engine of scripts/peers: one command per line, one answer per line (see native.c)."""

import sys

import torch
from case_data import split
from line_protocol import fastest, python_version, serve
from torch.nn import functional
from torch_models import model_training
from torch_steps import Training, forget, forms, infer, try_compiler


class Product:
    def __init__(self, values, sizes, transposed):
        m, n, k = sizes
        ta, tb = transposed == "a", transposed == "b"
        arrays = split(values, (k, m) if ta else (m, k), (n, k) if tb else (k, n))
        self.a, self.b = map(torch.from_numpy, arrays)
        self.a = self.a.t() if ta else self.a
        self.b = self.b.t() if tb else self.b
        self.c = torch.empty(m, n)

    def restart(self):
        pass

    def run(self, count):
        with torch.inference_mode():
            for _ in range(count):
                torch.mm(self.a, self.b, out=self.c)

    def results(self, _):
        self.run(1)
        return self.c.numpy()


def sequence(data):
    """nn.Linear keeps [out, in] and is given a transposed copy."""
    modules = []
    for w, b in data.layers:
        layer = torch.nn.Linear(*w.shape)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(w).t())
            layer.bias.copy_(torch.from_numpy(b))
        modules += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


class Call:
    """The fastest way, [(name, call, result)], of computing something without gradients."""

    def __init__(self, ways):
        forget()
        choices = [
            (form_name, form, result)
            for name, call, result in ways
            for form_name, form in forms(call, name)
        ]
        (self.call, self.result), self.variant = fastest(choices, lambda call, _: infer(call))

    def restart(self):
        pass

    def run(self, count):
        with torch.inference_mode():
            for _ in range(count):
                self.output = self.call()

    def results(self, _):
        self.run(1)
        return self.result(self.output).contiguous().numpy()


def same(y):
    return y


def network(data, loss):
    model = sequence(data)
    x = torch.from_numpy(data.x)
    if loss is None:
        model.eval()
        return Call([("", lambda: model(x), same)])
    if loss == "mse":
        y = torch.from_numpy(data.y)
        return Training(lambda: functional.mse_loss(model(x), y), model.parameters())
    y = torch.from_numpy(data.y).long()
    return Training(lambda: functional.cross_entropy(model(x), y), model.parameters())


# ---- Single operations: [(name, call, result)] ----------------------------------------------------


def conv2d(values, n, h, w, channels, k, out, stride, pad, groups):
    shapes = (n, h, w, channels), (k, k, channels // groups, out), (out,)
    x, weights, bias = map(torch.from_numpy, split(values, *shapes))
    ways = []
    for name, form in (
        ("contiguous", torch.contiguous_format),
        ("channels_last", torch.channels_last),
    ):
        image = x.permute(0, 3, 1, 2).contiguous(memory_format=form)
        kernel = weights.permute(3, 2, 0, 1).contiguous(memory_format=form)
        call = lambda image=image, kernel=kernel: functional.conv2d(
            image, kernel, bias, stride, pad, 1, groups
        )
        ways.append((name, call, lambda y: y.permute(0, 2, 3, 1)))
    return ways


def attention(values, batch, length, heads, width):
    shape = (batch, length, heads * width)
    qkv = map(torch.from_numpy, split(values, shape, shape, shape))
    rows = [x.unflatten(2, (heads, width)).transpose(1, 2) for x in qkv]
    apart = [x.contiguous() for x in rows]
    back = lambda y: y.transpose(1, 2).reshape(shape)
    call = functional.scaled_dot_product_attention
    return [
        ("heads_apart", lambda: call(*apart), back),
        ("heads_in_rows", lambda: call(*rows), back),
    ]


def layer_norm(values, rows, width):
    shapes = (rows, width), (width,), (width,)
    x, scale, shift = map(torch.from_numpy, split(values, *shapes))
    return [("", lambda: functional.layer_norm(x, (width,), scale, shift, 1e-5), same)]


def softmax(values, rows, width):
    x = torch.from_numpy(values).view(rows, width)
    return [("", lambda: functional.softmax(x, -1), same)]


def gelu(values, rows, width):
    x = torch.from_numpy(values).view(rows, width)
    return [("", lambda: functional.gelu(x), same)]


def embedding(values, vocabulary, width, ids):
    table, chosen = map(torch.from_numpy, split(values, (vocabulary, width), (ids,)))
    chosen = chosen.view(torch.int32)
    return [("", lambda: functional.embedding(chosen, table), same)]


OPERATIONS = {
    "conv2d": conv2d,
    "attention": attention,
    "layer_norm": layer_norm,
    "softmax": softmax,
    "gelu": gelu,
    "embedding": embedding,
}


def main():
    torch.set_num_threads(int(sys.argv[1]))
    notes = try_compiler()
    about = {"version": torch.__version__, "runtime": python_version(), "notes": notes}
    serve(
        about,
        {
            "gemm": Product,
            "layers": network,
            "model": model_training,
            "op": lambda values, name, sizes: Call(OPERATIONS[name](values, *sizes)),
        },
    )


if __name__ == "__main__":
    main()
