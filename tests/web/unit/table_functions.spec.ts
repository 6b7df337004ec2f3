/** Tables of the user's: reading, columns, splitting, encoding, and what is refused. */
import { expect, test } from '@playwright/test';
import { exampleTable } from '../../../web/src/example_table.js';
import {
  columnText,
  describeColumns,
  inputsFor,
  problemOf,
  whyNotTarget,
} from '../../../web/src/table_columns.js';
import { encodeRows, prepare, seededOrder } from '../../../web/src/table_data.js';
import { numberIn, readRows, readTable, tableLimits } from '../../../web/src/table_file.js';
import { batchFor, epochsFor, hiddenUnits } from '../../../web/src/table_training.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const read = (text: string, name = 'a.csv') => readTable(name, bytes(text));
const lines = (n: number, line: (i: number) => string) =>
  Array.from({ length: n }, (_, i) => line(i)).join('\n');

test('separators, quotes, line breaks in cells, and the lines that rows begin on', async () => {
  const body = lines(12, (i) => `${i},"a, b",${i / 2}`);
  const table = await read(`x,text,y\n${body}\n\n`);
  expect(table.columns).toEqual(['x', 'text', 'y']);
  expect(table.named).toBe(true);
  expect(table.separator).toBe(',');
  expect(table.rows).toHaveLength(12);
  expect(table.rows[3]).toEqual(['3', 'a, b', '1.5']);
  expect(table.lines[3]).toBe(5);
  const more = lines(12, (i) => `${i},${i / 2}`);
  const broken = await read(`x,y\n1,"two\nlines"\n${more}`.replaceAll('\n', '\r\n'));
  expect(broken.lines.slice(0, 3)).toEqual([2, 4, 5]);
});

test('tabs, and semicolons with decimal commas', async () => {
  const tabs = await read(lines(10, (i) => `${i}\t${i * i}`));
  expect(tabs.separator).toBe('\t');
  expect(tabs.named).toBe(false);
  expect(tabs.columns).toEqual(['column 1', 'column 2']);
  const semicolons = await read(`a;b\n${lines(10, (i) => `${i},5;${i}`)}`);
  expect(semicolons.separator).toBe(';');
  expect(numberIn('1,5', ';')).toBe(1.5);
  expect(numberIn('1,5', ',')).toBeUndefined();
});

test('a table longer than a piece is read whole', async () => {
  const n = 20_000;
  const table = await read(`a,b\n${lines(n, (i) => `${i},"é ${i}, ü"`)}`);
  expect(table.rows).toHaveLength(n);
  expect(table.rows.every(([a, b], i) => a === String(i) && b === `é ${i}, ü`)).toBe(true);
  expect(table.lines.at(-1)).toBe(n + 1);
});

const ten = lines(10, (i) => `${i},${i}`);
const refused: [string, string, RegExp][] = [
  ['nothing', '', /a\.csv has a single column/],
  ['one column', lines(20, String), /has a single column: .* separated by commas/],
  ['too few rows', 'a,b\n1,2\n', /has 1 rows below the names of its columns: at least 10/],
  [
    'a short line',
    `a,b\n${ten}\n1\n`,
    /line 12 has 1 cells, but the first line has 2: column 2 is missing/,
  ],
  ['a long line', `a,b\n1,2\n1,2,3\n${ten}`, /line 3 has 3 cells.*column 3 is too much/],
  ['a quote that does not end', `a,b\n${ten}\n1,"x\n2,3\n`, /line 12, column \d: .*quote/i],
  ['text after a quote', `a,b\n${ten}\n1,"x"y\n2,3\n`, /line 12, column \d: .*quote/i],
  [
    'too many columns',
    lines(10, () => new Array(tableLimits.columns + 1).fill('1').join()),
    /first line has 201 cells: at most 200 columns/,
  ],
  [
    'too many rows',
    lines(tableLimits.rows + 2, (i) => `${i},1`),
    /more than 50,000 lines with 2 columns: at most 50,000 rows and 1,000,000 cells/,
  ],
];
for (const [name, text, message] of refused) {
  test(`refused: ${name}`, async () => {
    await expect(read(text)).rejects.toThrow(message);
  });
}

test('refused: bytes that are not UTF-8', async () => {
  const wrong = new Uint8Array([...bytes(`a,b\n${ten}\n`), 0xff, 0xfe]);
  await expect(readTable('b.csv', wrong)).rejects.toThrow(/b\.csv is not a text in UTF-8/);
});

test('columns: numbers, classes, words, constants, and gaps', async () => {
  const table = await read(
    `number,class,word,same,empty\n${lines(40, (i) => `${i / 3},${i % 3},${['a', 'b'][i % 2]},7,${i === 5 ? 'NA' : ''}`)}`,
  );
  const [number, small, word, same, empty] = await describeColumns(table);
  expect(number).toMatchObject({ holds: 'numbers', words: [], missing: 0, low: 0, high: 13 });
  expect(small).toMatchObject({ holds: 'numbers', different: 3 });
  expect(word).toMatchObject({ holds: 'words', words: ['a', 'b'] });
  expect(same).toMatchObject({ holds: 'constant' });
  expect(empty).toMatchObject({ holds: 'constant', missing: 40, different: 0 });
  expect([number!, small!, word!].map((each) => problemOf(each, undefined))).toEqual([
    'regression',
    'classification',
    'classification',
  ]);
  expect(problemOf(small!, 'regression')).toBe('regression');
  expect(whyNotTarget(number!, 'regression')).toBeUndefined();
  expect(whyNotTarget(number!, 'classification')).toMatch(/40 different values/);
  expect(whyNotTarget(word!, 'regression')).toMatch(/holds words/);
  expect(whyNotTarget(same!, 'regression')).toMatch(/nothing to learn/);
  expect(columnText(word!)).toBe('2 different words: a, b');
  expect(columnText(same!)).toBe('always 7');
  expect(columnText(empty!)).toBe('empty');
});

