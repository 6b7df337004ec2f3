/** The training run that is shown, for repeating it elsewhere: as a command and as a program. */
import type { TrainingChoice } from './training.js';

/** What a task was given to learn from, and the name of the user's own file. */
export interface GivenData {
  takes: string | undefined;
  file: string | undefined;
}

const quote = (text: string): string =>
  /^[\w./:=,+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** The command that trains natively in the same way. */
export function commandOf(choice: TrainingChoice, { takes, file }: GivenData): string {
  const { task, size, seed, steps, batchSize, rate, optimizer, model } = choice;
  const options: [string, string | number | undefined][] = [
    ['seed', seed],
    ['steps', steps],
    ['batch', batchSize],
    ['rate', rate],
    ['optimizer', optimizer],
    ['model', model],
    [takes === 'table' ? 'csv' : 'data', takes === 'digits' ? undefined : file],
  ];
  const words = options.flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}=${quote(String(value))}`],
  );
  const sizes = { quick: ['--quick'], default: [], full: ['--full'] }[size];
  const folder = takes === 'digits' ? ['PARALLAX_DATA=FOLDER'] : [];
  return [...folder, 'parallax', 'train', task, ...sizes, ...words].join(' ');
}

/** Lines that read the data, and the options that pass it on. */
function dataOf({ takes, file }: GivenData): { lines: string[]; options: Record<string, string> } {
  const reader =
    'const bytesOf = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());';
  const named = JSON.stringify(file);
  if (takes === 'digits') {
    const lines = [
      reader,
      "const images = await bytesOf('t10k-images-idx3-ubyte.gz');",
      "const labels = await bytesOf('t10k-labels-idx1-ubyte.gz');",
    ];
    return { lines, options: { data: '{ mnist: { images, labels } }' } };
  }
  if (file === undefined) return { lines: [], options: {} };
  const lines = [reader, `const text = await bytesOf(${named});`];
  if (takes === 'table') return { lines, options: { data: `{ csv: { text, source: ${named} } }` } };
  return { lines, options: { text: 'text', source: named } };
}

/** The program that trains with the package in the same way. */
export function codeOf(choice: TrainingChoice, data: GivenData): string {
  const { lines, options } = dataOf(data);
  const given = Object.entries(choice).flatMap(([name, value]) =>
    value === undefined ? [] : [`  ${name}: ${JSON.stringify(value)},`],
  );
  return [
    "import { load } from 'parallax-nn/bench';",
    '',
    ...lines,
    'const plx = await load();',
    'const run = await plx.learn({',
    ...given,
    ...Object.entries(options).map(([name, value]) => `  ${name}: ${value},`),
    '});',
    'await run.train({ onProgress: ({ step, loss }) => console.log(step, loss) });',
    'console.log(await run.evaluate());',
    'plx.dispose();',
    '',
  ].join('\n');
}
