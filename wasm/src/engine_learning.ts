/** Runs of learning tasks: created from options, trained in slices, and inspected between them. */
import type { Weight } from './api.js';
import type {
  Exhibit,
  HeldSample,
  LearningAbout,
  Measure,
  TaskInfo,
  TrainOutcome,
} from './api_learning.js';
import { Training } from './engine_fit.js';
import { readWeights } from './engine_weights.js';
import { PlxError } from './errors.js';
import type { Heap } from './heap.js';
import type { LearnRequest, TrainReport, TrainRequest } from './rpc_bench.js';
import { breathe, type Job, SLICE_MS } from './slice.js';

/** The values of plx_bench_size. */
const SIZE = { quick: 0, default: 1, full: 2 } as const;

/** The values of plx_exhibit_kind. */
const KINDS: readonly Exhibit['kind'][] = ['text', 'matrix', 'images', 'bars'];

/** What a measure is called when more of it is better, and the like. */
const isBetter = (text: string): text is Measure['better'] =>
  ['lower', 'higher', 'none'].includes(text);

const isTaken = (text: string): text is TaskInfo['takes'] =>
  ['text', 'digits', 'table'].includes(text);

export function listTasks(heap: Heap): TaskInfo[] {
  const tasks: TaskInfo[] = [];
  for (;;) {
    const i = tasks.length;
    const name = heap.c._plx_js_task_name(i);
    if (name === 0) return tasks;
    const takes = heap.text(heap.c._plx_js_task_takes(i));
    tasks.push({
      name: heap.text(name),
      description: heap.text(heap.c._plx_js_task_description(i)),
      takes: isTaken(takes) ? takes : 'nothing',
    });
  }
}

/** The options by which tasks receive their data. */
const GIVEN = { text: 'text', digits: 'data.mnist', table: 'data.csv', nothing: 'nothing' };

/** Rejects data of the wrong kind for the task, and a task without data that it needs. */
function checkFiles(heap: Heap, { task, text, mnist, table }: LearnRequest): void {
  const takes = listTasks(heap).find(({ name }) => name === task)?.takes;
  if (!takes) return; /* The library reports an unknown task and lists the known ones. */
  const files = { text, digits: mnist, table };
  for (const [kind, file] of Object.entries(files) as [keyof typeof files, unknown][]) {
    if (!file || kind === takes) continue;
    const message = `learn: ${task} takes no ${GIVEN[kind]}: it takes ${GIVEN[takes]}`;
    throw new PlxError('PLX_ERR_ARGUMENT', message);
  }
  if (takes === 'digits' && !mnist) {
    const message = `learn: ${task} needs its two files: data: { mnist: { images, labels } }`;
    throw new PlxError('PLX_ERR_ARGUMENT', message);
  }
}

/** Number of samples of the peak before the first step; after it, one is taken each second. */
const PEAK_SAMPLES = 4;
/**
 * Shortest sample: a shorter one would measure the waking of threads or the resolution of the
 * clock, which is a millisecond on pages that are not isolated.
 */
const PEAK_MS = globalThis.crossOriginIsolated === false ? 50 : 2;
/** On a busy machine, waking a thread alone may take PEAK_MS: samples grow to this length. */
const PEAK_LONG_MS = Math.max(PEAK_MS, 8);

/** Measures the machine's peak with pure arithmetic, a few milliseconds at a time during a run. */
class Peak {
  #rounds = 1000;
  #next = 0;
  gflops = 0;

  constructor(readonly heap: Heap) {}

