/** The public types of `parallax-nn/inference`. */
import type {
  GraphOptions,
  Load,
  Model,
  ModelOptions,
  NamedModelOptions,
  Parallax,
} from './api.js';
import type { Layer } from './api_layers.js';
import type { Graph } from './graph_api.js';

/** A model that cannot be trained here. */
export type InferenceModel = Omit<Model, 'fit' | 'setRate'>;

/** A graph without gradients and optimizers. */
export type InferenceGraph = Omit<Graph, 'gradients' | 'clipByNorm' | 'update'>;

/** An engine that does not train: models with the weights that they are given, and graphs. */
export interface InferenceParallax
  extends Omit<Parallax, 'sequential' | 'model' | 'optimizer' | 'graph'> {
  /** A stack of layers. Layers that cannot be are reported by the first call that awaits. */
  sequential(layers: Layer[], options?: ModelOptions): InferenceModel;
  /** A model by name: `"mlp:784-200-10"`, `"mlp:5-64-1:tanh"`, `"gpt2-nano"`. */
  model(name: string, options?: NamedModelOptions): InferenceModel;
  /** An empty graph, for networks and computations of your own making. */
  graph(options?: GraphOptions): InferenceGraph;
}

/** Starts an engine that does not train. */
export type LoadInference = Load<InferenceParallax>;
