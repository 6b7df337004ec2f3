/**
 * Measures what V8's revectoriser, which joins neighbouring 128-bit operations into 256-bit ones,
 * does to each operation of a tier, and whether the bits stay the same. Two Node processes, with
 * and without --experimental-wasm-revectorize, take turns, so that a slow moment affects both.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { commandLine, Wrong, wholeNumber } from './options.mjs';

const USAGE = `usage: node scripts/revectorize.mjs [--node PROGRAM] [--tier TIER] [--turns N] [MODEL ...]

Compares training steps of models (default gpt2-nano and resnet-nano) with and without V8's flag
--experimental-wasm-revectorize: the time of each operation, and the bits of results.

  --node PROGRAM  the Node that runs them, 24 or later: older ones lack the flag (default: this one)
  --tier TIER     simd, simd-threads (default) or relaxed-threads
  --turns N       turns, 1 to 1000, of which the fastest counts (default 3)`;

const FLAG = '--experimental-wasm-revectorize';
const BATCH = 8;
/** Operations below this time, in ns, say more about the clock. */
const LEAST_NS = 1000;

/** In a child: answers each model on its input with a profile, and "bits" with hashes. */
async function serve(tier) {
  const { load } = await import('parallax-nn/bench');
  const plx = await load({ tier, threads: 1 });
  const answers = {
    async bits() {
      const rows = await plx.bench({ suites: ['bits'], size: 'quick', seconds: 0.01, rounds: 1 });
      return rows.map(({ case: name, checks }) => [name, checks.lossBits]);
    },
    async profile(model) {
      const { steps } = await plx.profile(model, { batchSize: BATCH, training: true });
      return steps.map(({ op, shape, method, nanoseconds, gflops, limit }) => ({
        name: [op, method, shape.join('x')].filter(Boolean).join(' '),
        ...{ nanoseconds, gflops, arithmetic: limit === 'arithmetic' },
      }));
    },
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const [call, argument] = JSON.parse(line);
    console.log(JSON.stringify(await answers[call](argument)));
  }
  plx.dispose();
}

/** A Node process that answers calls. */
class Child {
  constructor(node, flags, tier) {
    const self = fileURLToPath(import.meta.url);
    this.process = spawn(node, [...flags, self, '--serve', '--tier', tier], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const failed = once(this.process, 'error').then(([error]) => {
      throw new Wrong(`${node}: ${error.message}`);
    });
    const exited = once(this.process, 'exit').then(([code]) => {
      throw new Wrong(
        `${node} ended with ${code}: what it said stands above. It must be a Node that has ${FLAG}, and the models ` +
          'must exist.',
      );
    });
    /* Also of a process that has ended before it was asked anything. */
    this.ended = Promise.race([failed, exited]);
    this.ended.catch(() => {});
    this.process.stdin.on('error', () => {});
    this.lines = createInterface({ input: this.process.stdout });
  }

  async ask(...call) {
    this.process.stdin.write(`${JSON.stringify(call)}\n`);
    const [line] = await Promise.race([once(this.lines, 'line'), this.ended]);
    return JSON.parse(line);
  }
}

/** The least time of each kind of step in all turns: interference only slows down. */
function keepLeast(best, steps) {
  for (const { name, nanoseconds, gflops, arithmetic } of steps) {
    if (nanoseconds === 0) continue; // too short for this clock
    const known = best.get(name);
    if (known && known.nanoseconds <= nanoseconds) continue;
    best.set(name, { nanoseconds, rate: arithmetic ? gflops : undefined });
  }
}

function print(model, [without, joined]) {
  const rows = [...without]
    .filter(([, { nanoseconds }]) => nanoseconds >= LEAST_NS)
    .map(([name, { nanoseconds, rate }]) => {
      const other = joined.get(name);
      const both = rate && other.rate;
      const gflops = both ? `${rate.toFixed(0)} -> ${other.rate.toFixed(0)} GFLOP/s` : '';
      return { name, without: nanoseconds, joined: other.nanoseconds, gflops };
    })
    .sort((a, b) => b.without / b.joined - a.without / a.joined);
  console.log(`\n${model}, a training step of ${BATCH}${' '.repeat(20)}us without -> with, ratio`);
  for (const { name, without: a, joined: b, gflops } of rows) {
    const times = `${(a / 1000).toFixed(1)} -> ${(b / 1000).toFixed(1)}`;
    console.log(`${name.padEnd(44)} ${times.padEnd(22)} ${(a / b).toFixed(2)}  ${gflops}`);
  }
}

async function main({ node, tier, turns }, models) {
  const children = [[], [FLAG]].map((flags) => new Child(node, flags, tier));
  for (const model of models) {
    const best = children.map(() => new Map());
    for (let turn = 0; turn < turns; turn++)
      for (const [i, child] of children.entries())
        keepLeast(best[i], await child.ask('profile', model));
    print(model, best);
  }
  const [a, b] = await Promise.all(children.map((child) => child.ask('bits')));
  const same = JSON.stringify(a) === JSON.stringify(b);
  console.log(`\n${a.length} hashes of losses and results: ${same ? 'equal' : 'NOT EQUAL'}`);
  for (const child of children) child.process.stdin.end();
  process.exitCode = same || tier === 'relaxed-threads' ? 0 : 1;
}

const TIERS = ['simd', 'simd-threads', 'relaxed-threads'];
const { values, positionals } = commandLine(
  'revectorize',
  USAGE,
  {
    options: {
      node: { type: 'string', default: process.execPath },
      tier: { type: 'string', default: 'simd-threads' },
      turns: { type: 'string', default: '3' },
      serve: { type: 'boolean' },
    },
    allowPositionals: true,
  },
  ({ values, positionals }) => {
    if (!TIERS.includes(values.tier))
      throw new Wrong(`--tier must be one of ${TIERS.join(', ')}, not "${values.tier}".`);
    return {
      values: { ...values, turns: wholeNumber('turns', values.turns, 1, 1000) },
      positionals,
    };
  },
);
try {
  if (values.serve) await serve(values.tier);
  else await main(values, positionals.length > 0 ? positionals : ['gpt2-nano', 'resnet-nano']);
} catch (error) {
  /* One sentence: of a program that is not there, of a model that does not exist. */
  console.error(`revectorize: ${error.message}`);
  process.exit(error instanceof Wrong ? 2 : 1);
}
