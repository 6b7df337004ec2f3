/** What the sections of RESULTS.md share: tables, figures, and where their rows come from. */

export const table = (head, lines) =>
  [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** Three digits, without an exponent. */
export const short = (value) => {
  const text = value.toPrecision(3);
  return text.includes('e') ? String(Math.round(value)) : text;
};

export const unique = (values) => [...new Set(values)];

export function groupBy(rows, key) {
  const groups = new Map();
  for (const row of rows) groups.set(key(row), [...(groups.get(key(row)) ?? []), row]);
  return groups;
}

export const ratioText = ({ median, low, high }) =>
  low === undefined
    ? median.toFixed(2)
    : `${median.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`;

// ---- Where rows come from -----------------------------------------------------------------------

const CHANGED = '-changed';
const clean = (commit) => commit.replace(CHANGED, '');

const newest = (rows) => rows.reduce((best, row) => (row.date > best.date ? row : best));

/** What a reader should know about rows that are not all of one commit. */
function caveats(rows, all) {
  const commits = unique(rows.map(({ commit }) => clean(commit)));
  const last = newest(all);
  const told = [];
  if (rows.some(({ commit }) => commit.endsWith(CHANGED)))
    told.push(`Where the commit says "changed", the tree had changes that were not committed.`);
  if (commits.length > 1) told.push(`These rows are of ${commits.length} commits.`);
  if (!commits.includes(clean(last.commit)))
    told.push(
      `They are older than the newest rows here, which are of commit ${clean(last.commit)}.`,
    );
  return told;
}

/** What a section's rows were measured on, and with what; `all` are those of all sections. */
export function provenance(rows, all) {
  const machines = unique(
    rows.map(({ machine: { name, vendor, cpus, system } }) => {
      const maker = vendor && !name.includes(vendor) ? ` (${vendor})` : '';
      return `${name}${maker}, ${cpus} CPUs, ${system}`;
    }),
  );
  const commits = unique(rows.map(({ commit }) => commit));
  const dates = unique(rows.map(({ date }) => date.slice(0, 10)));
  const measured = `Measured on ${machines.join('; ')}; commit ${commits.join(', ')}; ${dates.join(', ')}.`;
  return [measured, ...caveats(rows, all)].join(' ');
}

/**
 * A section: what its table shows, the command that measures it, and the table; or, without rows, a
 * line that says so.
 */
export function section(title, { about, command, rows, all, body }) {
  if (!rows.length) return [`## ${title}\n`, `Not measured in this run: \`${command}\`.\n`];
  const introduction = [about, `\`${command}\`.`, provenance(rows, all)].filter(Boolean).join(' ');
  return [`## ${title}\n`, `${introduction}\n`, ...body(rows).map((text) => `${text}\n`)];
}
