/** A strict reader of RFC 4180, and the promises of a CSV of rows. */
import assert from 'node:assert/strict';

/** Parses lines of cells; throws at anything that the grammar of RFC 4180 does not allow. */
export function parseCsv(text) {
  const table = [];
  let line = [];
  let at = 0;
  while (at < text.length) {
    const cell = /"(?:[^"]|"")*"|[^",\r\n]*/y;
    cell.lastIndex = at;
    const [raw] = cell.exec(text);
    line.push(raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw);
    at += raw.length;
    if (text[at] === ',') {
      at += 1;
      continue;
    }
    assert.equal(text.slice(at, at + 2), '\r\n', `a cell or a line ends at byte ${at}`);
    at += 2;
    table.push(line);
    line = [];
  }
  return table;
}

const lists = /^(samples\.(values|rounds)|curve|histogram|scatter)\b/;

/** The values of a row by path, without its lists. */
function flat(value, path = '') {
  if (typeof value !== 'object') return [[path, String(value)]];
  return Object.entries(value)
    .map(([name, child]) => [path ? `${path}.${name}` : name, child])
    .filter(([name]) => !lists.test(name))
    .flatMap(([name, child]) => flat(child, name));
}

/** Whether the CSV has the rows of the JSON: a cell for each value, a column for each path. */
export function assertTable(text, rows) {
  const [header, ...lines] = parseCsv(text);
  assert.deepEqual(header.slice(0, 3), ['schema', 'suite', 'case']);
  assert.equal(new Set(header).size, header.length, 'no column is there twice');
  assert.equal(lines.length, rows.length);
  for (const [i, row] of rows.entries()) {
    assert.equal(lines[i].length, header.length, `line ${i + 2}`);
    const found = header.flatMap((name, k) => (lines[i][k] === '' ? [] : [[name, lines[i][k]]]));
    const same = ([name, cell]) => [name, Number.isNaN(Number(cell)) ? cell : Number(cell)];
    assert.deepEqual(
      Object.fromEntries(found.map(same)),
      Object.fromEntries(flat(row).map(same)),
      `line ${i + 2}`,
    );
  }
}
