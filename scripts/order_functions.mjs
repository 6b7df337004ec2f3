/**
 * Optimizes a WebAssembly module for size once more, and orders its functions so that similar ones
 * are neighbours, which makes the compressed module smaller: gzip finds repetition only within the
 * last 32 kB. Usage: node order_functions.mjs WASM-OPT FILE.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

/** What similarity is counted in: sequences of so many bytes. */
const RUNS = [5, 6];
/** How similarity weighs; see order. None of these is best for every module. */
const WEIGHTS = [
  { kept: 0.7, power: 0.2 },
  { kept: 0.7, power: 0.3 },
  { kept: 0.7, power: 0.4 },
  { kept: 0.8, power: 0.3 },
  { kept: 0.8, power: 0.4 },
  { kept: 0.8, power: 0.5 },
];

/** What the modules may contain beyond the first version of WebAssembly. */
const FEATURES = [
  ...['threads', 'bulk-memory', 'multivalue', 'mutable-globals', 'nontrapping-float-to-int'],
  ...['reference-types', 'relaxed-simd', 'sign-ext', 'simd'],
];

/** Reads a module's numbers, which have seven bits in each byte. */
class Reader {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }

  /** Returns so many bytes. */
  take(count) {
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }
}

function encoded(value) {
  const bytes = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}

/** Returns the contents of the section with this number. */
function section(module, wanted) {
  const reader = new Reader(module, 8);
  while (reader.at < module.length) {
    const [id] = reader.take(1);
    const content = reader.take(reader.number());
    if (id === wanted) return content;
  }
  throw new Error(`the module has no section ${wanted}`);
}

/** Returns the bytes of each function that the module defines. */
function bodiesOf(module) {
  const reader = new Reader(section(module, 10));
  return Array.from({ length: reader.number() }, () => reader.take(reader.number()));
}

/** Returns the number of functions that the module imports, which are numbered before its own. */
function importsOf(module) {
  const reader = new Reader(section(module, 2));
  const limits = () => {
    const [flags] = reader.take(1);
    reader.number();
    if (flags & 1) reader.number();
  };
  const skip = [
    () => reader.number(), // a function's type
    () => [reader.take(1), limits()], // a table
    limits, // a memory
    () => reader.take(2), // a global
  ];
  let functions = 0;
  for (let left = reader.number(); left > 0; left--) {
    for (const _ of ['module', 'name']) reader.take(reader.number());
    const [kind] = reader.take(1);
    skip[kind]();
    if (kind === 0) functions++;
  }
  return functions;
}

/** Maps each sequence of this many bytes to the functions in which it occurs. */
function occurrences(bodies, run) {
  const found = new Map();
  bodies.forEach((body, place) => {
    const own = new Set();
    for (let i = 0; i + run <= body.length; i++) own.add(body.latin1Slice(i, i + run));
    for (const bytes of own) {
      const places = found.get(bytes);
      if (places) places.push(place);
      else found.set(bytes, [place]);
    }
  });
  return [...found.values()].filter((places) => places.length > 1);
}

/**
 * Starts with the longest function. Next comes whichever shares most sequences with those before;
 * each function that lies between makes what is shared count less, by the factor `kept`. Short
 * functions share few, so their count weighs more: it is divided by their length to a power.
 */
function order(bodies, { run, kept, power }) {
  const shared = bodies.map(() => []);
  for (const places of occurrences(bodies, run))
    for (const place of places) shared[place].push(places);
  const counts = new Float64Array(bodies.length);
  const left = new Set(bodies.keys());
  let last = [...left].reduce((a, b) => (bodies[b].length > bodies[a].length ? b : a));
  const chosen = [last];
  left.delete(last);
  while (left.size > 0) {
    for (const place of left) counts[place] *= kept;
    for (const places of shared[last]) for (const place of places) counts[place]++;
    const before = bodies[last].length;
    const weight = (place) =>
      counts[place] / Math.min(bodies[place].length, before) ** power -
      Math.abs(bodies[place].length - before) * 1e-9;
    last = [...left].reduce((a, b) => (weight(b) > weight(a) ? b : a));
    chosen.push(last);
    left.delete(last);
  }
  return chosen;
}

function compressed(bytes) {
  return gzipSync(bytes, { level: 9 }).length;
}

/** Returns the order, of a few, in which the functions become smallest. */
function best(bodies) {
  const size = (chosen) =>
    gzipSync(Buffer.concat(chosen.map((i) => bodies[i])), { level: 9 }).length;
  const tried = RUNS.flatMap((run) => WEIGHTS.map((weight) => order(bodies, { run, ...weight })));
  const sizes = tried.map(size);
  return tried[sizes.indexOf(Math.min(...sizes))];
}

/** Returns a section with names that sort in this order. */
function names(chosen, imports) {
  const rank = new Map(chosen.map((place, i) => [place, String(i).padStart(6, '0')]));
  const entries = chosen.flatMap((_, place) => [
    ...encoded(imports + place),
    6,
    ...Buffer.from(rank.get(place)),
  ]);
  const map = [...encoded(chosen.length), ...entries];
  const content = [4, ...Buffer.from('name'), 1, ...encoded(map.length), ...map];
  return Buffer.from([0, ...encoded(content.length), ...content]);
}

const [wasmOpt, file] = process.argv.slice(2);
const optimize = (passes) =>
  execFileSync(wasmOpt, [
    ...['--mvp-features', ...FEATURES.map((feature) => `--enable-${feature}`)],
    ...[...passes, file, '-o', file],
  ]);
/* emcc runs these passes once; again, until nothing changes, they find a little more. */
optimize(['-Oz', '--converge']);
/* Calls hold the places of functions, so the second order starts from other bytes than the first. */
for (let round = 0; round < 2; round++) {
  const module = readFileSync(file);
  writeFileSync(file, Buffer.concat([module, names(best(bodiesOf(module)), importsOf(module))]));
  optimize([
    ...['--reorder-functions-by-name', '--strip-debug', '--optimize-stack-ir'],
    ...['--optimize-level=2', '--shrink-level=2'],
  ]);
  if (round > 0 && compressed(readFileSync(file)) > compressed(module)) writeFileSync(file, module);
}
