// The arguments of scripts/peers.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { cases } from './cases.mjs';
import { lengths } from './measure.mjs';

export const USAGE = `usage: scripts/peers [--native] [--browser] [--quick] [--case TEXT] [--threads N]
                     [--seed N] [--python FILE] [--jax FILE] [--json FILE] [--table FILE]
                     [--list] [--help]

Measures Parallax beside other libraries in alternating rounds, after comparing their outputs:
natively beside OpenBLAS, onnxruntime, PyTorch and JAX, and in one page of Chromium beside
onnxruntime-web, TensorFlow.js and jax-js. Covers products, predictions, training steps and single
operations; if a library has several ways to do something (PyTorch also compiles, OpenBLAS has
several kernels), the fastest is found first and named. Prints a table of ratios with their targets.

  --native        measure only natively
  --browser       measure only in the browser
  --quick         fewer and shorter rounds
  --case TEXT     only cases whose name contains TEXT; prints which these are
  --threads N     number of threads (default: 1, then 2 if there are two CPUs)
  --seed N        seed for weights, data and the order of engines (default 1)
  --python FILE   a Python interpreter with torch (default: python3, and PyTorch is left out where it
                  has none); torch.compile needs a C++ compiler and Python's headers
  --jax FILE      a Python interpreter with jax (default: JAX is left out)
  --json FILE     write rows of bench/results.schema.json here, one per line (default build/peers.jsonl)
  --table FILE    write the table here, too
  --list          print the names of the cases that would be measured, and measure nothing

Rows and table are written after every case, and kept when the measurement is interrupted. An engine
that ends in the middle of a case makes that case void for it and is started again for the next.

Exits with 0 when it measured, even if a target was missed; 1 when it could not; 2 for a wrong
argument; 130 when it was interrupted.`;

/** A wrong argument. */
export class Wrong extends Error {}

function parsed(root, args) {
  try {
    return parseArgs({
      args,
      options: {
        native: { type: 'boolean' },
        browser: { type: 'boolean' },
        quick: { type: 'boolean' },
        list: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        case: { type: 'string', default: '' },
        threads: { type: 'string' },
        seed: { type: 'string', default: '1' },
        python: { type: 'string' },
        jax: { type: 'string' },
        json: { type: 'string', default: join(root, 'build/peers.jsonl') },
        table: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new Wrong(`${error.message.split('.')[0]}; --help lists the options.`);
  }
}

const listed = (items) => items.map(({ name }) => `\n  ${name}`).join('');

function chosenCases(text) {
  const chosen = cases.filter((item) => item.name.includes(text));
  if (!chosen.length)
    throw new Wrong(`no case has "${text}" in its name; the cases are:${listed(cases)}`);
  return chosen;
}

export function readArguments(root, args) {
  const values = parsed(root, args);
  const seed = Number(values.seed);
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32)
    throw new Wrong(`--seed must be an integer from 0 to 4294967295, not "${values.seed}".`);
  const threads = Number(values.threads ?? 1);
  if (!Number.isInteger(threads) || threads < 1 || threads > 64)
    throw new Wrong(`--threads must be an integer from 1 to 64, not "${values.threads}".`);
  const both = !values.native && !values.browser;
  return {
    ...values,
    seed,
    threadCounts: values.threads ? [threads] : availableParallelism() > 1 ? [1, 2] : [1],
    chosen: chosenCases(values.case),
    native: both || values.native,
    browser: both || values.browser,
    method: { ...lengths[values.quick ? 'quick' : 'full'], seed },
  };
}

/** Which cases --case took. */
export const taken = ({ case: text, chosen }) =>
  `--case "${text}" takes ${chosen.length} of ${cases.length} cases:${listed(chosen)}`;
