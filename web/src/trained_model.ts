/** A model in the engine with the weights that were learnt last. */
import type { BenchParallax, Model, Weight } from 'parallax-nn/bench';
import type { Runtime } from './runtime.js';

/** Weights with the full name of the model that they belong to. */
export interface NamedWeights {
  model: string;
  weights: readonly Weight[];
}

/** Keeps one model, and creates it anew only if it is of another kind or the engine has changed. */
export class TrainedModel {
  #kept: { plx: BenchParallax; model: Model; of: NamedWeights } | undefined;

  constructor(readonly runtime: Runtime) {}

  /** Returns the model with these weights. */
  async with(wanted: NamedWeights): Promise<Model> {
    const plx = await this.runtime.engine();
    const kept = this.#kept;
    if (kept?.plx === plx && kept.of.model === wanted.model) {
      if (kept.of.weights !== wanted.weights) await kept.model.setWeights(wanted.weights);
      kept.of = wanted;
      return kept.model;
    }
    this.#kept = undefined;
    if (kept?.plx === plx) await kept.model.dispose();
    const model = plx.model(wanted.model);
    await model.setWeights(wanted.weights);
    this.#kept = { plx, model, of: wanted };
    return model;
  }
}
