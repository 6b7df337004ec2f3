"""Eager and compiled forms of a function in PyTorch, and training with the faster of them."""

import os

# Left running, the compiler's own processes would disturb what is measured after it.
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")

import numpy
import torch
from line_protocol import fastest, first_line

MODES = {"compiled": "default", "compiled, max-autotune": "max-autotune-no-cudagraphs"}

_compiles = False


def try_compiler():
    """Returns the sentences that say why nothing can be compiled; none if it can."""
    global _compiles
    try:
        torch.compile(lambda x: (x * 2).sin(), dynamic=False)(torch.ones(8))
        _compiles = True
        return []
    except Exception as error:  # without a C++ compiler or Python's headers, for example
        return [f"PyTorch runs eagerly only, since torch.compile fails: {first_line(error)}"]


def forget():
    """To be called first by each case: what is compiled is kept by code, so that cases would add up
    to the limit above which the compiler gives up."""
    torch.compiler.reset()


def forms(function, name=""):
    """[(name, function)]: as it is and, where that is possible, compiled for its exact shapes."""
    join = lambda *names: ", ".join(filter(None, names))
    ways = [(join(name, "eager") if _compiles else name, function)]
    for mode_name, mode in MODES.items() if _compiles else ():
        ways.append((join(name, mode_name), torch.compile(function, dynamic=False, mode=mode)))
    return ways


def infer(call):
    """call, as it is timed: called once, since the first call compiles."""

    def timed():
        with torch.inference_mode():
            return call()

    timed()
    return timed


class Training:
    """Steps of Adam on the loss that a function computes from tensors that stay in place."""

    def __init__(self, loss, parameters, running=()):
        forget()
        self.parameters = list(parameters)
        self.tensors = [*self.parameters, *running]
        self.initial = [tensor.detach().clone() for tensor in self.tensors]
        (self.loss,), self.variant = fastest(forms(loss), self.trial)
        self.restart()

    def trial(self, loss):
        self.loss = loss
        self.restart()
        self.step()
        return self.step

    def restart(self):
        with torch.no_grad():
            for tensor, initial in zip(self.tensors, self.initial):
                tensor.copy_(initial)
        self.optimizer = torch.optim.Adam(self.parameters, lr=1e-3, fused=True)

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss()
        loss.backward()
        self.optimizer.step()
        return loss

    def run(self, count):
        for _ in range(count):
            self.step()

    def results(self, count):
        self.restart()
        return numpy.array([self.step().item() for _ in range(count)], numpy.float32)
