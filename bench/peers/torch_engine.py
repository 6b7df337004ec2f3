"""PyTorch as an engine of scripts/peers: one command per line, one answer per line (see native.c)."""

import json
import sys
import time

import numpy
import torch
from torch.nn import functional
from torch_models import Model

WARM_UP = 2


class Product:
    def __init__(self, values, sizes):
        m, n, k = sizes
        self.a = torch.from_numpy(values[: m * k]).view(m, k)
        self.b = torch.from_numpy(values[m * k :]).view(k, n)
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


class Network:
    def __init__(self, values, model, batch, loss):
        sizes = [int(size) for size in model.split("-")]
        self.values, self.sizes, self.loss = values, sizes, loss
        at = sum((i + 1) * o for i, o in zip(sizes, sizes[1:]))
        self.x = torch.from_numpy(values[at : at + batch * sizes[0]]).view(batch, sizes[0])
        rest = values[at + batch * sizes[0] :]
        if loss == "crossentropy":
            self.y = torch.from_numpy(rest.view(numpy.int32).astype(numpy.int64))
        elif loss == "mse":
            self.y = torch.from_numpy(rest).view(batch, sizes[-1])
        self.restart()

    def restart(self):
        """Initial weights. nn.Linear keeps [out, in] and is given a transposed copy."""
        layers, at = [], 0
        for i, o in zip(self.sizes, self.sizes[1:]):
            layer = torch.nn.Linear(i, o)
            with torch.no_grad():
                w = torch.from_numpy(self.values[at : at + i * o]).view(i, o)
                layer.weight.copy_(w.t())
                layer.bias.copy_(torch.from_numpy(self.values[at + i * o : at + (i + 1) * o]))
            layers += [layer, torch.nn.ReLU()]
            at += (i + 1) * o
        self.model = torch.nn.Sequential(*layers[:-1])
        self.model.train(self.loss is not None)
        if self.loss:
            self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3, fused=True)

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        output = self.model(self.x)
        if self.loss == "mse":
            loss = functional.mse_loss(output, self.y)
        else:
            loss = functional.cross_entropy(output, self.y)
        loss.backward()
        self.optimizer.step()
        return loss

    def run(self, count):
        if self.loss:
            for _ in range(count):
                self.step()
            return
        with torch.inference_mode():
            for _ in range(count):
                self.output = self.model(self.x)

    def results(self, count):
        if self.loss:
            self.restart()
            return numpy.array([self.step().item() for _ in range(count)], numpy.float32)
        self.run(1)
        return self.output.numpy()


class Operation:
    """The ways of calling one operation, of which the fastest is kept."""

    def __init__(self, values, name, sizes):
        ways = getattr(self, name)(values, *sizes)
        with torch.inference_mode():
            times = [self.trial(call) for _, call, _ in ways]
        best = times.index(min(times))
        self.variant, self.call, self.result = ways[best]

    @staticmethod
    def trial(call):
        times = []
        for _ in range(9):
            start = time.perf_counter_ns()
            call()
            times.append(time.perf_counter_ns() - start)
        return min(times[2:])

    @staticmethod
    def split(values, *shapes):
        at = 0
        for shape in shapes:
            size = numpy.prod(shape)
            yield torch.from_numpy(values[at : at + size].reshape(shape))
            at += size

    def conv2d(self, values, n, h, w, channels, k, out, stride, pad, groups):
        x, weights, bias = self.split(
            values, (n, h, w, channels), (k, k, channels // groups, out), (out,)
        )
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

    def attention(self, values, batch, length, heads, width):
        shape = (batch, length, heads * width)
        rows = [x.unflatten(2, (heads, width)).transpose(1, 2) for x in self.split(values, *[shape] * 3)]
        apart = [x.contiguous() for x in rows]
        back = lambda y: y.transpose(1, 2).reshape(shape)
        call = functional.scaled_dot_product_attention
        return [
            ("heads_apart", lambda: call(*apart), back),
            ("heads_in_rows", lambda: call(*rows), back),
        ]

    def layer_norm(self, values, rows, width):
        x, scale, shift = self.split(values, (rows, width), (width,), (width,))
        return [("", lambda: functional.layer_norm(x, (width,), scale, shift, 1e-5), lambda y: y)]

    def softmax(self, values, rows, width):
        (x,) = self.split(values, (rows, width))
        return [("", lambda: functional.softmax(x, -1), lambda y: y)]

    def gelu(self, values, rows, width):
        (x,) = self.split(values, (rows, width))
        return [("", lambda: functional.gelu(x), lambda y: y)]

    def embedding(self, values, vocabulary, width, ids):
        table, chosen = self.split(values, (vocabulary, width), (ids,))
        chosen = torch.from_numpy(chosen.numpy().view(numpy.int32))
        return [("", lambda: functional.embedding(chosen, table), lambda y: y)]

    def restart(self):
        pass

    def run(self, count):
        with torch.inference_mode():
            for _ in range(count):
                self.output = self.call()

    def results(self, _):
        self.run(1)
        return self.result(self.output).contiguous().numpy()


def open_case(words):
    values = numpy.fromfile(words[-1], numpy.float32)
    if words[1] == "op":
        return Operation(values, words[2], [int(size) for size in words[3:-1]])
    if words[1] == "gemm":
        return Product(values, [int(size) for size in words[2:5]])
    loss = words[4] if words[1] == "train" else None
    if not words[2][0].isdigit():
        return Model(values, words[2], int(words[3]), loss, words[-1] + ".json")
    return Network(values, words[2], int(words[3]), loss)


def obey(work, words):
    """Returns the current case and the nanoseconds."""
    if words[0] == "open":
        return open_case(words), 0
    if words[0] == "close":
        return None, 0
    if words[0] == "restart":
        work.restart()
        work.run(WARM_UP)
    elif words[0] == "results":
        work.results(int(words[1])).tofile(words[2])
    elif words[0] == "run":
        start = time.perf_counter_ns()
        work.run(int(words[1]))
        return work, time.perf_counter_ns() - start
    return work, 0


def main():
    torch.set_num_threads(int(sys.argv[1]))
    python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    print(json.dumps({"version": torch.__version__, "runtime": python}), flush=True)
    work = None
    for line in sys.stdin:
        try:
            work, ns = obey(work, line.split())
            print("ok", ns, getattr(work, "variant", ""), flush=True)
        except Exception as error:  # reported in the table instead of ending the process
            print("error", str(error).replace("\n", " "), flush=True)


if __name__ == "__main__":
    main()
