/** The graphs of an engine: nodes, parameters, optimizers and compiled functions. */
import type { Plan } from './api.js';
import { copyElements, DTYPES } from './dtypes.js';
import { withLayer } from './engine_layers.js';
import { chooseOptimizer, indexOf, names, readPlan } from './engine_plan.js';
import { PlxError } from './errors.js';
import type { DType, GraphArray } from './graph_api.js';
import type { Heap } from './heap.js';
import type { ExtendReply, GraphCall, GraphWeight, InputValue, ValueInfo } from './rpc.js';
import { noTraining } from './without_training.js';

/** Stands for an input that was left out. */
const NONE = -1;

/** The value of plx_weight_role for running statistics. */
const STATE = 2;

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** A value: the library's node with its dtype and shape. */
interface Value extends ValueInfo {
  node: number;
}

/** A tensor outside the graph. */
interface Tensor {
  address: number;
  data: number;
}

/** A compiled function with the memory of its inputs. */
interface LiveFunction {
  plan: number;
  /** The graph's inputs when it was compiled. */
  inputs: readonly number[];
  /** Memory of each input. */
  data: Map<number, number>;
  outputs: readonly number[];
}

interface LiveGraph {
  address: number;
  /** The weights of its layers, in the library. */
  weights: number;
  values: Value[];
  inputs: number[];
  /** Optimizers by the value that stands for them. */
  tensors: Map<number, Tensor>;
  optimizers: Map<number, number>;
  functions: Map<number, LiveFunction>;
}

export class EngineGraphs {
  readonly #heap: Heap;
  readonly #graphs = new Map<number, LiveGraph>();
  readonly #builders: string[];
  readonly #optimizers: string[];

  constructor(heap: Heap) {
    this.#heap = heap;
    this.#builders = names(heap, (i) => heap.c._plx_js_builder_name(i));
    this.#optimizers = names(heap, (i) => heap.c._plx_js_optimizer_name(i));
  }

  /** The names of the library's builders, in its order. */
  get builders(): readonly string[] {
    return this.#builders;
  }

  /** Adds nodes, up to the first call that fails. */
  extend(id: number, calls: readonly GraphCall[], seed: number): ExtendReply {
    const graph = this.#graphs.get(id) ?? this.#open(id, seed);
    const first = graph.values.length;
    for (const [index, call] of calls.entries()) {
      try {
        this.#apply(graph, call);
      } catch (error) {
        if (!(error instanceof PlxError)) throw error;
        const { codeName, message } = error;
        return { failure: { index, codeName, message } };
      }
    }
    return { values: graph.values.slice(first).map(({ shape, dtype }) => ({ shape, dtype })) };
  }

