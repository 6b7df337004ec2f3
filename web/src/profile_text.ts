/** What a profile says: the sentences and tables that `parallax explain --profile` prints. */
import type { EngineInfo, Profile, ProfileStep } from 'parallax-nn/bench';
import { count, percent, significant } from './format.js';
import type { ProfileChoice } from './profile_run.js';
import type { TableData } from './views/table.js';

export interface ProfileResult {
  choice: ProfileChoice;
  profile: Profile;
  info: Pick<EngineInfo, 'isa' | 'tier' | 'threads'>;
}

/** Most groups of steps in the table of what to do next. */
const largest = 5;

const shapeOf = ({ shape }: ProfileStep): string =>
  shape.length === 0 ? 'scalar' : shape.join(' × ');
const microseconds = (nanoseconds: number): string => significant(nanoseconds / 1000);
const orNone = (text: string): string => text || '–';

/** The speed in the unit of what limits it. */
function rateOf({ limit, gflops, gbytes }: ProfileStep): string {
  return limit === 'arithmetic' ? `${significant(gflops)} GFLOP/s` : `${significant(gbytes)} GB/s`;
}

/** How long a run takes, and how far that is from the ceilings. */
export function profileSentence({ choice, profile, info }: ProfileResult): string {
  const { model, batchSize, training } = choice;
  const what = training ? 'A training step' : 'A prediction';
  const time =
    `${what} of ${model} with ${count(batchSize, 'sample')} takes ${microseconds(profile.nanoseconds)} µs ` +
    `(${info.tier}, ${count(info.threads, 'thread')}), its steps ${microseconds(profile.stepsNs)} µs ` +
    `with a clock between them: the fastest of ${count(profile.rounds, 'round')}.`;
  if (profile.leastNs <= 0) {
    return `${time} The ceilings could not be measured: the machine is too busy.`;
  }
  return `${time} The ceilings of this machine allow ${microseconds(profile.leastNs)} µs: the steps are at ${percent(profile.roofline)} of them.`;
}

/** The ceilings; empty if they could not be measured. */
export function ceilingsSentence({ profile }: ProfileResult): string {
  if (profile.leastNs <= 0) return '';
  const levels = profile.levels.map(
    ({ name, read, copy, add }) =>
      `${name} ${[read, copy, add].map((x) => significant(x)).join(', ')}`,
  );
  return `Ceilings, all threads together: ${significant(profile.peak)} GFLOP/s; in GB/s, reading, copying and adding: ${levels.join('; ')}.`;
}

/** What takes most time above the ceilings. */
export function itemsTable({ profile }: ProfileResult): TableData {
  return {
    caption:
      'What keeps this model most from the ceilings: time above them, by operation and shape.',
    columns: ['Operation', 'Shape', 'Method', 'Steps', 'Time (µs)', 'Above (µs)', 'Of all steps'],
    rows: profile.items.slice(0, largest).map(({ step, count, nanoseconds, overNs }) => {
      const first = profile.steps[step]!;
      const share = overNs / profile.stepsNs;
      return {
        cells: [
          [first.op, first.fused].filter(Boolean).join(': '),
          shapeOf(first),
          orNone(first.method),
          String(count),
          microseconds(nanoseconds),
          microseconds(overNs),
          percent(share),
        ],
        shades: [0, 0, 0, 0, 0, 0, Math.max(0, Math.min(1, share))],
      };
    }),
  };
}

/** Every step of a run in order, without those that were computed before it. */
export function stepsTable({ profile }: ProfileResult): TableData {
  return {
    caption: 'The steps in order. Dark: a large share of the time, or far from its ceiling.',
    columns: [
      ...['Step', 'Operation', 'Name', 'Shape', 'Time (µs)', 'Share', 'Rate', 'Of the roofline'],
      ...['Limit', 'Method', 'Threads'],
    ],
    rows: profile.steps.flatMap((step, i) =>
      step.kept
        ? []
        : [
            {
              cells: [
                String(i),
                step.op,
                orNone(step.fused || step.name),
                shapeOf(step),
                microseconds(step.nanoseconds),
                percent(step.share),
                rateOf(step),
                step.limit ? percent(step.roofline) : '–',
                orNone(step.limit),
                orNone(step.method),
                `${significant(step.workers, 2)} of ${step.threads}`,
              ],
              shades: [
                0,
                0,
                0,
                0,
                0,
                step.share,
                0,
                step.limit ? 1 - Math.min(1, step.roofline) : 0,
                0,
                0,
                0,
              ],
            },
          ],
    ),
  };
}
