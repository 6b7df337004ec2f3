/** Continues a text with the language model that was trained last. */
import { idsOf, textOf } from './alphabet.js';
import { type Runtime, wasCancelled } from './runtime.js';
import type { AppState, WritingState } from './state.js';
import type { Store } from './store.js';
import { TrainedModel } from './trained_model.js';

/** Characters to write. */
const length = 400;
/** Samples from the likeliest characters only, as the task's own exhibit does. */
const likeliest = 40;
/** Least milliseconds between two updates of the page. */
const publishEvery = 50;

export interface WritingChoice {
  /** What the text begins with. */
  beginning: string;
  /** 0 always takes the likeliest character; 1 samples as the model has learnt. */
  temperature: number;
  seed: number;
}

export class TextWriter {
  readonly #network: TrainedModel;
  #abort: AbortController | undefined;

  constructor(
    readonly store: Store<AppState>,
    readonly runtime: Runtime,
  ) {
    this.#network = new TrainedModel(runtime);
  }

  async write(choice: WritingChoice): Promise<void> {
    const { about, learnt } = this.store.get().training;
    if (!about || learnt?.kind !== 'text' || this.#abort) return;
    const show = (writing: WritingState) => this.store.set({ writing });
    const controller = new AbortController();
    this.#abort = controller;
    let text = choice.beginning;
    let published = 0;
    try {
      if (text === '') throw new Error('Type at least one character for the text to begin with.');
      const ids = idsOf(text, learnt.characters);
      show({ phase: 'writing', text });
      const model = await this.#network.with({ model: about.model, weights: learnt.weights });
      const generator = await model.generator({ seed: choice.seed });
      try {
        await generator.feed(ids);
        const { temperature } = choice;
        const { signal } = controller;
        const options = { count: length, temperature, topK: likeliest, signal };
        for await (const id of generator.generate(options)) {
          text += textOf([id], learnt.characters);
          if (performance.now() - published < publishEvery) continue;
          published = performance.now();
          show({ phase: 'writing', text });
        }
      } finally {
        await generator.dispose();
      }
      show({ phase: 'done', text });
    } catch (error) {
      if (wasCancelled(error)) show({ phase: 'done', text });
      else show({ phase: 'failed', text, message: await this.runtime.report(error) });
    } finally {
      this.#abort = undefined;
    }
  }

  stop(): void {
    this.#abort?.abort();
  }
}
