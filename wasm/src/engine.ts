/** The engine, which lives in the worker and holds the module, its models and its running jobs. */

import { transfer } from 'comlink';
import type {
  CsvTable,
  Evaluation,
  IdxArray,
  Loss,
  OptimizerOptions,
  Plan,
  Port,
  Weight,
} from './api.js';
import { shapeText } from './arrays.js';
import { DTYPES } from './dtypes.js';
import { loadWeights, saveWeights } from './engine_files.js';
import { Recipe, Training, trainInSlices } from './engine_fit.js';
import { EngineGenerators } from './engine_generation.js';
import { EngineGraphs } from './engine_graph.js';
import { withLayer } from './engine_layers.js';
import { chooseOptimizer, indexOf, names, readPlan } from './engine_plan.js';
import { PORTS, PortData } from './engine_ports.js';
import { readWeights } from './engine_weights.js';
import { PlxError } from './errors.js';
import type { Exports, Glue } from './exports.js';
import { LOSSES } from './generated/kind_lists.js';
import type { DType, GraphArray } from './graph_api.js';
import { Heap } from './heap.js';
import type {
  EngineApi,
  EngineReport,
  ExplainRequest,
  ExtendReply,
  FitReply,
  FitReport,
  FitRequest,
  GivenWeight,
  GraphCall,
  GraphWeight,
  InputValue,
  JobRequest,
  LossRequest,
  ModelPorts,
  ModelSpec,
  PrepareRequest,
  Samples,
  Sampling,
  StackSpec,
  StartRequest,
  SummaryData,
  ThreadsRequest,
  Values,
} from './rpc.js';
import { Job } from './slice.js';
import { Threads } from './threads.js';
import { noTraining } from './without_training.js';

/** The value of plx_loss. */
const lossNumber = (loss: Loss): number => indexOf(LOSSES, loss, 'loss');

/** Most classes for which evaluation counts a confusion matrix. */
const MOST_CLASSES = 1024;

const product = (shape: number[]): number => shape.reduce((a, b) => a * b, 1);

/** A model with the state that keeps its calls in order. */
interface LiveModel extends ModelPorts {
  address: number;
  /** The trainer of the running fit, or 0. */
  trainer: number;
  /** Optimizers whose state carries over, by the client's numbers. */
  optimizers: Map<number, number>;
}

/** Rejects a weight array that does not belong in this position. */
function checkWeight(
  i: number,
  given: GivenWeight,
  own: { name: string; size: number; shape: number[] },
): void {
  const { name, shape, values } = given;
  if (name !== undefined && name !== own.name) {
    throw new PlxError(
      'PLX_ERR_ARGUMENT',
      `setWeights: array ${i} is "${name}", but "${own.name}" is expected: give the arrays in ` +
        'the order of getWeights, or their data alone to go by position',
    );
  }
  if (values.length !== own.size) {
    throw new PlxError(
      'PLX_ERR_SHAPE',
      `setWeights: ${own.name} has ${own.size} values, not ${values.length}`,
    );
  }
  if (shape !== undefined && shapeText(shape) !== shapeText(own.shape)) {
    throw new PlxError(
      'PLX_ERR_SHAPE',
      `setWeights: ${own.name} is ${shapeText(own.shape)}, not ${shapeText(shape)}`,
    );
  }
}

export class Engine implements EngineApi {
  readonly #glue: Glue;
  readonly #threads = new Threads();
  readonly #models = new Map<number, LiveModel>();
  readonly #jobs = new Map<number, Job>();
  #exports: Promise<Exports> | undefined;
  #receiveModule: ((module: WebAssembly.Module) => void) | undefined;
  #heap: Heap | undefined;
  #graphs: EngineGraphs | undefined;
  #generators: EngineGenerators | undefined;
  #optimizers: string[] = [];

  constructor(glue: Glue) {
    this.#glue = glue;
  }

