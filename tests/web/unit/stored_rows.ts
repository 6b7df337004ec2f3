/** The rows in bench/results, as the page gets them: the reference, and files that a user adds. */
import { readdirSync, readFileSync } from 'node:fs';
import { unpack } from '../../../scripts/reference_rows.mjs';
import { resultSet } from '../../../web/src/result_file.js';
import type { ResultSet, Row } from '../../../web/src/rows.js';
import { type Shown, shownResults } from '../../../web/src/shown.js';
import type { AppState } from '../../../web/src/state.js';
import { row } from './sample_rows.js';

const folder = new URL('../../../bench/results/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
const isReference = (name: string) => name.startsWith('reference-');

const textOf = (name: string) => readFileSync(new URL(name, folder), 'utf8');

const rowsOf = (name: string): Row[] =>
  isReference(name)
    ? unpack(textOf(name))
    : textOf(name)
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));

/** Names of the files other than the reference. */
export const otherFiles: readonly string[] = names.filter((name) => !isReference(name));

const absent = { phase: 'absent' } as const;

type Given = Partial<Pick<AppState, 'native' | 'files' | 'browser' | 'reference'>>;

const shown = (given: Given): Shown =>
  shownResults({
    ...{
      native: absent,
      reference: absent,
      shared: absent,
      files: [],
      compared: [],
      browser: undefined,
    },
    ...given,
  } as unknown as AppState);

const fileOf = (name: string): ResultSet => resultSet(name, rowsOf(name));

const referenceOf = (kind?: 'native' | 'wasm') =>
  names
    .filter(isReference)
    .flatMap(rowsOf)
    .filter((row) => kind === undefined || (row.engine as { kind: string }).kind === kind);

const ready = (set: ResultSet) => ({ phase: 'ready', set }) as const;
const reference = () => ready(resultSet('reference', referenceOf(), 'reference'));
/** As if the rows of the reference had been measured here. */
const browser = () => resultSet('this browser', referenceOf('wasm'));
const native = () => ready(resultSet('native', referenceOf('native')));

/** Rows of scripts/start_up.mjs, with made-up times. */
const starts = () =>
  [
    ...['first result', 'navigation', 'script', 'module and worker', 'engine', 'first step'],
    'training',
  ].map((metric, i) => ({
    ...row({ suite: 'package', name: 'page opened to first result', program: 'parallax-nn' }),
    ...{ metric, unit: 'ms', parameters: {}, primary: i === 0 },
    samples: { count: 3, median: 7 * (i + 1), low: 6 * (i + 1), high: 8 * (i + 1) },
  }));

/** What the page shows in the situations that a visitor meets. */
export const situations: readonly (readonly [string, () => Shown])[] = [
  ['before anything ran', () => shown({ reference: reference() })],
  [
    'after a run without native results',
    () => shown({ reference: reference(), browser: browser() }),
  ],
  ['after such a run without a reference', () => shown({ browser: browser() })],
  ['after a run with native results', () => shown({ browser: browser(), native: native() })],
  ...otherFiles.map(
    (name) => [`with the file ${name}`, () => shown({ files: [fileOf(name)] })] as const,
  ),
  ['with the phases of a start', () => shown({ files: [resultSet('start.jsonl', starts())] })],
  ['with all files', () => shown({ files: otherFiles.map(fileOf) })],
];