  #open(id: number, seed: number): LiveGraph {
    const heap = this.#heap;
    heap.check(heap.c._plx_js_weights_new(seed));
    const weights = heap.made();
    heap.check(heap.c._plx_js_graph_new());
    const graph: LiveGraph = {
      address: heap.made(),
      weights,
      values: [],
      inputs: [],
      tensors: new Map(),
      optimizers: new Map(),
      functions: new Map(),
    };
    this.#graphs.set(id, graph);
    return graph;
  }

  #graph(id: number): LiveGraph {
    const graph = this.#graphs.get(id);
    if (!graph) throw new PlxError('PLX_ERR_STATE', 'this graph was disposed');
    return graph;
  }

  #apply(graph: LiveGraph, call: GraphCall): void {
    switch (call.kind) {
      case 'input':
        this.#input(graph, call);
        break;
      case 'parameter':
        this.#parameter(graph, call);
        break;
      case 'layer':
        this.#layer(graph, call);
        break;
      case 'node':
        this.#node(graph, call);
        break;
      case 'update':
        this.#update(graph, call);
        break;
    }
  }

  /** Makes the node just added the next value. */
  #add(graph: LiveGraph): number {
    return this.#addNode(graph, this.#heap.read('node').place);
  }

  #addNode(graph: LiveGraph, node: number): number {
    const heap = this.#heap;
    heap.c._plx_js_graph_shape(graph.address, node);
    const { shape, dtype } = heap.read('like');
    return graph.values.push({ node, shape, dtype: DTYPES[dtype] ?? 'float32' }) - 1;
  }

  #input(graph: LiveGraph, call: Extract<GraphCall, { kind: 'input' }>): void {
    const heap = this.#heap;
    const dtype = DTYPES.indexOf(call.dtype);
    heap.with([Float64Array.from(call.shape)], (dims) =>
      heap.withText(call.name, (name) =>
        heap.check(
          heap.c._plx_js_graph_input(graph.address, name, dtype, call.shape.length, dims as number),
        ),
      ),
    );
    graph.inputs.push(this.#add(graph));
  }

  #parameter(graph: LiveGraph, call: Extract<GraphCall, { kind: 'parameter' }>): void {
    const heap = this.#heap;
    heap.with([Float64Array.from(call.shape)], (dims) =>
      heap.check(heap.c._plx_js_tensor_new(0, call.shape.length, dims as number)),
    );
    const { address, data, size } = heap.read('tensor');
    /* Register it first, so that it is freed with the graph whatever happens next. */
    graph.tensors.set(graph.values.length, { address, data });
    if (call.values) heap.floats(data, size).set(call.values);
    heap.withText(call.name, (name) =>
      heap.check(heap.c._plx_js_graph_parameter(graph.address, name, address)),
    );
    this.#add(graph);
  }

  #layer(graph: LiveGraph, call: Extract<GraphCall, { kind: 'layer' }>): void {
    const heap = this.#heap;
    const { address, weights } = graph;
    const x = graph.values[call.x]!.node;
    withLayer(heap, call.layer, (count, numbers, text) =>
      heap.check(
        heap.c._plx_js_graph_layer(
          ...([address, weights, x, Number(call.training), count, numbers, text] as const),
        ),
      ),
    );
    this.#add(graph);
  }

  /** Lists the weights of the graph's layers in the order of their creation. */
  weights(id: number): GraphWeight[] {
    const { c } = this.#heap;
    const { weights } = this.#graph(id);
    return Array.from({ length: c._plx_js_weights_count(weights) }, (_, i) => {
      c._plx_js_weights_at(weights, i);
      const { name, shape, role } = this.#heap.read('weight');
      return { name, shape, trained: role !== STATE };
    });
  }

  /** Returns the tensor of a parameter or, for value <= -2, of weight -2 - value of the layers. */
  #tensor(graph: LiveGraph, value: number): Tensor {
    if (value >= 0) return graph.tensors.get(value)!;
    this.#heap.c._plx_js_weights_at(graph.weights, -2 - value);
    return this.#heap.read('weight');
  }

  #ids(graph: LiveGraph, values: readonly number[]): Int32Array {
    return Int32Array.from(values, (value) => {
      if (value >= 0) return graph.values[value]!.node;
      return value === NONE ? NONE : this.#weightNode(graph, value);
    });
  }

  /** Returns the node of a tensor, always the same one. */
  #weightNode(graph: LiveGraph, value: number): number {
    const heap = this.#heap;
    const { address } = this.#tensor(graph, value);
    heap.withText('', (name) =>
      heap.check(heap.c._plx_js_graph_parameter(graph.address, name, address)),
    );
    return heap.read('node').place;
  }

  #node(graph: LiveGraph, call: Extract<GraphCall, { kind: 'node' }>): void {
    const heap = this.#heap;
    const builder = this.#builders.indexOf(call.builder);
    if (builder < 0) {
      throw new PlxError('PLX_ERR_UNSUPPORTED', `${call.builder}: not available in this engine`);
    }
    const { inputs, numbers } = call;
    const ids = this.#ids(graph, inputs);
    const room = new Int32Array(call.results);
    const nodes = heap.with([ids, Float64Array.from(numbers), room], (x, n, y) => {
      heap.check(
        heap.c._plx_js_graph_node(
          graph.address,
          builder,
          inputs.length,
          x as number,
          numbers.length,
          n as number,
          room.length,
          y as number,
        ),
      );
      return [...new Int32Array(heap.c.wasmMemory.buffer, y, heap.read('nodes').count)];
    });
    for (const node of nodes) this.#addNode(graph, node);
  }

  #update(graph: LiveGraph, call: Extract<GraphCall, { kind: 'update' }>): void {
    if (!PLX_TRAINING) throw noTraining('update');
    const heap = this.#heap;
    const kind = indexOf(this.#optimizers, call.optimizer.kind, 'optimizer');
    chooseOptimizer(heap, kind, call.optimizer);
    const tensors = call.parameters.map((value) => this.#tensor(graph, value).address);
    heap.with([Int32Array.from(tensors)], (list) =>
      heap.check(heap.c._plx_js_optimizer_new(tensors.length, list as number)),
    );
    const optimizer = heap.made();
    graph.optimizers.set(graph.values.length, optimizer);
    const ids = this.#ids(graph, call.gradients);
    heap.with([ids], (gradients) =>
      heap.check(
        heap.c._plx_js_graph_update(graph.address, optimizer, ids.length, gradients as number),
      ),
    );
    this.#add(graph);
  }

  setRate(id: number, update: number, rate: number): void {
    if (!PLX_TRAINING) throw noTraining('setRate');
    const optimizer = this.#graph(id).optimizers.get(update);
    const heap = this.#heap;
    if (optimizer) heap.check(heap.c._plx_js_optimizer_set_rate(optimizer, rate));
  }

  compile(id: number, name: number, outputs: number[], updates: number[]): void {
    const heap = this.#heap;
    const graph = this.#graph(id);
    const ids = this.#ids(graph, [...outputs, ...updates]);
    heap.with([ids], (nodes) =>
      heap.check(heap.c._plx_js_graph_compile(graph.address, ids.length, nodes as number)),
    );
    graph.functions.set(name, {
      plan: heap.made(),
      inputs: [...graph.inputs],
      data: new Map(),
      outputs,
    });
  }

  #value(graph: LiveGraph, value: number): Value {
    if (value >= 0) return graph.values[value]!;
    const shape = this.#shapeOf(graph, value);
    return { node: this.#weightNode(graph, value), shape, dtype: 'float32' };
  }

  #function(graph: LiveGraph, name: number): LiveFunction {
    const compiled = graph.functions.get(name);
    if (!compiled) throw new PlxError('PLX_ERR_STATE', 'this function was disposed');
    return compiled;
  }

  run(id: number, name: number, inputs: readonly InputValue[]): GraphArray<DType>[] {
    const heap = this.#heap;
    const graph = this.#graph(id);
    const compiled = this.#function(graph, name);
    const given = new Map(inputs.map(({ value, data }) => [value, data]));
    for (const input of compiled.inputs) {
      const data = given.get(input);
      /* Unbind inputs that are not given, so that the library reports them as missing. */
      const address = data ? this.#place(compiled, input, data) : 0;
      const { node } = graph.values[input]!;
      heap.check(heap.c._plx_js_plan_bind(compiled.plan, graph.address, node, address));
    }
    heap.check(heap.c._plx_js_plan_run(compiled.plan));
    return compiled.outputs.map((output) => {
      const { node, shape, dtype } = this.#value(graph, output);
      const address = heap.c._plx_js_plan_output(compiled.plan, graph.address, node);
      const data = copyElements(heap.c.wasmMemory.buffer, address, dtype, sizeOf(shape));
      return { data, shape: [...shape] } as GraphArray<DType>;
    });
  }

  /** Copies data into the input's memory, which is allocated in the first run. */
  #place(compiled: LiveFunction, input: number, data: Float32Array | Int32Array): number {
    const heap = this.#heap;
    const address = compiled.data.get(input);
    if (address === undefined) {
      const made = heap.copyIn(data);
      compiled.data.set(input, made);
      return made;
    }
    const to = new Uint8Array(heap.c.wasmMemory.buffer, address, data.byteLength);
    to.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return address;
  }

  explain(id: number, name: number): Plan {
    return readPlan(this.#heap, this.#function(this.#graph(id), name).plan);
  }

  #shapeOf(graph: LiveGraph, value: number): number[] {
    if (value >= 0) return [...graph.values[value]!.shape];
    this.#heap.c._plx_js_weights_at(graph.weights, -2 - value);
    return this.#heap.read('weight').shape;
  }

  read(id: number, parameter: number): GraphArray {
    const graph = this.#graph(id);
    const shape = this.#shapeOf(graph, parameter);
    const { data } = this.#tensor(graph, parameter);
    return { data: this.#heap.floats(data, sizeOf(shape)).slice(), shape };
  }

  write(id: number, parameter: number, values: Float32Array): void {
    const { data } = this.#tensor(this.#graph(id), parameter);
    this.#heap.floats(data, values.length).set(values);
  }

  disposeFunction(id: number, name: number): void {
    const graph = this.#graphs.get(id);
    const compiled = graph?.functions.get(name);
    if (!compiled) return;
    graph?.functions.delete(name);
    this.#heap.c._plx_js_plan_free(compiled.plan);
    for (const address of compiled.data.values()) this.#heap.c._plx_js_free(address);
  }

  dispose(id: number): boolean {
    const { c } = this.#heap;
    const graph = this.#graphs.get(id);
    if (!graph) return false;
    for (const name of [...graph.functions.keys()]) this.disposeFunction(id, name);
    c._plx_js_graph_free(graph.address);
    if (PLX_TRAINING)
      for (const optimizer of graph.optimizers.values()) c._plx_js_optimizer_free(optimizer);
    for (const tensor of graph.tensors.values()) c._plx_js_tensor_free(tensor.address);
    c._plx_js_weights_free(graph.weights);
    this.#graphs.delete(id);
    return true;
  }
}
