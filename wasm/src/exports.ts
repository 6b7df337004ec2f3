import type { ThreadOptions, ThreadPool } from './threads.js';

/** What the generated glue code gives. */
export interface GlueModule {
  readonly wasmMemory: WebAssembly.Memory;
  /** Only in modules with threads. */
  readonly PThread?: ThreadPool;
}

/**
 * The functions of wasm/exports.c and of the files exports_*.c beside it as JavaScript sees them. The
 * build gives them the short names that they have in the module.
 * Pointers and counts are numbers, booleans 0 or 1; what a function leaves in the results array is
 * listed there.
 */
export interface Exports extends GlueModule {
  _plx_js_results(): number;
  _plx_js_message(): number;
  _plx_js_status_name(status: number): number;
  _plx_js_version(): number;
  _plx_js_start(reproducible: number): number;
  _plx_js_set_threads(cpus: number, threads: number): number;
  _plx_js_info(): void;
  _plx_js_alloc(bytes: number): number;
  _plx_js_free(memory: number): void;
  _plx_js_activation_name(i: number): number;
  _plx_js_optimizer_name(i: number): number;

  _plx_js_layer_field(i: number): number;
  _plx_js_layer_name(kind: number): number;
  _plx_js_weights_new(seed: number): number;
  _plx_js_weights_free(weights: number): void;
  _plx_js_weights_count(weights: number): number;
  _plx_js_weights_at(weights: number, i: number): void;
  _plx_js_graph_layer(
    graph: number,
    weights: number,
    x: number,
    training: number,
    count: number,
    numbers: number,
    names: number,
  ): number;

  _plx_js_model_new(rank: number, dims: number, vocabulary: number, seed: number): number;
  _plx_js_model_named(name: number, seed: number): number;
  _plx_js_model_free(model: number): void;
  _plx_js_model_add(model: number, count: number, numbers: number, names: number): number;
  _plx_js_model_name(i: number): number;
  _plx_js_model_setting(model: number, key: number): number;
  _plx_js_model_ports(model: number, outputs: number): number;
  _plx_js_model_port(model: number, output: number, i: number): void;
  _plx_js_model_layers(model: number): number;
  _plx_js_model_layer(model: number, i: number): void;
  _plx_js_model_weights(model: number): number;
  _plx_js_predict(model: number, n: number, inputs: number, batch: number, out: number): number;
  _plx_js_evaluate(
    model: number,
    output: number,
    loss: number,
    n: number,
    inputs: number,
    targets: number,
    classes: number,
    confusion: number,
  ): number;

  _plx_js_optimizer(
    kind: number,
    rate: number,
    momentum: number,
    nesterov: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    weightDecay: number,
  ): void;
  _plx_js_optimizer_new(count: number, parameters: number): number;
  _plx_js_optimizer_free(optimizer: number): void;
  _plx_js_optimizer_set_rate(optimizer: number, rate: number): number;
  _plx_js_schedule_name(i: number): number;
  _plx_js_recipe(
    schedule: number,
    warmup: number,
    floor: number,
    every: number,
    factor: number,
    clipNorm: number,
    labelSmoothing: number,
    accumulate: number,
  ): void;
  _plx_js_validation(
    n: number,
    x: number,
    y: number,
    patience: number,
    minImprovement: number,
  ): void;
  _plx_js_model_optimizer(model: number): number;
  _plx_js_trainer_new(
    model: number,
    loss: number,
    n: number,
    x: number,
    y: number,
    batch: number,
    epochs: number,
    shuffle: number,
    seed: number,
    state: number,
  ): number;
  _plx_js_trainer_free(trainer: number): void;
  _plx_js_trainer_run(trainer: number, maxSteps: number): number;
  _plx_js_trainer_losses(trainer: number): void;
  _plx_js_trainer_set_rate(trainer: number, rate: number): number;
  _plx_js_trainer_memory(trainer: number): void;
  _plx_js_trainer_plan(trainer: number): number;

  _plx_js_plan_new(model: number, batch: number): number;
  _plx_js_plan_free(plan: number): void;
  _plx_js_plan_steps(plan: number): number;
  _plx_js_plan_flops(plan: number): number;
  _plx_js_plan_memory(plan: number): void;
  _plx_js_plan_step(plan: number, i: number): void;

