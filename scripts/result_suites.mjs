/** The sections of RESULTS.md about what `parallax` and the package's own scripts measure. */
import { fusedSpeed } from '../bench/peers/targets.mjs';
import { groupBy, ratioText, section, short, table } from './result_text.mjs';

const ofSuite = (rows, name) => rows.filter(({ suite }) => suite === name);

// ---- Latency ------------------------------------------------------------------------------------

/** The columns of the suite inference: what its metrics are called, and what the table calls them. */
const VARIANTS = [
  ['latency, p50', 'latency, p99', 'ours'],
  ['p50 without packing', 'p99 without packing', 'without packing'],
  ['p50 without folding', 'p99 without folding', 'without folding'],
  ['p50 without fusion', 'p99 without fusion', 'without fusion'],
  ['p50 on one thread', 'p99 on one thread', 'on one thread'],
  ['p50 before all', 'p99 before all', 'none of them'],
];

function latencyTable(rows) {
  const lines = [...groupBy(rows, (row) => row.case)].map(([name, of]) => {
    const text = (metric) => {
      const row = of.find((one) => one.metric === metric && one.checks.passed);
      return row ? short(row.samples.median) : '-';
    };
    return [name, ...VARIANTS.map(([median, tail]) => `${text(median)} / ${text(tail)}`)];
  });
  return table(['model', ...VARIANTS.map(([, , name]) => name)], lines);
}

const engineOf = ({ engine: { kind, runtime, tier, isa, threads } }) =>
  [
    kind === 'native' ? 'Natively' : `In ${runtime ?? 'WebAssembly'}`,
    tier ?? isa,
    `${threads} thread${threads > 1 ? 's' : ''}`,
  ].join(', ');

/** How many calls stand behind the figures. */
function callsSentence(rows) {
  const counts = rows.map(({ calls }) => calls?.count).filter(Boolean);
  if (!counts.length) return '';
  const few = counts.filter((count) => count < 1000).length;
  return (
    `Behind them are ${Math.min(...counts)} to ${Math.max(...counts)} calls each: the suite's default size stops after ` +
    `two seconds, at fewer than 1,000 calls for ${few} of ${counts.length} figures; --full (39 min) makes 1,000 or more.`
  );
}

const latencySection = (rows) =>
  section('Latency of predictions', {
    about:
      'Microseconds of a single prediction, 50th / 99th percentile, as plans are deployed and without one ' +
      `of their parts at a time. ${callsSentence(ofSuite(rows, 'inference'))}`,
    command: 'parallax bench inference',
    rows: ofSuite(rows, 'inference'),
    all: rows,
    body: (chosen) =>
      [...groupBy(chosen, engineOf)].flatMap(([title, of]) => [`${title}:`, latencyTable(of)]),
  });

// ---- Fusion -------------------------------------------------------------------------------------

function fusionTable(rows) {
  const lines = [...groupBy(rows, (row) => row.case)].flatMap(([name, of]) => {
    const samples = (metric) => of.find((row) => row.metric === metric)?.samples;
    const share = samples('fused / unfused');
    if (!share) return [];
    const ms = (metric) => {
      const found = samples(metric);
      return found ? `${short(found.median)} ms` : '-';
    };
    const ends =
      share.low > 0 && share.high > 0 ? { low: 1 / share.high, high: 1 / share.low } : {};
    const times = ratioText({ median: 1 / share.median, ...ends });
    return [[name, ms('step time'), ms('step time without fusion'), times]];
  });
  return table(['case', 'fused', 'unfused', 'times as fast'], lines);
}

function fusionSection(rows) {
  const steps = ofSuite(rows, 'models').filter(({ checks }) => checks.passed);
  const fused = groupBy(steps, (row) => row.case);
  const chosen = [...fused.values()]
    .filter((of) => of.some(({ metric }) => metric === 'fused / unfused'))
    .flat();
  const mean = fusedSpeed(rows);
  return section('Training steps with and without fusion', {
    command: 'parallax bench models --cases step',
    rows: chosen,
    all: rows,
    body: (of) => [
      fusionTable(of),
      mean
        ? `The geometric mean is ${mean.toFixed(2)}.`
        : 'There is no geometric mean, since not every model was measured.',
    ],
  });
}

