/**
 * Writes RESULTS.md, and the table of results in README.md, from the rows in bench/results, so that no
 * figure is copied by hand; and for each folder there, which holds rows of another machine, a document
 * in it. `scripts/results --check` fails where a document is not what the rows give. The rows are those
 * that the commands named in each section wrote, unchanged.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { judgeOther, others } from '../bench/peers/targets.mjs';
import { peerSections, peerTargets, readmeTable } from './result_peers.mjs';
import { suiteSections } from './result_suites.mjs';
import { groupBy, table, unique } from './result_text.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const readRows = (folder) =>
  readdirSync(folder)
    // Those of the reference machine are for the page.
    .filter((name) => name.endsWith('.jsonl') && !name.startsWith('reference-'))
    .sort()
    .flatMap((name) =>
      readFileSync(path.join(folder, name), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => ({ ...JSON.parse(line), file: name })),
    );

// ---- Targets ------------------------------------------------------------------------------------

const missedTable = (missed) =>
  table(
    ['side', 'threads', 'case', 'target'],
    missed.map(({ side, threads, name, verdict }) => [side, threads, name, verdict.sentence]),
  );

/** One line for all cases of a kind. */
function unmeasuredTable(unmeasured) {
  const kinds = groupBy(unmeasured, ({ side, threads, what }) => `${side}|${threads}|${what}`);
  return table(
    ['side', 'threads', 'target', 'cases'],
    [...kinds.values()].map((of) => {
      const [{ side, threads, what }] = of;
      return [side, threads, what, unique(of.map(({ name }) => name)).join('; ')];
    }),
  );
}

function targetSection(rows) {
  const own = others.map((target) => ({ ...target, verdict: judgeOther(target, rows) }));
  const all = [...peerTargets(rows), ...own];
  const measured = all.filter(({ verdict }) => verdict);
  const missed = measured.filter(({ verdict }) => !verdict.met);
  const unmeasured = all.filter(({ verdict }) => !verdict);
  const counts =
    `${measured.length - missed.length} of ${all.length} targets are met, ${missed.length} are missed, ` +
    `and ${unmeasured.length} were not measured.`;
  const about =
    'Of speeds, a target is a ratio within one run, of our fastest tier, or a share of the ceiling.';
  return [
    '## Targets not yet met\n',
    `${counts} ${about}\n`,
    ...(missed.length ? [`${missedTable(missed)}\n`] : []),
    ...(unmeasured.length
      ? ['Not measured in this run:\n', `${unmeasuredTable(unmeasured)}\n`]
      : []),
  ];
}

// ---- The documents ------------------------------------------------------------------------------

const INTRODUCTION = `# Results

Written by \`scripts/results\` from the rows in bench/results; do not edit.

Figures are medians. The engines of a comparison run in alternating rounds of one process or page, on
outputs that were compared first. A ratio says how many times as fast as the peer we are; the brackets
hold 95% of what the median can be. Of a peer's variants the fastest counts. A percentage is the share
of the **ceiling**: the multiply-adds a second that a loop in registers reaches on the same engine,
measured in every round beside the case. Cases without one do little arithmetic, or need less of it than
their rate counts, as Winograd's convolution does. Each section names the commit that was measured: what has changed
since then is in CHANGELOG.md, and not in its figures.
`;

/** others: paths of the documents about other machines. */
export function resultsDocument(rows, others = []) {
  const links = others.map((name) => `- [${name}](${name})`);
  return [
    INTRODUCTION,
    ...peerSections(rows),
    ...suiteSections(rows),
    ...targetSection(rows),
    ...(others.length ? ['## Other machines\n', ...links] : []),
  ]
    .join('\n')
    .replace(/\n*$/, '\n');
}

const BEGIN = '<!-- results: written by scripts/results -->';
const END = '<!-- end of results -->';

export function withTable(readme, rows) {
  const from = readme.indexOf(BEGIN);
  const to = readme.indexOf(END);
  if (from < 0 || to < from) throw new Error(`README.md lacks the lines "${BEGIN}" and "${END}"`);
  return `${readme.slice(0, from + BEGIN.length)}\n${readmeTable(rows)}\n${readme.slice(to)}`;
}

const RESULTS = 'bench/results';

/** The folders of bench/results, each with the rows of another machine. */
const otherMachines = (folder) =>
  readdirSync(path.join(folder, RESULTS), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${RESULTS}/${name}`)
    .sort();

/** All documents as the rows have them: {path, text}. */
export function documents(folder = root) {
  const rows = readRows(path.join(folder, RESULTS));
  const readme = path.join(folder, 'README.md');
  const others = otherMachines(folder).map((name) => ({
    name: `${name}/RESULTS.md`,
    text: resultsDocument(readRows(path.join(folder, name))),
  }));
  const main = resultsDocument(
    rows,
    others.map(({ name }) => name),
  );
  return [
    { path: path.join(folder, 'RESULTS.md'), text: main },
    { path: readme, text: withTable(readFileSync(readme, 'utf8'), rows) },
    ...others.map(({ name, text }) => ({ path: path.join(folder, name), text })),
  ];
}

const USAGE = `usage: scripts/results [--check] [--help]

Writes RESULTS.md and the table in README.md from the rows in bench/results, and RESULTS.md in each
folder there from the rows of another machine.

  --check  writes nothing; exits with 1 where a document is not what the rows give`;

const isWritten = ({ path: place, text }) =>
  existsSync(place) && readFileSync(place, 'utf8') === text;

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
    else if (!isWritten(document)) {
      console.error(
        `results: ${path.relative(root, document.path)} is not what the rows give: run scripts/results`,
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
