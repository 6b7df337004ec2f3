/** The defaults of optimizers that the types state are those of the table. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { rowsOf, textOf } from '../../wasm/tables.mjs';

const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');
const MACROS = [...read('../../src/parallax.def').matchAll(/^#ifndef (PLX_\w+)/gm)];
const rows = rowsOf(
  'parallax.def',
  read('../../src/parallax.def'),
  MACROS.map(([, macro]) => macro),
).filter(({ macro }) => macro === 'PLX_OPTIMIZER');
const types = read('../../wasm/dist/index.d.mts').replace(/\n +\* /g, ' ');

/** How the types write the names of optimizers, in the order of their sentences. */
const NAMES = { sgd: 'SGD', adam: 'Adam', adamw: 'AdamW', lion: 'Lion', rmsprop: 'RMSprop' };

/** Returns "SGD and RMSprop 0.01, Adam and AdamW 0.001" for a column; zeros are left out. */
function sentence(column) {
  const groups = new Map();
  for (const { parts } of rows) {
    const value = Number(parts[column]);
    if (value !== 0) groups.set(value, [...(groups.get(value) ?? []), NAMES[textOf(parts[1])]]);
  }
  return [...groups]
    .map(([value, names]) => {
      const list = [names.slice(0, -1).join(', '), names.at(-1)].filter(Boolean).join(' and ');
      return `${list} ${value === 1e-8 ? '1e-8' : value}`;
    })
    .join(', ');
}

for (const [option, column] of Object.entries({
  rate: 2,
  beta1: 3,
  beta2: 4,
  epsilon: 5,
  weightDecay: 6,
}))
  it(`${option} has the defaults that its comment states`, () => {
    const [comment] = new RegExp(`/\\*\\*(?:(?!\\*/)[^])*\\*/\\s*${option}\\?: number;`).exec(
      types,
    );
    assert.ok(
      comment.includes(`(default: ${sentence(column)})`),
      `${sentence(column)}: ${comment}`,
    );
  });
