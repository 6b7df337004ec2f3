"""The data of cases as NumPy arrays, from the files that peer_data.mjs writes."""

import json
from dataclasses import dataclass, field

import numpy


def split(values, *shapes):
    """Arrays of these shapes, one after the other; then what is left, if anything."""
    at = 0
    for shape in shapes:
        size = int(numpy.prod(shape))
        yield values[at : at + size].reshape(shape)
        at += size
    if at < len(values):
        yield values[at:]


@dataclass
class Layers:
    """Fully connected layers [(w [in, out], b)] with inputs and, in training, targets."""

    layers: list
    x: numpy.ndarray
    y: numpy.ndarray = None


def layers(values, name, batch, loss):
    sizes = [int(size) for size in name.split("-")]
    shapes = [shape for i, o in zip(sizes, sizes[1:]) for shape in ((i, o), (o,))]
    arrays = list(split(values, *shapes, (batch, sizes[0])))
    weights, (x, *rest) = arrays[: len(shapes)], arrays[len(shapes) :]
    y = None
    if loss == "crossentropy":
        y = rest[0].view(numpy.int32)
    elif loss == "mse":
        y = rest[0].reshape(batch, sizes[-1])
    return Layers(list(zip(weights[::2], weights[1::2])), x, y)


@dataclass
class Model:
    """A model by name: weights and running statistics by name, inputs by port, labels of outputs."""

    weights: dict = field(default_factory=dict)
    state: dict = field(default_factory=dict)
    inputs: dict = field(default_factory=dict)
    targets: list = field(default_factory=list)


def model(values, batch, loss, manifest_file):
    with open(manifest_file, encoding="utf8") as file:
        manifest = json.load(file)
    outputs = manifest["outputs"] if loss == "crossentropy" else []
    arrays = split(
        values,
        *[weight["dims"] for weight in manifest["weights"]],
        *[[batch, *port["dims"]] for port in manifest["inputs"]],
        *[[batch, *port["dims"][:-1]] for port in outputs],
    )
    data = Model()
    for weight in manifest["weights"]:
        (data.state if weight["state"] else data.weights)[weight["name"]] = next(arrays)
    for port in manifest["inputs"]:
        x = next(arrays)
        data.inputs[port["name"]] = x.view(numpy.int32) if port["dtype"] == "int32" else x
    data.targets = [next(arrays).view(numpy.int32) for _ in outputs]
    return data
