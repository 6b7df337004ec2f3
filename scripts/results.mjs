/**
 * Writes RESULTS.md, and the table of results in README.md, from the rows in bench/results, so that no
 * figure is copied by hand. `scripts/results --check` fails where a document is not what the rows
 * give. The rows are those that the commands named in each section wrote, unchanged.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { cases } from '../bench/peers/cases.mjs';
import { summarise } from '../bench/peers/statistics.mjs';
import { verdicts } from '../bench/peers/targets.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const readRows = (folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .flatMap((name) =>
      readFileSync(path.join(folder, name), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => ({ ...JSON.parse(line), file: name })),
    );

// ---- Text ---------------------------------------------------------------------------------------

const table = (head, lines) =>
  [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** Three digits, without an exponent. */
const short = (value) => {
  const text = value.toPrecision(3);
  return text.includes('e') ? String(Math.round(value)) : text;
};

const unique = (values) => [...new Set(values)];

/** What a section's rows were measured on, and with what. */
function provenance(rows) {
  const machines = unique(
    rows.map(({ machine: { name, vendor, cpus, system } }) => {
      const maker = vendor && !name.includes(vendor) ? ` (${vendor})` : '';
      return `${name}${maker}, ${cpus} CPUs, ${system}`;
    }),
  );
  const commits = unique(rows.map(({ commit }) => commit));
  const dates = unique(rows.map(({ date }) => date.slice(0, 10)));
  return `Measured on ${machines.join('; ')}; commit ${commits.join(', ')}; ${dates.join(', ')}.`;
}

// ---- Beside other libraries ---------------------------------------------------------------------

const isPeerRow = ({ file }) => file.startsWith('peers');
const isOurs = ({ engine }) => engine.name === 'parallax';
const where = ({ engine }) => (engine.runtime?.startsWith('Chromium') ? 'browser' : 'native');

/** Rows of one case on one side with one number of threads: our entries, and the peers'. */
function entriesOf(rows) {
  const entries = rows
    .filter(({ checks }) => checks.passed)
    .map((row) => ({
      row,
      engine: { ...row.engine, ceiling: row.ceiling?.gflops },
      ns: row.samples.values.map((value) => (row.better === 'lower' ? value : 1 / value)),
    }))
    .map((entry) => ({ ...entry, median: summarise(entry.ns).median }));
  return { ours: entries.filter(isOurs), peers: entries.filter((entry) => !isOurs(entry)) };
}

/** How many times as fast as the peer we are, round by round. */
const speed = (peer, own) => summarise(peer.ns.map((ns, round) => ns / own.ns[round]));

const NAMES = {
  OpenBLAS: 'OpenBLAS',
  'onnxruntime-node': 'onnxruntime',
  PyTorch: 'PyTorch',
  JAX: 'JAX',
  'onnxruntime-web': 'onnxruntime-web',
  'tfjs-backend-wasm': 'TensorFlow.js (wasm)',
  'jax-js': 'jax-js',
};

const fastest = (entries) =>
  entries.reduce((best, entry) => (!best || entry.median < best.median ? entry : best), undefined);

/** Of variants of one peer (kernels, threads of its own) the fastest counts. */
const peerNamed = (peers, name) => fastest(peers.filter(({ engine }) => engine.name === name));

function figure({ row }) {
  const value = row.samples.median;
  const share = row.ceiling ? ` (${Math.round(100 * row.ceiling.share)}%)` : '';
  if (row.unit !== 'us') return `${short(value)} ${row.unit}${share}`;
  return value < 1000 ? `${short(value)} us` : `${short(value / 1000)} ms`;
}

const ratioText = ({ median, low, high }) =>
  `${median.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`;

const tierOf = ({ engine }) => engine.tier ?? 'native';

function groupBy(rows, key) {
  const groups = new Map();
  for (const row of rows) groups.set(key(row), [...(groups.get(key(row)) ?? []), row]);
  return groups;
}

const itemNamed = (name) => cases.find((item) => item.name === name);

/** The rows in the order of the cases; cases that are gone are an error. */
function casesOf(rows) {
  const groups = groupBy(rows, (row) => row.case);
  for (const name of groups.keys())
    if (!itemNamed(name)) throw new Error(`bench/results has rows of "${name}", which is no case`);
  return cases
    .filter(({ name }) => groups.has(name))
    .map((item) => ({ item, ...entriesOf(groups.get(item.name)) }));
}