// ---- The package --------------------------------------------------------------------------------

const sizeSection = (rows) =>
  section('Downloads', {
    about: 'What each entry of the package fetches, after gzip.',
    command: 'node scripts/package_sizes.mjs',
    rows: rows.filter(({ suite, metric }) => suite === 'package' && metric === 'download'),
    all: rows,
    body: (chosen) => [
      table(
        ['entry', 'tier', 'kB'],
        chosen.map((row) => [row.case, row.engine.tier, (row.samples.median / 1000).toFixed(1)]),
      ),
    ],
  });

const startSection = (rows) =>
  section('Start of a page', {
    about:
      'The smallest page, opened in an empty tab, to its first result: a network that has learnt XOR, ' +
      'and a prediction of a small convolutional network.',
    command: 'node scripts/start_up.mjs',
    rows: rows.filter(
      ({ suite, metric }) =>
        suite === 'package' && ['first result', 'first prediction'].includes(metric),
    ),
    all: rows,
    body: (chosen) => [
      table(
        ['page', 'median', '10th to 90th percentile'],
        chosen.map(({ case: name, samples: { median, p10, p90 } }) => [
          name,
          `${short(median)} ms`,
          `${short(p10)} to ${short(p90)} ms`,
        ]),
      ),
    ],
  });

// ---- Wider targets ------------------------------------------------------------------------------

const inversionSection = (rows) =>
  section('Wider kernel targets', {
    about:
      'Each case is compared on each two targets: how many of these pairs take longer on the wider one, by more than 3% ' +
      'and than their intervals. The command prints them.',
    command: 'scripts/inversions',
    rows: ofSuite(rows, 'inversions').filter(({ metric }) => metric === 'slower on a wider target'),
    all: rows,
    body: (chosen) => [
      table(
        ['suites', 'targets', 'pairs', 'slower'],
        chosen.map(({ case: name, parameters, samples }) => [
          name,
          parameters.targets,
          parameters.compared,
          samples.median,
        ]),
      ),
    ],
  });

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

function trainLines(rows) {
  return [...groupBy(rows, (row) => row.case)].flatMap(([task, of]) =>
    of
      .filter(isMeasure)
      .map((row) => [
        task,
        row.metric,
        `${short(row.samples.median)}${row.unit === '1' ? '' : ` ${row.unit}`}`,
        row.checks.steps ?? '-',
      ]),
  );
}

const trainSection = (rows) =>
  section('What the models reach', {
    about: 'On data that was held out. All data but MNIST are synthetic, made from a seed.',
    command: 'parallax train NAME --quick',
    rows: ofSuite(rows, 'train'),
    all: rows,
    body: (chosen) => [table(['task', 'measure', 'value', 'steps'], trainLines(chosen))],
  });

// ---- Accuracy -----------------------------------------------------------------------------------

const accuracySection = (rows) =>
  section('Accuracy', {
    about:
      'The largest error of each function over its range, in units in the last place (ULP), against ' +
      'double precision.',
    command: 'parallax bench accuracy',
    rows: ofSuite(rows, 'accuracy').filter(({ metric }) => metric === 'largest error in ULP'),
    all: rows,
    body: (chosen) => [
      table(
        ['function', 'largest error, ULP', 'target'],
        chosen.map((row) => [row.case, row.samples.median.toFixed(2), row.engine.isa]),
      ),
    ],
  });

export const suiteSections = (rows) =>
  [
    latencySection,
    fusionSection,
    sizeSection,
    startSection,
    inversionSection,
    trainSection,
    accuracySection,
  ].flatMap((make) => make(rows));
