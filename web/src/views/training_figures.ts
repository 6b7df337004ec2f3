/** Figures of a run: what it trains, how fast, with how much memory, and how well. */
import type { LearningAbout, Measure } from 'parallax-nn/bench';
import type { ChartSpec } from '../chart_spec.js';
import { h } from '../dom.js';
import { percent, significant } from '../format.js';
import { memoryStacks } from '../memory_chart.js';
import type { TrainingState } from '../state.js';
import { fillTable } from './table.js';

type Facts = readonly (readonly [string, string])[];

const whole = (value: number) => value.toLocaleString('en');

/** "1.2 MB" */
export function bytesText(bytes: number): string {
  if (bytes < 1e3) return `${bytes} B`;
  if (bytes < 1e6) return `${significant(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${significant(bytes / 1e6)} MB` : `${significant(bytes / 1e9)} GB`;
}

/** Describes the data, beginning with whether it is real. */
export function dataText({ data }: LearningAbout): string {
  const samples = `${whole(data.train)} samples to train on, ${whole(data.test)} held out`;
  return data.real
    ? `Real: ${data.source}${data.note && ` (${data.note})`}; ${samples}, split by seed ${data.seed}`
    : `Synthetic: ${data.source}, seed ${data.seed}; ${samples}`;
}

const memoryOf = ({ memory }: LearningAbout): number =>
  Object.values(memory).reduce((sum, bytes) => sum + bytes, 0);

/** Facts that stay the same during training. */
export function runFacts(about: LearningAbout): Facts {
  return [
    ['Model', about.model],
    ['Parameters', whole(about.parameters)],
    ['Data', dataText(about)],
    ['Optimizer', `${about.optimizer}, ${whole(about.batchSize * about.batches)} samples per step`],
    ['Memory', bytesText(memoryOf(about))],
  ];
}

/** Facts that change with every step. */
export function liveFacts(training: TrainingState): Facts {
  const { about, step, seconds, speed, train, rate } = training;
  const last = train.at(-1);
  const facts: [string, string][] = [
    ['Step', `${whole(step)} of ${whole(about?.steps ?? 0)}`],
    ['Time', `${significant(seconds)} s`],
    ['Loss', last ? significant(last.loss) : '–'],
    ['Learning rate', rate === undefined ? '–' : significant(rate, 2)],
    ['Samples/s', speed ? significant(speed.samples) : '–'],
  ];
  if (about && about.data.tokens > 0) {
    facts.push(['Tokens/s', speed ? significant(speed.tokens) : '–']);
  }
  facts.push(
    ['GFLOP/s', speed ? significant(speed.gflops) : '–'],
    /* On a busy machine the peak may be measured too low: more than all of it is impossible. */
    ['Share of peak', speed && speed.share > 0 && speed.share <= 1 ? percent(speed.share) : '–'],
  );
  return facts;
}

/** Whether a measure has reached its goal; undefined without a goal. */
export function reached({ value, goal, better }: Measure): boolean | undefined {
  if (goal === undefined || better === 'none') return undefined;
  return better === 'lower' ? value <= goal : value >= goal;
}

/** "0.93, goal at least 0.85: reached" as cells. */
export function measureCells(measure: Measure): string[] {
  const { name, unit, value, goal, better } = measure;
  const number = (x: number) => (unit === '1' ? significant(x) : `${significant(x)} ${unit}`);
  const is = reached(measure);
  return [
    name.replaceAll('_', ' '),
    number(value),
    goal === undefined ? '–' : `${better === 'lower' ? 'at most' : 'at least'} ${number(goal)}`,
    is === undefined ? '–' : is ? 'reached' : 'not yet',
  ];
}

export function fillFacts(list: HTMLElement, facts: Facts): void {
  list.replaceChildren(
    ...facts.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
  );
}

export function fillMeasures(box: HTMLElement, { measures, measuredAt }: TrainingState): void {
  if (measures.length === 0) {
    box.replaceChildren();
    return;
  }
  fillTable(box, {
    caption: `On held-out data, after ${whole(measuredAt)} steps. Goals are for the end of the run.`,
    columns: ['Measure', 'Value', 'Goal', ''],
    rows: measures.map((measure) => ({ cells: measureCells(measure) })),
  });
}

/** The exact memory of training by component. */
export const memorySpec = (about: LearningAbout): ChartSpec =>
  memoryStacks({ id: 'train-memory', title: `${about.task}: memory by component` }, [
    [{ title: about.task, engine: 'this browser', memory: { ...about.memory } }],
  ]);
