"""Adam as cases.mjs has it, and training by one compiled function for a whole step, which is given
its state's memory, as JAX's documents recommend."""

from functools import partial

import jax
import numpy
from jax import numpy as jnp
from line_protocol import fastest

RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-8


def mean_cross_entropy(logits, labels):
    chosen = jnp.take_along_axis(logits, labels[..., None], -1)[..., 0]
    return (jax.nn.logsumexp(logits, axis=-1) - chosen).mean()


def adam(weights, first, second, gradients, steps):
    """Returns the new weights and moments."""
    c1, c2 = 1 - BETA1**steps, 1 - BETA2**steps
    map_ = jax.tree.map
    first = map_(lambda m, g: BETA1 * m + (1 - BETA1) * g, first, gradients)
    second = map_(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, second, gradients)
    update = lambda w, m, v: w - RATE * (m / c1) / (jnp.sqrt(v / c2) + EPSILON)
    return map_(update, weights, first, second), first, second


def make_step(loss):
    """loss(weights, running, inputs) returns the loss and the new running statistics."""

    @partial(jax.jit, donate_argnums=0)
    def step(state, inputs):
        compute = jax.value_and_grad(loss, has_aux=True)
        (value, running), gradients = compute(state["weights"], state["running"], inputs)
        steps = state["steps"] + 1
        moved = adam(state["weights"], state["first"], state["second"], gradients, steps)
        weights, first, second = moved
        new = dict(weights=weights, first=first, second=second, running=running, steps=steps)
        return new, value

    return step


def one_by_one(step):
    """A call for each step."""

    def run(state, inputs, count):
        for _ in range(count):
            state, _ = step(state, inputs)
        return state

    return run


def in_one_call(step):
    """A loop that is compiled with the step."""

    @partial(jax.jit, donate_argnums=0)
    def run(state, inputs, count):
        return jax.lax.fori_loop(0, count, lambda _, state: step(state, inputs)[0], state)

    return run


TRIED_STEPS = 4


class Training:
    """Steps with the fastest of the ways [(name, step, run)], made by make_step and the above."""

    def __init__(self, ways, weights, running, inputs):
        self.weights, self.running = weights, running
        self.inputs = jax.tree.map(jnp.asarray, inputs)
        (self.advance, self.steps), self.variant = fastest(ways, self.trial)
        self.restart()

    def trial(self, advance, steps):
        self.advance, self.steps = advance, steps
        self.restart()
        self.run(1)
        return lambda: self.run(TRIED_STEPS)

    def restart(self):
        copies = partial(jax.tree.map, lambda array: jnp.array(array, copy=True))
        zeros = partial(jax.tree.map, lambda array: jnp.zeros(array.shape, jnp.float32))
        self.state = jax.block_until_ready(
            dict(
                weights=copies(self.weights),
                first=zeros(self.weights),
                second=zeros(self.weights),
                running=copies(self.running),
                steps=jnp.zeros((), jnp.float32),
            )
        )

    def run(self, count):
        self.state = jax.block_until_ready(self.steps(self.state, self.inputs, count))

    def results(self, count):
        self.restart()
        losses = []
        for _ in range(count):
            self.state, loss = self.advance(self.state, self.inputs)
            losses.append(loss)
        return numpy.array(losses, numpy.float32)
