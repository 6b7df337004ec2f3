/** The public types of `parallax-nn/inference`. */
import type {
  GraphOptions,
  Load,
  Model,
  ModelOptions,
  NamedModelOptions,
  Parallax,
} from './api.js';
import type { Layer } from './generated/layer_types.js';
import type { Graph } from './graph_api.js';

/** A model without training. */
export type InferenceModel = Omit<Model, 'fit' | 'trainOnBatch' | 'fitDataset' | 'setRate'>;

/** A graph without gradients or optimizers. */
export type InferenceGraph = Omit<Graph, 'gradients' | 'clipByNorm' | 'update'>;

/** An engine without training, for models with existing weights and for graphs. */
export interface InferenceParallax
  extends Omit<Parallax, 'sequential' | 'model' | 'optimizer' | 'graph'> {
  /**
   * Creates a model from a stack of layers. Invalid layers are reported by the first awaited call.
   */
  sequential(layers: readonly Layer[], options?: ModelOptions): InferenceModel;
  /** Creates a model by name: `"mlp:784-200-10"`, `"mlp:5-64-1:tanh"`, `"gpt2-nano"`. */
  model(name: string, options?: NamedModelOptions): InferenceModel;
  /** Creates an empty graph for custom networks and computations. */
  graph(options?: GraphOptions): InferenceGraph;
}

/** Starts an engine without training. */
export type LoadInference = Load<InferenceParallax>;
