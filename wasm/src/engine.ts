/** The engine: holds the module, its models and its running jobs. Lives in the worker. */

import type {
  CsvTable,
  Evaluation,
  ExplainOptions,
  IdxArray,
  Layer,
  Loss,
  OptimizerOptions,
  Plan,
  SuiteInfo,
  Weight,
} from './api.js';
import type { Exhibit, LearningAbout, Measure, TaskInfo, TrainOutcome } from './api_learning.js';
import { listSuites, runBench } from './engine_bench.js';
import { trainInSlices } from './engine_fit.js';
import { EngineGraphs } from './engine_graph.js';
import { EngineLearning, listTasks } from './engine_learning.js';
import { chooseOptimizer, indexOf, memoryUse, names, readPlan } from './engine_plan.js';
import { PlxError } from './errors.js';
import type { Exports, Glue } from './exports.js';
import type { DType, GraphArray } from './graph_api.js';
import { Heap } from './heap.js';
import type {
  BenchReport,
  BenchRequest,
  EngineApi,
  EngineReport,
  ExtendReply,
  FitReply,
  FitReport,
  FitRequest,
  GraphCall,
  InputValue,
  LearnRequest,
  ModelShape,
  ModelSpec,
  PrepareRequest,
  Samples,
  StartRequest,
  SummaryData,
  TrainReport,
  TrainRequest,
} from './rpc.js';
import type { Job } from './slice.js';

/** Values of plx_loss. */
const LOSS: Record<Loss, number> = { mse: 0, crossentropy: 1 };

const product = (shape: number[]): number => shape.reduce((a, b) => a * b, 1);

/** A model with what must be known to keep its calls in order. */
interface LiveModel extends ModelShape {
  address: number;
  /** The trainer of the running fit; 0 without one. */
  trainer: number;
}

export class Engine implements EngineApi {
  readonly #glue: Glue;
  readonly #models = new Map<number, LiveModel>();
  readonly #jobs = new Map<number, Job>();
  #benching = false;
  #exports: Promise<Exports> | undefined;
  #receiveModule: ((module: WebAssembly.Module) => void) | undefined;
  #heap: Heap | undefined;
  #graphs: EngineGraphs | undefined;
  #learning: EngineLearning | undefined;
  #activations: string[] = [];
  #optimizers: string[] = [];

  constructor(glue: Glue) {
    this.#glue = glue;
  }

