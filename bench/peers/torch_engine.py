"""PyTorch as an engine of scripts/peers: one command a line, one answer a line (see native.c)."""

import json
import sys
import time

import numpy
import torch
from torch.nn import functional

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


def open_case(words):
    values = numpy.fromfile(words[-1], numpy.float32)
    if words[1] == "gemm":
        return Product(values, [int(size) for size in words[2:5]])
    return Network(values, words[2], int(words[3]), words[4] if words[1] == "train" else None)


def obey(work, words):
    """Returns the case at work and the nanoseconds."""
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
            print("ok", ns, flush=True)
        except Exception as error:  # told in the table instead of ending the process
            print("error", str(error).replace("\n", " "), flush=True)


if __name__ == "__main__":
    main()
