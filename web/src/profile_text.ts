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

/** Whether it has a share of the roofline. */
const hasShare = ({ limit, failure }: ProfileStep): boolean => limit !== '' && failure === '';

/** The speed in the unit of what limits it. */
function rateOf({ limit, gflops, gbytes }: ProfileStep): string {
  return limit === 'arithmetic' ? `${significant(gflops)} GFLOP/s` : `${significant(gbytes)} GB/s`;
}

/** What the ceilings allow; empty if that is not known. */
function leastSentence({ stepsNs, boundedNs, leastNs, roofline }: Profile): string {
  if (boundedNs <= 0) return '';
  const [of, which] =
    boundedNs < stepsNs
      ? [` for steps that take ${microseconds(boundedNs)} µs`, 'these']
      : ['', 'the steps'];
  return `The ceilings of this machine allow ${microseconds(leastNs)} µs${of}: ${which} are at ${percent(roofline)} of them.`;
}

/** How long a run takes, and how far that is from the ceilings. */
export function profileSentence({ choice, profile, info }: ProfileResult): string {
  const { model, batchSize, training } = choice;
  const what = training ? 'A training step' : 'A prediction';
  const rounds = count(profile.rounds, 'round');
  const runs = count(profile.runs / profile.rounds, 'run');
  const run =
    `${what} of ${model} with ${count(batchSize, 'sample')} takes ${microseconds(profile.nanoseconds)} µs ` +
    `(${info.tier}, ${count(info.threads, 'thread')}) in the fastest of ${rounds} of ${runs}.`;
  const steps =
    profile.stepsNs > 0
      ? `With a clock between them its steps take ${microseconds(profile.stepsNs)} µs together, again in the fastest of ${rounds}.`
      : '';
  return [run, steps, leastSentence(profile), profile.note].filter(Boolean).join(' ');
}

/** The ceilings; empty if they could not be measured. */
export function ceilingsSentence({ profile }: ProfileResult): string {
  if (profile.levels.length === 0 || profile.peak <= 0) return '';
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
                ...(step.nanoseconds > 0
                  ? [microseconds(step.nanoseconds), percent(step.share), rateOf(step)]
                  : ['–', '–', '–']),
                hasShare(step) ? percent(step.roofline) : '–',
                orNone([step.limit, step.failure].filter(Boolean).join(': ')),
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
                hasShare(step) ? 1 - Math.min(1, step.roofline) : 0,
                0,
                0,
                0,
              ],
            },
          ],
    ),
  };
}