  prepare(request: PrepareRequest): void {
    this.#exports = new Promise((resolve, reject) => {
      this.#glue({
        instantiateWasm: (imports, receive) => {
          this.#receiveModule = (module) => {
            WebAssembly.instantiate(module, imports).then(
              (instance) => receive(instance, module),
              reject,
            );
          };
          return {};
        },
        ...(request.memory ? { wasmMemory: request.memory } : {}),
        plxWorkers: request.cpus - 1,
      }).then(resolve, reject);
    });
    /* start awaits it; until then a failure is not unhandled. */
    this.#exports.catch(() => {});
  }

  async start(request: StartRequest): Promise<EngineReport> {
    this.#receiveModule?.(request.module);
    const c = await this.#exports;
    if (!c) throw new PlxError('PLX_ERR_STATE', 'start: the engine was not prepared');
    const heap = new Heap(c);
    heap.check(c._plx_js_start(request.cpus, request.threads, Number(request.reproducible)));
    this.#heap = heap;
    this.#activations = names(heap, (i) => c._plx_js_activation_name(i));
    this.#optimizers = names(heap, (i) => c._plx_js_optimizer_name(i));
    this.#graphs = new EngineGraphs(heap);
    this.#learning = new EngineLearning(heap);
    return this.#report(heap);
  }

  #report(heap: Heap): EngineReport {
    heap.c._plx_js_info();
    return {
      version: heap.text(heap.c._plx_js_version()),
      threads: heap.result(0),
      cpus: heap.result(1),
      isa: heap.resultText(8),
      isaNote: heap.resultText(9),
      gemm: heap.resultText(10),
      vectorBits: heap.result(2),
      fma: heap.result(3) === 1,
      exact: heap.result(4) === 1,
      forkJoinNs: heap.result(5),
      gflops: heap.result(6),
      gbytes: heap.result(7),
      memoryBytes: heap.bytes,
    };
  }

  get #h(): Heap {
    if (!this.#heap) throw new PlxError('PLX_ERR_STATE', 'the engine has not started');
    return this.#heap;
  }

  #model(id: number): LiveModel {
    const model = this.#models.get(id);
    if (!model) throw new PlxError('PLX_ERR_STATE', 'this model was disposed');
    return model;
  }

  memory(): number {
    return this.#h.bytes;
  }

  createModel(id: number, spec: ModelSpec, seed: number): ModelShape {
    const heap = this.#h;
    const model = 'name' in spec ? this.#named(spec.name, seed) : this.#stacked(spec.layers, seed);
    const last = heap.c._plx_js_model_layers(model.address) - 1;
    heap.c._plx_js_model_layer(model.address, last);
    model.outputShape = heap.results(3, heap.result(2));
    this.#models.set(id, model);
    return { inputShape: model.inputShape, outputShape: model.outputShape };
  }

  #named(name: string, seed: number): LiveModel {
    const heap = this.#h;
    heap.check(heap.withText(name, (text) => heap.c._plx_js_model_named(text, seed)));
    const address = heap.result(0);
    /* Models with names begin with a dense layer, whose weights are [inputs, units]. */
    heap.c._plx_js_model_parameter(address, 0);
    return { address, trainer: 0, inputShape: [heap.result(3)], outputShape: [] };
  }

  #stacked(layers: Layer[], seed: number): LiveModel {
    const heap = this.#h;
    const inputShape = layers[0]?.inputShape ?? [];
    heap.check(
      heap.with([Float64Array.from(inputShape)], (dims) =>
        heap.c._plx_js_model_new(inputShape.length, dims as number, seed),
      ),
    );
    const address = heap.result(0);
    try {
      for (const layer of layers) heap.check(this.#add(address, layer));
    } catch (error) {
      heap.c._plx_js_model_free(address);
      throw error;
    }
    return { address, trainer: 0, inputShape, outputShape: [] };
  }

  #add(model: number, layer: Layer): number {
    const c = this.#h.c;
    if (layer.kind === 'dropout') return c._plx_js_model_dropout(model, layer.rate);
    const activation = indexOf(this.#activations, layer.activation ?? 'linear', 'activation');
    const parameter = layer.parameter ?? Number.NaN;
    return layer.kind === 'dense'
      ? c._plx_js_model_dense(model, layer.units, activation, parameter)
      : c._plx_js_model_activation(model, activation, parameter);
  }

  disposeModel(id: number): void {
    const model = this.#models.get(id);
    if (!model) return;
    this.#refuseWhileTraining(model, 'dispose');
    this.#models.delete(id);
    this.#h.c._plx_js_model_free(model.address);
  }

  #refuseWhileTraining(model: LiveModel, call: string): void {
    if (model.trainer !== 0) {
      throw new PlxError('PLX_ERR_STATE', `${call}: this model is being trained; wait for fit`);
    }
  }

  summary(id: number): SummaryData {
    const heap = this.#h;
    const model = this.#model(id);
    const layers = [];
    for (let i = 0; i < heap.c._plx_js_model_layers(model.address); i++) {
      heap.c._plx_js_model_layer(model.address, i);
      layers.push({
        kind: heap.resultText(16),
        name: heap.resultText(17),
        outputShape: heap.results(3, heap.result(2)),
        parameters: heap.result(0),
        flops: heap.result(1),
      });
    }
    return {
      inputShape: model.inputShape,
      layers,
      parameters: layers.reduce((sum, layer) => sum + layer.parameters, 0),
      flops: layers.reduce((sum, layer) => sum + layer.flops, 0),
    };
  }

  explain(id: number, options: Required<ExplainOptions>): Plan {
    const model = this.#model(id);
    return options.training
      ? this.#explainTraining(model, options)
      : this.#explainPrediction(model, options.batchSize);
  }

  #explainPrediction(model: LiveModel, batch: number): Plan {
    const heap = this.#h;
    const shape = model.inputShape;
    heap.check(
      heap.with([Float64Array.from(shape)], (dims) =>
        heap.c._plx_js_plan_new(model.address, batch, shape.length, dims as number),
      ),
    );
    const plan = heap.result(0);
    try {
      return readPlan(this.#h, plan);
    } finally {
      heap.c._plx_js_plan_free(plan);
    }
  }

  /** The plan of a training step belongs to a trainer, so one is made for a batch of zeros. */
  #explainTraining(model: LiveModel, options: Required<ExplainOptions>): Plan {
    const n = options.batchSize;
    const data: Samples = {
      n,
      x: new Float32Array(n * product(model.inputShape)),
      y:
        options.loss === 'mse'
          ? new Float32Array(n * product(model.outputShape))
          : new Int32Array((n * product(model.outputShape)) / this.#classes(model)),
    };
    return this.#h.with([data.x, data.y], (x, y) => {
      const trainer = this.#newTrainer(model, data, x as number, y as number, {
        loss: options.loss,
        optimizer: this.#optimizerOf(options.optimizer),
        batchSize: n,
        epochs: 1,
        shuffle: false,
        seed: 0,
      });
      try {
        return readPlan(this.#h, this.#h.c._plx_js_trainer_plan(trainer));
      } finally {
        this.#h.c._plx_js_trainer_free(trainer);
      }
    });
  }

  #optimizerOf(optimizer: OptimizerOptions['kind'] | OptimizerOptions): OptimizerOptions {
    return typeof optimizer === 'string' ? { kind: optimizer } : optimizer;
  }

  #classes(model: LiveModel): number {
    return model.outputShape.at(-1) ?? 1;
  }

  #newTrainer(
    model: LiveModel,
    data: Samples,
    x: number,
    y: number,
    request: Pick<FitRequest, 'loss' | 'optimizer' | 'batchSize' | 'epochs' | 'shuffle' | 'seed'>,
  ): number {
    const { c } = this.#h;
    const kind = indexOf(this.#optimizers, request.optimizer.kind, 'optimizer');
    chooseOptimizer(this.#h, kind, request.optimizer);
    this.#h.check(
      c._plx_js_trainer_new(
        model.address,
        LOSS[request.loss],
        data.n,
        x,
        y,
        request.batchSize,
        request.epochs,
        Number(request.shuffle),
        request.seed,
      ),
    );
    return this.#h.result(0);
  }

  async fit(
    id: number,
    request: FitRequest,
    report: (report: FitReport) => unknown,
  ): Promise<FitReply> {
    const heap = this.#h;
    const model = this.#model(id);
    this.#refuseWhileTraining(model, 'fit');
    const x = heap.copyIn(request.data.x);
    let y = 0;
    const job: Job = { cancelled: false };
    this.#jobs.set(request.job, job);
    try {
      y = heap.copyIn(request.data.y);
      const trainer = this.#newTrainer(model, request.data, x, y, request);
      model.trainer = trainer;
      const validate = () =>
        request.validation ? this.#metrics(model, request.loss, request.validation) : undefined;
      const trained = await trainInSlices(heap, trainer, job, validate, report);
      heap.c._plx_js_trainer_memory(trainer);
      return { ...trained, memory: memoryUse(heap) };
    } finally {
      heap.c._plx_js_trainer_free(model.trainer);
      model.trainer = 0;
      this.#jobs.delete(request.job);
      heap.c._plx_js_free(x);
      heap.c._plx_js_free(y);
    }
  }

  setRate(id: number, rate: number): void {
    const model = this.#model(id);
    if (model.trainer === 0) {
      throw new PlxError('PLX_ERR_STATE', 'setRate: this model is not being trained');
    }
    this.#h.c._plx_js_trainer_set_rate(model.trainer, rate);
  }

  predict(id: number, n: number, x: Float32Array, batchSize: number): Float32Array {
    const heap = this.#h;
    const model = this.#model(id);
    const size = n * product(model.outputShape);
    const out = heap.alloc(4 * size);
    try {
      heap.with([x], (from) =>
        heap.check(heap.c._plx_js_predict(model.address, n, from as number, batchSize, out)),
      );
      return heap.floats(out, size).slice();
    } finally {
      heap.c._plx_js_free(out);
    }
  }

  /** Results of plx_js_evaluate as an object. */
  #metrics(model: LiveModel, loss: Loss, data: Samples, classes = 0, confusion = 0): Evaluation {
    const heap = this.#h;
    heap.with([data.x, data.y], (x, y) =>
      heap.check(
        heap.c._plx_js_evaluate(
          model.address,
          LOSS[loss],
          data.n,
          x as number,
          y as number,
          classes,
          confusion,
        ),
      ),
    );
    const [mean, accuracy, rmse, r2] = heap.results(0, 4) as [number, number, number, number];
    return { loss: mean, accuracy, rmse, r2 };
  }

  evaluate(id: number, loss: Loss, data: Samples): Evaluation {
    const heap = this.#h;
    const model = this.#model(id);
    if (loss === 'mse') return this.#metrics(model, loss, data);
    const classes = this.#classes(model);
    const cells = heap.alloc(8 * classes * classes);
    try {
      const metrics = this.#metrics(model, loss, data, classes, cells);
      const counts = new Float64Array(heap.c.wasmMemory.buffer, cells, classes * classes);
      const row = (label: number) => [...counts.subarray(label * classes, (label + 1) * classes)];
      return { ...metrics, confusion: Array.from({ length: classes }, (_, label) => row(label)) };
    } finally {
      heap.c._plx_js_free(cells);
    }
  }

  getWeights(id: number): Weight[] {
    const heap = this.#h;
    const model = this.#model(id);
    const weights: Weight[] = [];
    for (let i = 0; i < heap.c._plx_js_model_parameters(model.address); i++) {
      heap.c._plx_js_model_parameter(model.address, i);
      weights.push({
        name: heap.resultText(16),
        shape: heap.results(3, heap.result(2)),
        data: heap.floats(heap.result(0), heap.result(1)).slice(),
      });
    }
    return weights;
  }

  setWeights(id: number, weights: Float32Array[]): void {
    const heap = this.#h;
    const model = this.#model(id);
    const count = heap.c._plx_js_model_parameters(model.address);
    if (weights.length !== count) {
      throw new PlxError(
        'PLX_ERR_SHAPE',
        `setWeights: this model has ${count} arrays, not ${weights.length}`,
      );
    }
    const targets = weights.map((weight, i) => {
      heap.c._plx_js_model_parameter(model.address, i);
      if (heap.result(1) !== weight.length) {
        throw new PlxError(
          'PLX_ERR_SHAPE',
          `setWeights: ${heap.resultText(16)} has ${heap.result(1)} values, not ${weight.length}`,
        );
      }
      return heap.floats(heap.result(0), weight.length);
    });
    targets.forEach((target, i) => {
      target.set(weights[i] as Float32Array);
    });
  }

  get #g(): EngineGraphs {
    if (!this.#graphs) throw new PlxError('PLX_ERR_STATE', 'the engine has not started');
    return this.#graphs;
  }

  extendGraph(graph: number, calls: GraphCall[]): ExtendReply {
    return this.#g.extend(graph, calls);
  }

  setGraphRate(graph: number, update: number, rate: number): void {
    this.#g.setRate(graph, update, rate);
  }

  compileGraph(graph: number, name: number, outputs: number[], updates: number[]): void {
    this.#g.compile(graph, name, outputs, updates);
  }

  runFunction(graph: number, name: number, inputs: InputValue[]): GraphArray<DType>[] {
    return this.#g.run(graph, name, inputs);
  }

  explainFunction(graph: number, name: number): Plan {
    return this.#g.explain(graph, name);
  }

  disposeFunction(graph: number, name: number): void {
    this.#g.disposeFunction(graph, name);
  }

  readParameter(graph: number, parameter: number): GraphArray {
    return this.#g.read(graph, parameter);
  }

  writeParameter(graph: number, parameter: number, values: Float32Array): void {
    this.#g.write(graph, parameter, values);
  }

  disposeGraph(graph: number): void {
    this.#g.dispose(graph);
  }

  idx(bytes: Uint8Array): IdxArray {
    const heap = this.#h;
    return heap.with([bytes], (address) => {
      heap.check(heap.c._plx_js_idx(address as number, bytes.length));
      const from = heap.result(0);
      return {
        shape: heap.results(3, heap.result(2)),
        data: new Uint8Array(heap.c.wasmMemory.buffer).slice(from, from + heap.result(1)),
      };
    });
  }

  csv(text: Uint8Array): CsvTable {
    const heap = this.#h;
    return heap.with([text], (address) => {
      heap.check(heap.c._plx_js_csv(address as number, text.length));
      const [values, rows, columns] = heap.results(0, 3) as [number, number, number];
      const table = { rows, columns, values: heap.floats(values, rows * columns).slice() };
      heap.c._plx_js_csv_free();
      return table;
    });
  }

  tasks(): TaskInfo[] {
    return listTasks(this.#h);
  }

  get #l(): EngineLearning {
    if (!this.#learning) throw new PlxError('PLX_ERR_STATE', 'the engine has not started');
    return this.#learning;
  }

  learn(run: number, request: LearnRequest): LearningAbout {
    return this.#l.open(run, request);
  }

  async trainRun(
    run: number,
    request: TrainRequest,
    report: (report: TrainReport) => unknown,
  ): Promise<TrainOutcome> {
    const job: Job = { cancelled: false };
    this.#jobs.set(request.job, job);
    try {
      return await this.#l.train(run, request, job, report);
    } finally {
      this.#jobs.delete(request.job);
    }
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

  disposeRun(run: number): void {
    this.#l.dispose(run);
  }

  suites(): SuiteInfo[] {
    return listSuites(this.#h);
  }

  async bench(request: BenchRequest, report: (report: BenchReport) => unknown): Promise<void> {
    if (this.#benching) {
      throw new PlxError(
        'PLX_ERR_STATE',
        'bench: this engine already runs a bench: wait until it has ended, or stop it',
      );
    }
    const job: Job = { cancelled: false };
    this.#jobs.set(request.job, job);
    this.#benching = true;
    try {
      await runBench(this.#h, request, job, report);
    } finally {
      this.#benching = false;
      this.#jobs.delete(request.job);
    }
  }

  cancel(job: number): void {
    const running = this.#jobs.get(job);
    if (running) running.cancelled = true;
  }
}