  /** Measures at most once a second. Interference can only slow it down, so the highest counts. */
  sample(): void {
    if (performance.now() < this.#next) return;
    for (let left = this.gflops > 0 ? 1 : PEAK_SAMPLES; left > 0; ) {
      const began = performance.now();
      const operations = this.heap.c._plx_js_peak(this.#rounds);
      const milliseconds = performance.now() - began;
      if (milliseconds < PEAK_LONG_MS) this.#rounds *= 2;
      /* Too short a sample may give any figure, and the highest would be kept. */
      if (milliseconds < PEAK_MS) continue;
      this.gflops = Math.max(this.gflops, operations / (1e6 * milliseconds));
      left -= 1;
    }
    this.#next = performance.now() + 1000;
  }
}

/** The state of a run between its calls. */
interface Run {
  readonly task: string;
  readonly seed: number;
  readonly address: number;
  /** Copies in the module's memory that the run points to. */
  readonly loans: readonly number[];
  readonly training: Training;
  readonly peak: Peak;
  /** The job of the running train. */
  job: Job | undefined;
  pausing: boolean;
  disposed: boolean;
}

/** The runs of an engine, by the client's numbers. */
export class EngineLearning {
  readonly #heap: Heap;
  readonly #runs = new Map<number, Run>();

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  #run(id: number): Run {
    const run = this.#runs.get(id);
    if (!run) throw new PlxError('PLX_ERR_STATE', 'learn: this run was disposed');
    return run;
  }

  open(id: number, request: LearnRequest): LearningAbout {
    const heap = this.#heap;
    checkFiles(heap, request);
    const loans: number[] = [];
    const bytes = (data: Uint8Array): number => {
      const address = heap.copyIn(data);
      loans.push(address);
      return address;
    };
    const text = (value: string): number => bytes(new TextEncoder().encode(`${value}\0`));
    const address = heap.c._plx_js_learning_new();
    try {
      if (address === 0) throw new PlxError('PLX_ERR_MEMORY', 'learn: out of memory');
      this.#give(address, request, bytes, text);
      heap.check(
        heap.c._plx_js_learning_open(
          address,
          text(request.task),
          request.model === undefined ? 0 : text(request.model),
          request.optimizer === undefined ? 0 : text(request.optimizer),
          SIZE[request.size],
          request.seed,
          request.steps,
          request.batchSize,
          request.rate,
        ),
      );
      const trainer = heap.c._plx_js_learning_trainer(address);
      const run: Run = {
        task: request.task,
        seed: request.seed,
        address,
        loans,
        training: new Training(heap, trainer, false),
        peak: new Peak(heap),
        job: undefined,
        pausing: false,
        disposed: false,
      };
      const about = this.#about(run);
      this.#runs.set(id, run);
      return about;
    } catch (error) {
      heap.c._plx_js_learning_free(address);
      for (const loan of loans) heap.c._plx_js_free(loan);
      throw error;
    }
  }

  #give(
    address: number,
    { text: given, mnist, table }: LearnRequest,
    bytes: (data: Uint8Array) => number,
    text: (value: string) => number,
  ): void {
    const { c } = this.#heap;
    if (given) {
      const { length } = given.bytes;
      c._plx_js_learning_text(address, bytes(given.bytes), length, text(given.source));
    }
    if (mnist) {
      const status = c._plx_js_learning_digits(
        address,
        bytes(mnist.images),
        mnist.images.length,
        bytes(mnist.labels),
        mnist.labels.length,
        text(mnist.source),
      );
      this.#heap.check(status);
    }
    if (table) {
      const from = bytes(table.bytes);
      const source = text(table.source);
      this.#heap.check(c._plx_js_learning_table(address, from, table.bytes.length, source));
    }
  }