  prepare(request: PrepareRequest): void {
    this.#exports = new Promise((resolve, reject) => {
      let exported: WebAssembly.Exports = {};
      this.#glue({
        instantiateWasm: (imports, receive) => {
          this.#receiveModule = (module) => {
            WebAssembly.instantiate(module, imports)
              .then((instance) => {
                exported = instance.exports;
                receive(instance, module);
              }, reject)
              .catch((cause: Error) => {
                const message = `load: this module is not that of an engine of this version: ${cause.message}`;
                reject(new PlxError('PLX_ERR_FORMAT', message, { cause }));
              });
          };
          return {};
        },
        ...(request.memory ? { wasmMemory: request.memory } : {}),
        plxThread: (options) => this.#threads.spawn(options),
      }).then((own) => resolve(Object.assign(Object.create(exported), own)), reject);
    });
    /* start awaits this; until then a failure must not count as unhandled. */
    this.#exports.catch(() => {});
  }

  async start(request: StartRequest): Promise<EngineReport> {
    this.#receiveModule?.(request.module);
    const c = await this.#exports;
    if (!c) throw new PlxError('PLX_ERR_STATE', 'start: the engine was not prepared');
    const heap = new Heap(c);
    heap.check(c._plx_js_start(Number(request.reproducible)));
    this.#heap = heap;
    this.#optimizers = names(heap, (i) => c._plx_js_optimizer_name(i));
    this.#graphs = new EngineGraphs(heap);
    this.#generators = new EngineGenerators(heap);
    return this.#report(heap);
  }

  makeThreads(count: number): void {
    const pool = this.#h.c.PThread;
    if (pool) this.#threads.make(pool, count);
  }

  async setThreads({ cpus, threads, timeout }: ThreadsRequest): Promise<EngineReport> {
    const heap = this.#h;
    if (heap.c.PThread) {
      await this.#threads.add(heap.c.PThread, cpus - 1, timeout);
      await this.#threads.begin(() => heap.c._plx_js_begin_threads(cpus, threads) !== 0, timeout);
    }
    heap.check(heap.c._plx_js_set_threads(cpus, threads));
    return this.#report(heap);
  }

  #report(heap: Heap): EngineReport {
    heap.c._plx_js_info();
    return {
      version: heap.text(heap.c._plx_js_version()),
      ...heap.read('info'),
      memoryBytes: heap.bytes,
    };
  }

  /** The module's memory, for engines that do more. */
  protected get heap(): Heap {
    return this.#h;
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

  modelNames(): string[] {
    const heap = this.#h;
    return names(heap, (i) => heap.c._plx_js_model_name(i));
  }

  createModel(id: number, spec: ModelSpec, seed: number): ModelPorts {
    const address = 'name' in spec ? this.#named(spec.name, seed) : this.#stacked(spec, seed);
    const inputs = this.#readPorts(address, 0);
    const outputs = this.#readPorts(address, 1);
    this.#models.set(id, { address, trainer: 0, optimizers: new Map(), inputs, outputs });
    return { inputs, outputs };
  }

  #readPorts(model: number, output: 0 | 1): Port[] {
    const heap = this.#h;
    const ports: Port[] = [];
    for (let i = 0; i < heap.c._plx_js_model_ports(model, output); i++) {
      heap.c._plx_js_model_port(model, output, i);
      const port = heap.read('port');
      ports.push({ ...port, dtype: DTYPES[port.dtype] ?? 'float32' });
    }
    return ports;
  }

  #named(name: string, seed: number): number {
    const heap = this.#h;
    heap.check(heap.withText(name, (text) => heap.c._plx_js_model_named(text, seed)));
    return heap.made();
  }

  #stacked({ layers, inputShape, vocabulary }: StackSpec, seed: number): number {
    const heap = this.#h;
    heap.check(
      heap.with([Float64Array.from(inputShape)], (dims) =>
        heap.c._plx_js_model_new(inputShape.length, dims as number, vocabulary, seed),
      ),
    );
    const address = heap.made();
    try {
      for (const layer of layers) {
        withLayer(heap, layer, (count, numbers, text) =>
          heap.check(heap.c._plx_js_model_add(address, count, numbers, text)),
        );
      }
    } catch (error) {
      heap.c._plx_js_model_free(address);
      throw error;
    }
    return address;
  }

  modelSetting(id: number, key: string): number {
    const heap = this.#h;
    const { address } = this.#model(id);
    return heap.withText(key, (text) => heap.c._plx_js_model_setting(address, text));
  }

  disposeModel(id: number): boolean {
    const model = this.#models.get(id);
    if (!model) return false;
    this.#refuseWhileTraining(model, 'dispose');
    this.#models.delete(id);
    this.#generators?.disposeOf(model.address);
    if (PLX_TRAINING)
      for (const state of model.optimizers.values()) this.#h.c._plx_js_optimizer_free(state);
    this.#h.c._plx_js_model_free(model.address);
    return true;
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
      layers.push(heap.read('layer'));
    }
    return {
      inputShape: model.inputs[0]?.shape ?? [],
      layers,
      parameters: layers.reduce((sum, layer) => sum + layer.parameters, 0),
      flops: layers.reduce((sum, layer) => sum + layer.flops, 0),
    };
  }

  explain(id: number, options: ExplainRequest): Plan {
    const model = this.#model(id);
    return options.training
      ? this.#explainTraining(model, options)
      : this.#explainPrediction(model, options.batchSize);
  }

  #explainPrediction(model: LiveModel, batch: number): Plan {
    const heap = this.#h;
    heap.check(heap.c._plx_js_plan_new(model.address, batch));
    const plan = heap.made();
    try {
      return readPlan(this.#h, plan);
    } finally {
      heap.c._plx_js_plan_free(plan);
    }
  }

  /** The plan of a training step belongs to a trainer, so this creates one for a batch of zeros. */
  #explainTraining(model: LiveModel, options: ExplainRequest): Plan {
    if (PLX_TRAINING) {
      const n = options.batchSize;
      const zeros = (port: Port, labels: boolean): Values => {
        const size = n * product(labels ? port.shape.slice(0, -1) : port.shape);
        return labels || port.dtype === 'int32' ? new Int32Array(size) : new Float32Array(size);
      };
      const targets = options.loss === 'own' ? [] : model.outputs;
      const data: Samples = {
        n,
        inputs: model.inputs.map((port) => zeros(port, false)),
        targets: targets.map((port) => zeros(port, options.loss === 'crossentropy')),
      };
      return this.#withPorts(data, (inputs, labels) => {
        const trainer = this.#newTrainer(model, data, inputs, labels, {
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
    throw noTraining('explain');
  }

  /** Runs body with the addresses of two lists: the data of the inputs and of the targets. */
  #withPorts<T>(samples: Samples, body: (inputs: number, targets: number) => T): T {
    const data = new PortData(this.#h);
    try {
      const { inputs, targets } = data.place(samples);
      return body(inputs, targets);
    } finally {
      data.free();
    }
  }

  #optimizerOf(optimizer: OptimizerOptions['kind'] | OptimizerOptions): OptimizerOptions {
    return typeof optimizer === 'string' ? { kind: optimizer } : optimizer;
  }

  /** Returns the model that holds the state of this optimizer. */
  #ownerOf(id: number): LiveModel | undefined {
    return [...this.#models.values()].find(({ optimizers }) => optimizers.has(id));
  }

  /** Returns this optimizer, created if need be; the library rejects that of another model. */
  #stateOf(model: LiveModel, id: number, rate: number | undefined): number {
    if (PLX_TRAINING) {
      const { c } = this.#h;
      const owner = this.#ownerOf(id);
      const known = owner?.optimizers.get(id);
      if (known === undefined) {
        this.#h.check(c._plx_js_model_optimizer(model.address));
        const made = this.#h.made();
        model.optimizers.set(id, made);
        return made;
      }
      if (owner === model && rate !== undefined) c._plx_js_optimizer_set_rate(known, rate);
      return known;
    }
    throw noTraining('fit');
  }

  disposeOptimizer(id: number): void {
    const model = this.#ownerOf(id);
    if (!PLX_TRAINING || !model) return;
    this.#refuseWhileTraining(model, 'dispose');
    this.#h.c._plx_js_optimizer_free(model.optimizers.get(id)!);
    model.optimizers.delete(id);
  }

  #newTrainer(
    model: LiveModel,
    data: Samples,
    x: number,
    y: number,
    request: Pick<
      FitRequest,
      'loss' | 'optimizer' | 'state' | 'batchSize' | 'epochs' | 'shuffle' | 'seed'
    >,
  ): number {
    if (PLX_TRAINING) {
      const { c } = this.#h;
      const { optimizer, state } = request;
      chooseOptimizer(this.#h, indexOf(this.#optimizers, optimizer.kind, 'optimizer'), optimizer);
      const fresh = state !== undefined && !this.#ownerOf(state);
      const kept = state === undefined ? 0 : this.#stateOf(model, state, optimizer.rate);
      const status = c._plx_js_trainer_new(
        model.address,
        lossNumber(request.loss),
        data.n,
        x,
        y,
        request.batchSize,
        request.epochs,
        Number(request.shuffle),
        request.seed,
        kept,
      );
      try {
        this.#h.check(status);
      } catch (error) {
        /* An optimizer must not belong to a model that it failed to train. */
        if (fresh) this.disposeOptimizer(state);
        throw error;
      }
      return this.#h.made();
    }
    throw noTraining('fit');
  }

  async fit(
    id: number,
    request: FitRequest,
    report: (report: FitReport) => unknown,
  ): Promise<FitReply> {
    if (PLX_TRAINING) {
      const heap = this.#h;
      const model = this.#model(id);
      this.#refuseWhileTraining(model, 'fit');
      const recipe = new Recipe(heap, request);
      const data = new PortData(heap);
      const job = new Job(request);
      this.#jobs.set(request.job, job);
      try {
        const lists = data.place(request.data);
        recipe.choose(this.#g.builders);
        const trainer = this.#newTrainer(model, request.data, lists.inputs, lists.targets, request);
        model.trainer = trainer;
        const validates = request.validation !== undefined;
        const training = new Training(heap, trainer, validates, request.metrics);
        return await trainInSlices(training, job, request.reports, report);
      } finally {
        heap.c._plx_js_trainer_free(model.trainer);
        model.trainer = 0;
        this.#jobs.delete(request.job);
        data.free();
        recipe.free();
      }
    }
    throw noTraining('fit');
  }

  setRate(id: number, rate: number): void {
    if (!PLX_TRAINING) throw noTraining('setRate');
    const model = this.#model(id);
    if (model.trainer === 0) {
      throw new PlxError('PLX_ERR_STATE', 'setRate: this model is not being trained');
    }
    this.#h.check(this.#h.c._plx_js_trainer_set_rate(model.trainer, rate));
  }

  predict(
    id: number,
    n: number,
    inputs: Values[],
    batchSize: number,
    outputs: number[],
  ): Float32Array[] {
    const heap = this.#h;
    const model = this.#model(id);
    const size = (output: number) => n * product(model.outputs[output]!.shape);
    const rooms = new Int32Array(PORTS);
    try {
      for (const output of outputs) rooms[output] = heap.alloc(4 * size(output));
      this.#withPorts({ n, inputs, targets: [] }, (from) =>
        heap.with([rooms], (to) =>
          heap.check(heap.c._plx_js_predict(model.address, n, from, batchSize, to as number)),
        ),
      );
      return outputs.map((output) => heap.floats(rooms[output]!, size(output)).slice());
    } finally {
      for (const room of rooms) heap.c._plx_js_free(room);
    }
  }

  /** Calls plx_js_evaluate and returns its results as an object. */
  #metrics(
    model: LiveModel,
    output: number,
    { loss, delta }: LossRequest,
    data: Samples,
    classes = 0,
    confusion = 0,
  ): Evaluation {
    const heap = this.#h;
    const { address } = model;
    const of = [address, output, lossNumber(loss), delta, data.n] as const;
    this.#withPorts(data, (x, y) =>
      heap.check(heap.c._plx_js_evaluate(...of, x, y, classes, confusion)),
    );
    return heap.read('metrics');
  }

  evaluate(id: number, output: number, loss: LossRequest, data: Samples): Evaluation {
    const heap = this.#h;
    const model = this.#model(id);
    const classes = model.outputs[output]?.shape.at(-1) ?? 1;
    /* The confusion matrix of a vocabulary would be larger than the model. */
    if (loss.loss !== 'crossentropy' || classes > MOST_CLASSES) {
      return this.#metrics(model, output, loss, data);
    }
    const cells = heap.alloc(8 * classes * classes);
    try {
      const metrics = this.#metrics(model, output, loss, data, classes, cells);
      const counts = new Float64Array(heap.c.wasmMemory.buffer, cells, classes * classes);
      const row = (label: number) => [...counts.subarray(label * classes, (label + 1) * classes)];
      return { ...metrics, confusion: Array.from({ length: classes }, (_, label) => row(label)) };
    } finally {
      heap.c._plx_js_free(cells);
    }
  }

  get #n(): EngineGenerators {
    if (!this.#generators) throw new PlxError('PLX_ERR_STATE', 'the engine has not started');
    return this.#generators;
  }

  createGenerator(generator: number, id: number, seed: number): void {
    const model = this.#model(id);
    this.#n.create(generator, model.address, model.outputs[0]?.shape.at(-1) ?? 0, seed);
  }

  feedGenerator(generator: number, ids: Int32Array): void {
    this.#n.feed(generator, ids);
  }

  drawToken(generator: number, sampling: Sampling): number {
    return this.#n.draw(generator, sampling);
  }

  generatorLogits(generator: number): Float32Array {
    return this.#n.logits(generator);
  }

  resetGenerator(generator: number): void {
    this.#n.reset(generator);
  }

  disposeGenerator(generator: number): void {
    this.#n.dispose(generator);
  }

  getWeights(id: number): Weight[] {
    return readWeights(this.#h, this.#model(id).address);
  }

  setWeights(id: number, weights: GivenWeight[]): void {
    const heap = this.#h;
    const model = this.#model(id);
    const own = heap.c._plx_js_model_weights(model.address);
    const count = heap.c._plx_js_weights_count(own);
    if (weights.length !== count) {
      throw new PlxError(
        'PLX_ERR_SHAPE',
        `setWeights: this model has ${count} arrays, not ${weights.length}`,
      );
    }
    const targets = weights.map((weight, i) => {
      heap.c._plx_js_weights_at(own, i);
      const place = heap.read('weight');
      checkWeight(i, weight, place);
      return heap.floats(place.data, weight.values.length);
    });
    targets.forEach((target, i) => {
      target.set(weights[i]!.values);
    });
  }

  saveWeights(id: number, metadata: [string, string][]): Uint8Array<ArrayBuffer> {
    const file = saveWeights(this.#h, this.#model(id).address, metadata);
    return transfer(file, [file.buffer]);
  }

  loadWeights(id: number, file: Uint8Array): void {
    loadWeights(this.#h, this.#model(id).address, file);
  }

  get #g(): EngineGraphs {
    if (!this.#graphs) throw new PlxError('PLX_ERR_STATE', 'the engine has not started');
    return this.#graphs;
  }

  extendGraph(graph: number, calls: GraphCall[], seed: number): ExtendReply {
    return this.#g.extend(graph, calls, seed);
  }

  graphWeights(graph: number): GraphWeight[] {
    return this.#g.weights(graph);
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

  disposeGraph(graph: number): boolean {
    return this.#g.dispose(graph);
  }

  idx(bytes: Uint8Array): IdxArray {
    const heap = this.#h;
    return heap.with([bytes], (address) => {
      heap.check(heap.c._plx_js_idx(address as number, bytes.length));
      const { address: from, count, shape } = heap.read('array');
      const data = new Uint8Array(heap.c.wasmMemory.buffer).slice(from, from + count);
      return { shape, data };
    });
  }

  csv(text: Uint8Array): CsvTable {
    const heap = this.#h;
    return heap.with([text], (address) => {
      heap.check(heap.c._plx_js_csv(address as number, text.length));
      const { address: from, rows, columns, names } = heap.read('csv');
      const { buffer } = heap.c.wasmMemory;
      const values = new Float64Array(buffer, from, rows * columns).slice();
      const table = { rows, columns, values, names };
      heap.c._plx_js_csv_free();
      return table;
    });
  }

  /** Runs a job that `cancel` can stop. */
  protected async withJob<T>(request: JobRequest, body: (job: Job) => Promise<T>): Promise<T> {
    const job = new Job(request);
    this.#jobs.set(request.job, job);
    try {
      return await body(job);
    } finally {
      this.#jobs.delete(request.job);
    }
  }

  cancel(job: number): void {
    this.#jobs.get(job)?.cancel();
  }
}