  _plx_js_tensor_new(dtype: number, rank: number, dims: number): number;
  _plx_js_tensor_free(tensor: number): void;
  _plx_js_graph_new(): number;
  _plx_js_graph_free(graph: number): void;
  _plx_js_graph_input(
    graph: number,
    name: number,
    dtype: number,
    rank: number,
    dims: number,
  ): number;
  _plx_js_graph_parameter(graph: number, name: number, tensor: number): number;
  _plx_js_graph_update(graph: number, optimizer: number, count: number, gradients: number): number;
  _plx_js_graph_shape(graph: number, node: number): void;
  _plx_js_builder_name(builder: number): number;
  _plx_js_graph_node(
    graph: number,
    builder: number,
    count: number,
    inputs: number,
    size: number,
    numbers: number,
    room: number,
    results: number,
  ): number;
  _plx_js_graph_compile(graph: number, count: number, outputs: number): number;
  _plx_js_plan_bind(plan: number, graph: number, input: number, data: number): number;
  _plx_js_plan_run(plan: number): number;
  _plx_js_plan_output(plan: number, graph: number, output: number): number;

  _plx_js_generator_new(model: number, seed: number): number;
  _plx_js_generator_free(generator: number): void;
  _plx_js_generator_feed(generator: number, count: number, ids: number): number;
  _plx_js_generator_logits(generator: number): number;
  _plx_js_generator_next(generator: number, temperature: number, topK: number): number;
  _plx_js_generator_reset(generator: number): void;

  _plx_js_idx(bytes: number, size: number): number;
  _plx_js_csv(text: number, size: number): number;
  _plx_js_csv_free(): void;

  _plx_js_task_name(i: number): number;
  _plx_js_task_description(i: number): number;
  _plx_js_task_takes(i: number): number;
  _plx_js_learning_new(): number;
  _plx_js_learning_free(run: number): void;
  _plx_js_learning_text(run: number, text: number, bytes: number, source: number): void;
  _plx_js_learning_digits(
    run: number,
    images: number,
    imageBytes: number,
    labels: number,
    labelBytes: number,
    source: number,
  ): number;
  _plx_js_learning_table(run: number, text: number, bytes: number, source: number): number;
  _plx_js_learning_open(
    run: number,
    task: number,
    model: number,
    optimizer: number,
    size: number,
    seed: number,
    steps: number,
    batch: number,
    rate: number,
  ): number;
  _plx_js_learning_trainer(run: number): number;
  _plx_js_learning_about(run: number): void;
  _plx_js_learning_evaluate(run: number): number;
  _plx_js_learning_measure(run: number, i: number): void;
  _plx_js_learning_exhibit(run: number): number;
  _plx_js_learning_exhibit_at(run: number, i: number): void;
  _plx_js_peak(rounds: number): number;

  _plx_js_build_commit(): number;
  _plx_js_build_compiler(): number;
  _plx_js_suite_name(i: number): number;
  _plx_js_suite_description(i: number): number;
  _plx_js_bench_free(): void;
  _plx_js_bench_digits(
    images: number,
    imageBytes: number,
    labels: number,
    labelBytes: number,
    source: number,
  ): number;
  _plx_js_bench_new(
    suites: number,
    cases: number,
    size: number,
    seed: number,
    seconds: number,
    rounds: number,
  ): number;
  _plx_js_bench_expected_ms(): number;
  _plx_js_bench_advance(sliceNs: number): number;
  _plx_js_bench_stop(): void;
  _plx_js_bench_take_row(): number;
  _plx_js_bench_field(i: number): void;
}

/** What the generated glue code takes. */
export interface GlueOptions {
  /** Gives the instance; the module was compiled by the client. */
  instantiateWasm(
    imports: WebAssembly.Imports,
    receive: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ): object;
  /** Fixed shared memory; only in modules with threads. */
  wasmMemory?: WebAssembly.Memory;
  /** Spawns the worker of a thread. */
  plxThread(options: ThreadOptions): Worker;
}

/** The generated glue code: instantiates the module. */
export type Glue = (options: GlueOptions) => Promise<GlueModule>;