function peerTable(rows) {
  const names = Object.keys(NAMES).filter((name) =>
    rows.some(({ engine }) => engine.name === name),
  );
  const tiers = unique(rows.filter(isOurs).map(tierOf));
  const lines = casesOf(rows).map(({ item, ours, peers }) => {
    /* One cell for all tiers: what is void in one of them leaves a dash in its place. */
    const byTier = (text) =>
      tiers
        .map((tier) => ours.find((entry) => tierOf(entry) === tier))
        .map((own) => (own ? text(own) : '-'))
        .join(' / ');
    return [
      item.name,
      byTier(figure),
      ...names.map((name) => {
        const peer = peerNamed(peers, name);
        return peer ? byTier((own) => ratioText(speed(peer, own))) : '-';
      }),
    ];
  });
  const own = tiers.length > 1 ? `ours: ${tiers.join(' / ')}` : 'ours';
  return table(['case', own, ...names.map((name) => NAMES[name])], lines);
}

function peerSections(rows) {
  const groups = groupBy(rows.filter(isPeerRow), (row) => `${where(row)} ${row.engine.threads}`);
  const texts = [];
  for (const side of ['native', 'browser'])
    for (const threads of [1, 2]) {
      const chosen = groups.get(`${side} ${threads}`);
      if (!chosen) continue;
      const place = side === 'native' ? 'Natively' : 'In Chromium';
      texts.push(
        `## ${place}, ${threads} thread${threads > 1 ? 's' : ''}\n`,
        `\`scripts/peers --${side} --quick\`. ${provenance(chosen)}\n`,
        `${peerTable(chosen)}\n`,
      );
    }
  return texts;
}

/** What each comparison says of its target, of our best tier. */
function targetLines(rows) {
  const lines = [];
  const groups = groupBy(rows.filter(isPeerRow), (row) => `${where(row)} ${row.engine.threads}`);
  for (const [group, chosen] of groups) {
    const [side, threads] = group.split(' ');
    for (const { item, ours, peers } of casesOf(chosen)) {
      const own = fastest(ours);
      if (!own) continue;
      const about = item.suite === 'models' ? { ...item, manifest: true } : item;
      const told = verdicts(about, side, own, peers, (peer) => speed(peer, own).median);
      for (const sentence of told)
        lines.push({
          side,
          threads,
          name: item.name,
          sentence,
          missed: sentence.includes('missed'),
        });
    }
  }
  return lines;
}

function targetSection(rows) {
  const lines = targetLines(rows);
  if (!lines.length) return [];
  const missed = lines.filter((line) => line.missed);
  return [
    '## Targets not yet met\n',
    `${lines.length - missed.length} of ${lines.length} targets are met. ` +
      'A target is a ratio of speeds within one run, of our fastest tier; these are missed:\n',
    `${table(
      ['side', 'threads', 'case', 'target'],
      missed.map(({ side, threads, name, sentence }) => [side, threads, name, sentence]),
    )}\n`,
  ];
}

// ---- What models reach --------------------------------------------------------------------------

const SPEEDS = [
  'training time',
  'throughput',
  'arithmetic',
  "share of the arithmetic's peak",
  'tokens',
];

/** Of what was held out: neither a figure of speed nor the loss of the last step. */
const isMeasure = ({ metric, unit }) =>
  !SPEEDS.includes(metric) && !(metric === 'loss' && unit === '1');

function trainSection(rows) {
  const chosen = rows.filter(({ suite }) => suite === 'train');
  if (!chosen.length) return [];
  const lines = [];
  for (const [task, of] of groupBy(chosen, (row) => row.case)) {
    for (const row of of.filter(isMeasure))
      lines.push([
        task,
        row.metric,
        `${short(row.samples.median)}${row.unit === '1' ? '' : ` ${row.unit}`}`,
        row.checks.steps ?? '-',
      ]);
  }
  return [
    '## What the models reach\n',
    '`parallax train NAME --quick`, on data that was held out. All data but MNIST are synthetic, made ' +
      `from a seed. ${provenance(chosen)}\n`,
    `${table(['task', 'measure', 'value', 'steps'], lines)}\n`,
  ];
}

// ---- Accuracy -----------------------------------------------------------------------------------