  #about({ address, task, seed, training }: Run): LearningAbout {
    const heap = this.#heap;
    training.look();
    heap.c._plx_js_learning_about(address);
    const { real, train, test, tokens, source, note, ...recipe } = heap.read('about');
    heap.c._plx_js_trainer_memory(training.trainer);
    return {
      task,
      ...recipe,
      data: { real, source, note, seed, train, test, tokens },
      steps: training.progress.steps,
      flops:
        recipe.batches * heap.c._plx_js_plan_flops(heap.c._plx_js_trainer_plan(training.trainer)),
      memory: heap.read('memory'),
    };
  }

  /** Trains to the end, or until paused, cancelled or disposed of. */
  async train(
    id: number,
    request: TrainRequest,
    job: Job,
    report: (report: TrainReport) => unknown,
  ): Promise<TrainOutcome> {
    const run = this.#run(id);
    if (run.job) {
      throw new PlxError('PLX_ERR_STATE', 'train: this run is already training: pause it first');
    }
    run.job = job;
    run.pausing = false;
    try {
      return await this.#slices(run, request.steps, job, report);
    } finally {
      run.job = undefined;
      if (run.disposed) this.#free(run);
    }
  }

  async #slices(
    run: Run,
    most: number,
    job: Job,
    report: (report: TrainReport) => unknown,
  ): Promise<TrainOutcome> {
    const { training, peak } = run;
    const last = training.progress.step + most;
    let told: unknown;
    let from = training.progress.step;
    let due = performance.now() + SLICE_MS;
    const tell = async () => {
      const { step, steps, epoch, loss } = training.progress;
      const news: TrainReport = {
        ...{ step, steps, epoch, loss },
        losses: training.losses(from),
        milliseconds: training.milliseconds,
        peak: peak.gflops,
      };
      /* A listener may be slow: training then waits, at most one slice ahead. */
      await told;
      told = job.told(report(news));
      from = step;
    };
    for (;;) {
      const { step, steps, done } = training.progress;
      if (job.cancelled) {
        throw new PlxError('PLX_ERR_CANCELLED', `train: cancelled after ${step} of ${steps} steps`);
      }
      if (done || step >= last || run.pausing) {
        if (step > from) await tell();
        /* The reply uses a different port from the reports: wait until the last one has arrived. */
        await told;
        const reason = done ? 'done' : step >= last ? 'steps' : 'paused';
        return { reason, step, steps, milliseconds: training.milliseconds };
      }
      peak.sample();
      training.slice(job, last);
      if (performance.now() >= due || job.cancelled) {
        due = performance.now() + SLICE_MS;
        await tell();
      }
      await breathe();
    }
  }

  pause(id: number): void {
    this.#run(id).pausing = true;
  }

  setRate(id: number, rate: number): void {
    const heap = this.#heap;
    heap.check(heap.c._plx_js_trainer_set_rate(this.#run(id).training.trainer, rate));
  }

  losses(id: number, from: number): Float32Array {
    return this.#run(id).training.losses(from);
  }

  evaluate(id: number): Measure[] {
    const heap = this.#heap;
    const { address } = this.#run(id);
    heap.check(heap.c._plx_js_learning_evaluate(address));
    return Array.from({ length: heap.read('found').count }, (_, i) => {
      heap.c._plx_js_learning_measure(address, i);
      const { better, goal, ...measure } = heap.read('measure');
      return {
        ...measure,
        better: isBetter(better) ? better : 'none',
        ...(Number.isNaN(goal) ? {} : { goal }),
      };
    });
  }

  exhibits(id: number): Exhibit[] {
    const heap = this.#heap;
    const { address } = this.#run(id);
    heap.check(heap.c._plx_js_learning_exhibit(address));
    return Array.from({ length: heap.read('found').count }, (_, i) => {
      heap.c._plx_js_learning_exhibit_at(address, i);
      return this.#exhibit();
    });
  }

  /** Reads the results of plx_js_learning_exhibit_at. */
  #exhibit(): Exhibit {
    const heap = this.#heap;
    const { kind: code, values, labels, labelBytes, ...exhibit } = heap.read('exhibit');
    const { count, rows, columns, channels } = exhibit;
    const kind = KINDS[code] ?? 'text';
    const size = values === 0 ? 0 : count * rows * columns * channels;
    const named = kind === 'matrix' ? rows : kind === 'images' ? count : columns;
    return {
      ...exhibit,
      kind,
      values: heap.floats(values, size).slice(),
      labels: Array.from({ length: labels === 0 ? 0 : named }, (_, i) =>
        heap.text(labels + i * labelBytes),
      ),
    };
  }

  weights(id: number): Weight[] {
    return readWeights(this.#heap, this.#heap.c._plx_js_learning_model(this.#run(id).address));
  }

  held(id: number, i: number): HeldSample {
    const heap = this.#heap;
    heap.check(heap.c._plx_js_learning_held(this.#run(id).address, i));
    const { x, xSize, xIds, y, ySize, yIds } = heap.read('held');
    const values = (from: number, size: number, ids: boolean) =>
      new (ids ? Int32Array : Float32Array)(heap.c.wasmMemory.buffer, from, size).slice();
    return { x: values(x, xSize, xIds), y: values(y, ySize, yIds) };
  }

  dispose(id: number): boolean {
    const run = this.#runs.get(id);
    if (!run) return false;
    this.#runs.delete(id);
    run.disposed = true;
    /* The slice that is running still needs it. */
    if (run.job) run.job.cancel();
    else this.#free(run);
    return true;
  }

  #free({ address, loans }: Run): void {
    this.#heap.c._plx_js_learning_free(address);
    for (const loan of loans) this.#heap.c._plx_js_free(loan);
  }
}
