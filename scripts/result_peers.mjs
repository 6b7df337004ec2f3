/** The sections of RESULTS.md beside other libraries, and README's table. */
import { cases } from '../bench/peers/cases.mjs';
import { summarise } from '../bench/peers/statistics.mjs';
import { judge, ONE_THREAD, targetsOf } from '../bench/peers/targets.mjs';
import { groupBy, ratioText, section, short, table, unique } from './result_text.mjs';

const isPeerRow = ({ file }) => file.startsWith('peers');
const isOurs = ({ engine }) => engine.name === 'parallax';
const where = ({ engine }) => (engine.runtime?.startsWith('Chromium') ? 'browser' : 'native');

/** The number of threads that all engines were asked for; one of them may have used fewer. */
const threadsOf = ({ parameters, engine }) => parameters.threads ?? engine.threads;

/** The groups of engines that are measured together. */
export const SIDES = ['native', 'browser'].flatMap((side) =>
  [1, 2].map((threads) => ({ where: side, threads })),
);

const ofSide = (rows, side) =>
  rows.filter(
    (row) => isPeerRow(row) && where(row) === side.where && threadsOf(row) === side.threads,
  );

/** Rows of one case on one side: our entries, and the peers'. */
function entriesOf(rows) {
  const entries = rows
    .filter(({ checks }) => checks.passed)
    .map((row) => ({
      row,
      engine: row.engine,
      ceiling: row.ceiling,
      ns: row.samples.values.map((value) => (row.better === 'lower' ? value : 1 / value)),
    }))
    .map((entry) => ({ ...entry, median: summarise(entry.ns).median }));
  return { ours: entries.filter(isOurs), peers: entries.filter((entry) => !isOurs(entry)) };
}

/** How many times as fast as the peer we are, round by round. */
const speed = (peer, own) => summarise(peer.ns.map((ns, round) => ns / own.ns[round]));

const NAMES = {
  [ONE_THREAD]: 'ours on one thread',
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

const tierOf = ({ engine }) => engine.tier ?? 'native';

/** Of variants of one peer (kernels, threads of its own) the fastest counts; of ours, each tier. */
function peerNamed(peers, name, own) {
  const named = peers.filter(({ engine }) => engine.name === name);
  return fastest(
    name === ONE_THREAD ? named.filter((peer) => tierOf(peer) === tierOf(own)) : named,
  );
}

function figure({ row }) {
  const value = row.samples.median;
  if (row.unit !== 'us') return `${short(value)} ${row.unit}`;
  return value < 1000 ? `${short(value)} us` : `${short(value / 1000)} ms`;
}

function figureAndShare({ row }) {
  const { ceiling } = row;
  const share = ceiling && !ceiling.failure ? ` (${Math.round(100 * ceiling.share)}%)` : '';
  return figure({ row }) + share;
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
    const beside = (name) => (own) => {
      const peer = peerNamed(peers, name, own);
      return peer ? ratioText(speed(peer, own)) : '-';
    };
    const has = (name) => peers.some(({ engine }) => engine.name === name);
    return [
      item.name,
      byTier(figureAndShare),
      ...names.map((name) => (has(name) ? byTier(beside(name)) : '-')),
    ];
  });
  const own = tiers.length > 1 ? `ours: ${tiers.join(' / ')}` : 'ours';
  return table(['case', own, ...names.map((name) => NAMES[name])], lines);
}

/** Some versions begin with the name. */
const titleOf = (name, version = '') =>
  version.startsWith(name) ? version : `${NAMES[name]} ${version}`.trim();

/** The peers' versions, and which of their variants was the fastest in how many cases. */
function peerLine(rows) {
  const chosen = casesOf(rows).flatMap(({ ours, peers }) =>
    ours.length
      ? unique(peers.map(({ engine }) => engine.name))
          .filter((name) => name !== ONE_THREAD)
          .map((name) => peerNamed(peers, name, ours[0])?.engine)
          .filter(Boolean)
      : [],
  );
  const texts = [...groupBy(chosen, ({ name, version }) => titleOf(name, version))].map(
    ([title, of]) => {
      const variants = [...groupBy(of, ({ variant }) => variant ?? '')].filter(([name]) => name);
      const counts = variants.map(([name, { length }]) => `"${name}" ${length}`);
      return counts.length ? `${title} (${counts.join(', ')})` : title;
    },
  );
  return `Peers, and in how many cases which of their variants was the fastest: ${texts.join('; ')}.`;
}

export const peerSections = (rows) =>
  SIDES.flatMap((side) => {
    const place = side.where === 'native' ? 'Natively' : 'In Chromium';
    const plural = side.threads > 1 ? 's' : '';
    const chosen = ofSide(rows, side);
    const bare = !chosen.some(({ ceiling }) => ceiling);
    return section(`${place}, ${side.threads} thread${plural}`, {
      about: bare && 'The ceiling was not measured beside these rows, so there are no percentages.',
      command: `scripts/peers --${side.where} --threads ${side.threads} --quick`,
      rows: chosen,
      all: rows,
      body: () => [peerTable(chosen), peerLine(chosen)],
    });
  });

/**
 * What the rows of a side say of each target, of our fastest tier: {side, name, what, verdict?}. The
 * best of several peers is not known while one of them was not there at all.
 */
export function peerTargets(rows) {
  return SIDES.flatMap((side) => {
    const chosen = ofSide(rows, side);
    const measured = new Map(casesOf(chosen).map((of) => [of.item.name, of]));
    const there = new Set(chosen.map(({ engine }) => engine.name));
    const known = (target, verdict) =>
      verdict?.met && target.among?.some((name) => !there.has(name)) ? undefined : verdict;
    return cases.flatMap((item) => {
      const { ours = [], peers = [] } = measured.get(item.name) ?? {};
      const own = fastest(ours);
      const times = (peer) => speed(peer, own).median;
      return targetsOf(item, side).map((target) => ({
        side: side.where,
        threads: side.threads,
        name: item.name,
        what: target.what,
        verdict: known(target, own && judge(target, own, peers, times)),
      }));
    });
  });
}

/** The cases of README's table. */
const SHOWN = ['1024 x 1024 x 1024', 'train 784-200-10, batch 64', 'train gpt2-nano, batch 16'];

export function readmeTable(rows) {
  const lines = [];
  for (const side of SIDES.filter(({ threads }) => threads === 1)) {
    for (const { item, ours, peers } of casesOf(ofSide(rows, side))) {
      const own = fastest(ours);
      const best = fastest(peers);
      if (!SHOWN.includes(item.name) || !own || !best) continue;
      lines.push([
        side.where === 'native' ? 'natively' : `Chromium, \`${tierOf(own)}\``,
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
