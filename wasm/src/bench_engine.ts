/** The engine with the learning tasks and the benchmark suites. */

import type { Weight } from './api.js';
import type { SuiteInfo } from './api_bench.js';
import type {
  Exhibit,
  HeldSample,
  LearningAbout,
  Measure,
  TaskInfo,
  TrainOutcome,
} from './api_learning.js';
import type { Profile } from './api_profile.js';
import type { TimedRuns } from './api_timing.js';
import { Engine } from './engine.js';
import { expectedTime, listSuites, runBench } from './engine_bench.js';
import { EngineLearning, listTasks } from './engine_learning.js';
import { names } from './engine_plan.js';
import { runProfile } from './engine_profile.js';
import { EngineTiming } from './engine_timing.js';
import { PlxError } from './errors.js';
import { BENCH_RESULTS } from './generated/c_results.js';
import type { OptimizerKind } from './generated/kinds.js';
import { knowResults } from './heap.js';
import type { JobRequest } from './rpc.js';
import type {
  BenchEngineApi,
  BenchPlan,
  BenchReport,
  BenchRequest,
  LearnRequest,
  ProfileRequest,
  TimingRequest,
  TrainReport,
  TrainRequest,
} from './rpc_bench.js';
import type { Job } from './slice.js';

knowResults(BENCH_RESULTS);

export class BenchEngine extends Engine implements BenchEngineApi {
  #benching = false;
  #learning: EngineLearning | undefined;
  #timing: EngineTiming | undefined;

  get #l(): EngineLearning {
    this.#learning ??= new EngineLearning(this.heap);
    return this.#learning;
  }

  get #t(): EngineTiming {
    this.#timing ??= new EngineTiming(this.heap);
    return this.#timing;
  }

  tasks(): TaskInfo[] {
    return listTasks(this.heap);
  }

  optimizers(): OptimizerKind[] {
    return names(this.heap, (i) => this.heap.c._plx_js_optimizer_name(i)) as OptimizerKind[];
  }

  learn(run: number, request: LearnRequest): LearningAbout {
    return this.#l.open(run, request);
  }

  trainRun(
    run: number,
    request: TrainRequest,
    report: (report: TrainReport) => unknown,
  ): Promise<TrainOutcome> {
    return this.withJob(request, (job) => this.#l.train(run, request, job, report));
  }

  pauseRun(run: number): void {
    this.#l.pause(run);
  }

  setRunRate(run: number, rate: number): void {
    this.#l.setRate(run, rate);
  }

  evaluateRun(run: number): Measure[] {
    return this.#l.evaluate(run);
  }

  exhibitRun(run: number): Exhibit[] {
    return this.#l.exhibits(run);
  }

  runLosses(run: number, from: number): Float32Array {
    return this.#l.losses(run, from);
  }

  runWeights(run: number): Weight[] {
    return this.#l.weights(run);
  }

  heldSample(run: number, i: number): HeldSample {
    return this.#l.held(run, i);
  }

  disposeRun(run: number): boolean {
    return this.#l.dispose(run);
  }

  suites(): SuiteInfo[] {
    return listSuites(this.heap);
  }

  /** Runs a job that measures, which nothing may disturb. */
  async #alone<T>(call: string, request: JobRequest, body: (job: Job) => Promise<T>): Promise<T> {
    this.#checkIdle(call);
    this.#benching = true;
    try {
      return await this.withJob(request, body);
    } finally {
      this.#benching = false;
    }
  }

  #checkIdle(call: string): void {
    if (!this.#benching) return;
    throw new PlxError(
      'PLX_ERR_STATE',
      `${call}: a benchmark is already running: wait for it or stop it`,
    );
  }

  benchTime(request: BenchPlan): number {
    this.#checkIdle('benchTime');
    return expectedTime(this.heap, request);
  }

  profile(request: ProfileRequest, report: (fraction: number) => unknown): Promise<Profile> {
    return this.#alone('profile', request, (job) => runProfile(this.heap, request, job, report));
  }

  openTiming(timing: number, request: TimingRequest): number {
    this.#checkIdle('timing');
    return this.#t.open(timing, request);
  }

  runTiming(timing: number, times: number): TimedRuns {
    this.#checkIdle('timing');
    return this.#t.run(timing, times);
  }

  hashTiming(timing: number): string {
    return this.#t.hash(timing);
  }

  disposeTiming(timing: number): boolean {
    return this.#t.dispose(timing);
  }

  bench(request: BenchRequest, report: (report: BenchReport) => unknown): Promise<void> {
    return this.#alone('bench', request, (job) => runBench(this.heap, request, job, report));
  }
}