function accuracySection(rows) {
  const chosen = rows.filter(
    ({ suite, metric }) => suite === 'accuracy' && metric === 'largest error in ULP',
  );
  if (!chosen.length) return [];
  const lines = chosen.map((row) => [row.case, row.samples.median.toFixed(2), row.engine.isa]);
  return [
    '## Accuracy\n',
    'The largest error of each function over its range, in units in the last place (ULP), against ' +
      `double precision. \`parallax bench accuracy\`. ${provenance(chosen)}\n`,
    `${table(['function', 'largest error, ULP', 'target'], lines)}\n`,
  ];
}

// ---- The documents ------------------------------------------------------------------------------

const INTRODUCTION = `# Results

Written by \`scripts/results\` from the rows in bench/results; do not edit.

Figures are medians. The engines of a comparison run in alternating rounds of one process or page, on
outputs that were compared first. A ratio says how many times as fast as the peer we are; the brackets
hold 95% of what the median can be. Of a peer's variants the fastest counts. A percentage is the share
of the **ceiling**: the multiply-adds a second that a loop in registers reaches on the same machine
in the same run.
`;

export function resultsDocument(rows) {
  return [
    INTRODUCTION,
    ...peerSections(rows),
    ...trainSection(rows),
    ...accuracySection(rows),
    ...targetSection(rows),
  ]
    .join('\n')
    .replace(/\n+$/, '\n');
}

/** The cases of README's table. */
const SHOWN = ['1024 x 1024 x 1024', 'train 784-200-10, batch 64', 'train gpt2-nano, batch 16'];

export function readmeTable(rows) {
  const lines = [];
  for (const side of ['native', 'browser']) {
    const chosen = rows.filter(
      (row) => isPeerRow(row) && where(row) === side && row.engine.threads === 1,
    );
    for (const { item, ours, peers } of casesOf(chosen)) {
      const own = fastest(ours);
      const best = fastest(peers);
      if (!SHOWN.includes(item.name) || !own || !best) continue;
      lines.push([
        side === 'native' ? 'natively' : `Chromium, \`${tierOf(own)}\``,
        item.suite === 'gemm' ? `product of matrices, ${item.name}` : `${item.name}, a step`,
        figure(own),
        `${speed(best, own).median.toFixed(2)} times as fast as ${NAMES[best.engine.name]}`,
      ]);
    }
  }
  const machines = unique(rows.filter(isPeerRow).map(({ machine }) => machine.name));
  return `${table(['where', 'what', 'ours', 'beside the fastest other'], lines)}

One thread, on ${machines.join(' and ')}; medians of alternating rounds (\`scripts/peers --quick\`).`;
}

const BEGIN = '<!-- results: written by scripts/results -->';
const END = '<!-- end of results -->';

export function withTable(readme, rows) {
  const from = readme.indexOf(BEGIN);
  const to = readme.indexOf(END);
  if (from < 0 || to < from) throw new Error(`README.md lacks the lines "${BEGIN}" and "${END}"`);
  return `${readme.slice(0, from + BEGIN.length)}\n${readmeTable(rows)}\n${readme.slice(to)}`;
}

/** Both documents as the rows have them: {path, text}. */
export function documents(folder = root) {
  const rows = readRows(path.join(folder, 'bench/results'));
  const readme = path.join(folder, 'README.md');
  return [
    { path: path.join(folder, 'RESULTS.md'), text: resultsDocument(rows) },
    { path: readme, text: withTable(readFileSync(readme, 'utf8'), rows) },
  ];
}

const USAGE = `usage: scripts/results [--check] [--help]

Writes RESULTS.md and the table in README.md from the rows in bench/results.

  --check  writes nothing; exits with 1 where a document is not what the rows give`;

function main(args) {
  if (args.includes('--help')) return console.log(USAGE);
  const unknown = args.find((argument) => argument !== '--check');
  if (unknown) {
    console.error(`results: unknown argument "${unknown}"; --help lists what there is.`);
    process.exitCode = 2;
    return;
  }
  for (const document of documents()) {
    if (!args.includes('--check')) writeFileSync(document.path, document.text);
    else if (readFileSync(document.path, 'utf8') !== document.text) {
      console.error(
        `results: ${path.basename(document.path)} is not what the rows give: run scripts/results`,
      );
      process.exitCode = 1;
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    console.error(`results: ${error.message}`);
    process.exitCode = 1;
  }
}
