/** The result as a table for an issue, in Markdown. */
import type { Case } from './compare.js';
import { ratiosOf, speedCases } from './compare.js';
import { significant } from './format.js';
import type { Interval } from './interval.js';
import type { Measurement } from './rows.js';

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;

function figure(m: Measurement | undefined): string {
  if (!m) return '–';
  return m.voided === undefined ? `${significant(m.value)} ${m.unit}` : `void: ${m.voided}`;
}

const percentOf = (ratio: Interval | undefined) =>
  ratio ? `${Math.round(100 / ratio.value)}%` : '–';

/** What was measured where: one line for each engine and machine. */
function engines(cases: readonly Case[]): string[] {
  const side = (name: string, of: (each: Case) => Measurement | undefined) => {
    const m = cases.flatMap((each) => of(each) ?? [])[0];
    const threads = [...new Set(cases.flatMap((each) => of(each)?.threads ?? []))].join(', ');
    return m ? [`- ${name}: ${m.engine}, threads: ${threads}, ${m.machine}, ${m.day}`] : [];
  };
  return [...side('A', ({ A }) => A), ...side('B', ({ B }) => B), ...side('C', ({ C }) => C)];
}

/** The answer, the engines, and a row for each case. */
export function markdownOf(cases: readonly Case[], answer: string): string {
  const shown = speedCases(cases).filter(({ C }) => C);
  const head = ['suite', 'case', 'threads', 'A', 'B', 'C', 'C of A', 'C of B'];
  return [
    answer,
    '',
    ...engines(shown),
    '',
    line(head),
    line(head.map(() => '---')),
    ...shown.map((each) => {
      const { whole, engine } = ratiosOf(each);
      return line([
        each.suite,
        each.title,
        String(each.threads),
        ...[each.A, each.B, each.C].map(figure),
        percentOf(whole),
        percentOf(engine),
      ]);
    }),
    '',
  ].join('\n');
}
