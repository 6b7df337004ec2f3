/** The options of training: their checks, and what they become in a request. */
import type {
  Checkpoint,
  EpochLog,
  FitOptions,
  History,
  HuberLoss,
  LossName,
  MetricName,
  ScheduleOptions,
  Weight,
} from './api.js';
import { checkFinite, checkInteger, checkName, checkWhole } from './arrays.js';
import { SCHEDULE_OPTIONS, SCHEDULES } from './generated/kind_lists.js';
import type { Scalar } from './graph_scalar.js';
import { lossOf, metricOf } from './names.js';
import {
  anything,
  callback,
  checkOptions,
  checkOwn,
  count,
  flag,
  namedOptions,
  number,
  refuse,
  signal,
  text,
} from './options.js';
import type { FitRecipe, FitRequest, LossRequest, Samples } from './rpc.js';

/** The options of one step, and of all of them. */
export const STEP = {
  loss: anything,
  metrics: anything,
  optimizer: anything,
  classWeight: anything,
  clipNorm: number,
  labelSmoothing: number,
  signal,
};
export const FIT = {
  epochs: number,
  batchSize: number,
  ...STEP,
  sampleWeight: anything,
  schedule: anything,
  accumulate: number,
  validation: anything,
  earlyStopping: anything,
  shuffle: flag,
  seed: number,
  onEpoch: callback,
  onBatch: callback,
  checkpoint: anything,
};
const STOPPING = { patience: number, minImprovement: number };
const SCHEDULE = { kind: text, warmup: number, floor: number, every: number, factor: number };
const CHECKPOINT = { save: callback, best: flag, every: count };

/** Rejects values that are not numbers; the engine checks their ranges. */
export function checkRecipe(options: FitOptions): FitRecipe {
  const { schedule = 'constant', clipNorm = 0, labelSmoothing = 0, accumulate = 1 } = options;
  const { earlyStopping } = options;
  if (earlyStopping !== undefined) checkOptions('fit: earlyStopping', earlyStopping, STOPPING);
  const { patience, minImprovement = 0 } = earlyStopping ?? { patience: 0 };
  const given = namedOptions<ScheduleOptions>('fit: schedule', schedule);
  checkOptions('fit: schedule', given, SCHEDULE);
  const { warmup = 0, floor = 0, every = 0, factor = 0.1 } = given;
  const kind = checkName('fit: schedule', given.kind, SCHEDULES);
  checkOwn('fit: schedule', kind, given, `kind ${SCHEDULE_OPTIONS[kind]}`);
  return {
    schedule: {
      kind,
      warmup: checkInteger('fit: schedule: warmup', warmup),
      floor: checkFinite('fit: schedule: floor', floor),
      every: checkInteger('fit: schedule: every', every),
      factor: checkFinite('fit: schedule: factor', factor),
    },
    clipNorm: checkFinite('fit: clipNorm', clipNorm),
    labelSmoothing: checkFinite('fit: labelSmoothing', labelSmoothing),
    accumulate: checkWhole('fit: accumulate', accumulate, 1),
    patience: earlyStopping ? checkWhole('fit: earlyStopping: patience', patience, 1) : 0,
    minImprovement: checkFinite('fit: earlyStopping: minImprovement', minImprovement),
  };
}

/** What training minimises and reports. */
export interface Objective {
  loss: LossRequest;
  metrics: FitRequest['metrics'];
  /** The functions among them. */
  functions: Scalar[];
}

/** PLX_OWN_METRICS. */
const MOST_FUNCTIONS = 8;

/** Checks the loss and the metrics. */
export function objectiveOf(
  call: string,
  options: Pick<FitOptions, 'loss' | 'metrics'>,
): Objective {
  const { loss, metrics = [] } = options;
  const functions: Scalar[] = [];
  const what = `${call}: loss`;
  if (typeof loss === 'function') functions.push({ what, number: -1, of: loss });
  const named = typeof loss === 'function' ? undefined : loss;
  const names: MetricName[] = [];
  const own: string[] = [];
  if (!Array.isArray(metrics)) refuse(`${call}: metrics must be a list of names and functions`);
  for (const metric of metrics) {
    if (typeof metric !== 'function') {
      names.push(metricOf(`${call}: metrics`, metric));
      continue;
    }
    const { name } = metric;
    if (name === '') refuse(`${call}: metrics: a function needs a name, which the logs use`);
    functions.push({ what: `${call}: metrics: ${name}`, number: own.length, of: metric });
    own.push(name);
  }
  const all: string[] = [...names, ...own];
  const twice = all.find((name, i) => all.indexOf(name) !== i);
  if (twice !== undefined) refuse(`${call}: metrics: "${twice}" is there twice`);
  if (own.length > MOST_FUNCTIONS)
    refuse(`${call}: metrics has ${own.length} functions: there may be ${MOST_FUNCTIONS}`);
  return { loss: lossOf(what, named as LossName | HuberLoss), metrics: { names, own }, functions };
}

/** Returns the numbers of samples that are computed at a time. */
export const rowsOf = (batchSize: number, parts: { data: Samples; validation?: Samples }) =>
  new Set(
    [parts.data.n, parts.validation?.n ?? 0]
      .flatMap((n) => [Math.min(batchSize, n), n % batchSize])
      .filter((rows) => rows > 0),
  );

/** Returns what saves the weights after an epoch, if they are to be saved. */
export function saverOf(
  call: string,
  checkpoint: Checkpoint | undefined,
  weights: () => Promise<Weight[]>,
): ((log: EpochLog) => Promise<void>) | undefined {
  if (checkpoint === undefined) return undefined;
  const given = checkOptions(`${call}: checkpoint`, checkpoint, CHECKPOINT);
  const { save, best = false, every = 1 } = given;
  if (typeof save !== 'function') refuse(`${call}: checkpoint needs save, a function`);
  let lowest = Number.POSITIVE_INFINITY;
  return async (log) => {
    const loss = log.validation?.loss ?? log.loss;
    if (log.epoch % every !== 0 || (best && !(loss < lowest))) return;
    lowest = Math.min(lowest, loss);
    await save(await weights(), log);
  };
}

/** Creates the history of a fit that was cancelled before its first step. */
export const nothingDone = ({ validation }: Pick<FitRequest, 'validation'>): History => ({
  loss: new Float32Array(),
  epochs: [],
  steps: 0,
  ...(validation ? { bestEpoch: 0 } : {}),
  stoppedEarly: false,
  stopped: false,
  milliseconds: 0,
  memory: {
    ...{ parameters: 0, gradients: 0, optimizer: 0, activations: 0 },
    ...{ workspace: 0, inputs: 0, kept: 0, packed: 0, folded: 0 },
  },
});
