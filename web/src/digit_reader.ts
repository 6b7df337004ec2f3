/** Recognises drawn digits with the network that was trained last. */
import { sharesOf } from './digit_image.js';
import type { Runtime } from './runtime.js';
import type { AppState } from './state.js';
import type { Store } from './store.js';
import { TrainedModel } from './trained_model.js';

export class DigitReader {
  readonly #network: TrainedModel;
  /** The image to recognise; undefined: none. */
  #image: Float32Array<ArrayBuffer> | undefined;
  #busy = false;

  constructor(
    readonly store: Store<AppState>,
    readonly runtime: Runtime,
  ) {
    this.#network = new TrainedModel(runtime);
  }

  /** Shows the probabilities of this image; while one is computed, only the latest waits. */
  read(image: Float32Array<ArrayBuffer> | undefined): void {
    this.#image = image;
    if (!image) this.store.set({ reading: { phase: 'none' } });
    else if (!this.#busy) void this.#work();
  }

  async #work(): Promise<void> {
    this.#busy = true;
    try {
      for (let done: unknown; this.#image && this.#image !== done; ) {
        done = this.#image;
        await this.#recognise(this.#image);
      }
    } catch (error) {
      this.#image = undefined;
      const message = await this.runtime.report(error);
      this.store.set({ reading: { phase: 'failed', message } });
    } finally {
      this.#busy = false;
    }
  }

  async #recognise(image: Float32Array<ArrayBuffer>): Promise<void> {
    const { about, learnt } = this.store.get().training;
    if (!about || learnt?.kind !== 'digits') return;
    const model = await this.#network.with({ model: about.model, weights: learnt.weights });
    const shares = sharesOf(await model.predict(image));
    /* Unless the pad was cleared meanwhile. */
    if (this.#image) this.store.set({ reading: { phase: 'known', shares } });
  }
}