test('a word among numbers is a mistake, named by line and column', async () => {
  const table = await read(`a,b\n${lines(30, (i) => (i === 17 ? '1,12a' : `1,${i}`))}`);
  await expect(describeColumns(table)).rejects.toThrow(
    /a\.csv: line 19, column 2 \(b\): “12a” is not a number, as 29 other cells/,
  );
});

test('words become inputs; what cannot is left out, and said', async () => {
  const table = await read(
    `id,word,same,x,y\n${lines(60, (i) => `n${i},${['a', 'b', 'c'][i % 3]},1,${i},${2 * i + 0.5}`)}`,
  );
  const columns = await describeColumns(table);
  const { inputs, notes } = inputsFor(columns, 4);
  expect(inputs.map(({ name, words }) => [name, words?.length])).toEqual([
    ['word', 3],
    ['x', undefined],
  ]);
  expect(notes.join(' ')).toMatch(
    /word \(3\).*id is left out: it has 60 different words.*same is left out/,
  );
});

test('rows are split by the seed, scaled by what is trained on, and gaps are left out', async () => {
  const table = await read(
    `x,w,y\n${lines(50, (i) => `${i === 7 || i === 9 ? '' : 3 * i},${i % 2 ? 'p' : 'q'},${i / 4}`)}`,
  );
  const columns = await describeColumns(table);
  const { inputs } = inputsFor(columns, 2);
  const made = (seed: number) => prepare(table, columns, 2, 'regression', inputs, seed);
  const { train, held, encoding, notes } = await made(1);
  expect(notes).toEqual(['2 rows with a missing value are left out: lines 9 and 11.']);
  expect([train.lines.length, held.lines.length]).toEqual([39, 9]);
  expect(new Set([...train.lines, ...held.lines]).size).toBe(48);
  expect((await made(1)).held.lines).toEqual(held.lines);
  expect((await made(2)).held.lines).not.toEqual(held.lines);
  const numbers = train.lines.map((_, i) => train.x[3 * i]!);
  expect(numbers.reduce((a, b) => a + b, 0) / 39).toBeCloseTo(0, 5);
  expect(numbers.reduce((a, b) => a + b * b, 0) / 39).toBeCloseTo(1, 4);
  const [first] = held.lines;
  const row = table.rows[table.lines.indexOf(first!)]!;
  expect(held.y[0]! * encoding.scaling.deviation + encoding.scaling.mean).toBeCloseTo(
    Number(row[2]),
    4,
  );
  const words = encoding.inputs[1]!.words!;
  expect([...held.x.subarray(1, 3)]).toEqual(words.map((word) => Number(word === row[1])));
});

test('the order by a seed holds every row once, and looks random', () => {
  const rows = Array.from({ length: 1_000 }, (_, i) => i);
  const order = seededOrder(rows, 5);
  expect(order.toSorted((a, b) => a - b)).toEqual(rows);
  /* Of 999 neighbours in a random order, about half go up: the deviation of that number is 9. */
  const up = order.filter((row, i) => row > (order[i - 1] ?? Number.POSITIVE_INFINITY)).length;
  expect(Math.abs(up - 499.5)).toBeLessThan(50);
});

test('rows to predict: in order, by name, with tabs; and what is wrong with them', async () => {
  const table = await read(`x,w,y\n${lines(40, (i) => `${i},${i % 2 ? 'p' : 'q'},${i / 4}`)}`);
  const columns = await describeColumns(table);
  const { inputs } = inputsFor(columns, 2);
  const { encoding } = await prepare(table, columns, 2, 'regression', inputs, 0);
  const names = ['x', 'w'];
  const encode = async (text: string) => {
    const { rows, lines: at } = await readRows(text, ',', names);
    return encodeRows(encoding, rows, at);
  };
  const plain = [...(await encode('3,p\n4,q'))];
  expect([...(await encode('w,x\np,3\nq,4'))]).toEqual(plain);
  expect([...(await encode('3\tp\n4\tq\n'))]).toEqual(plain);
  await expect(encode('3')).rejects.toThrow(/line 1 has 1 cells: 2 are needed, for x, w/);
  await expect(encode('3,p\nx,p')).rejects.toThrow(/line 2, column 1 \(x\): “x” is not a number/);
  await expect(encode('3,r')).rejects.toThrow(
    /line 1, column 2 \(w\): “r” did not occur.*p and q|q and p/,
  );
  await expect(encode('3,p\n4')).rejects.toThrow(/line 2 has 1 cells/);
});

test('the example is a table with every kind of column', async () => {
  const table = await read(exampleTable(0));
  const columns = await describeColumns(table);
  expect(columns.map(({ holds }) => holds)).toEqual([
    'words',
    'numbers',
    'numbers',
    'words',
    'numbers',
  ]);
  expect(columns[1]!.missing).toBe(6);
  expect(exampleTable(1)).not.toBe(exampleTable(0));
});

test('the network and its epochs', () => {
  expect(hiddenUnits('64-32')).toEqual([64, 32]);
  expect([hiddenUnits(' '), hiddenUnits('none')]).toEqual([[], []]);
  for (const wrong of ['64,32', '0', 'a', '2000', '1-1-1-1-1-1-1', '-3', '1.5'])
    expect(() => hiddenUnits(wrong), wrong).toThrow(/Hidden layers: .*64-64/);
  expect([batchFor(100), batchFor(1_000), batchFor(10_000)]).toEqual([16, 32, 128]);
  expect([epochsFor(20), epochsFor(1_000), epochsFor(40_000)]).toEqual([300, 94, 20]);
});
