/** The images that the suites and the tasks use, and what the page says about them. */
import { sentence } from './format.js';
import {
  type Digits,
  digitsOf,
  fetchIdx,
  type IdxFile,
  type IdxKind,
  idxCount,
  idxName,
  type SiteDigits,
} from './mnist.js';
import type { AppState } from './state.js';
import type { Store } from './store.js';

/** Holds the images that the user added, or else those that come with the page. */
export class Images {
  readonly #given: Partial<Record<IdxKind, IdxFile>> = {};
  #site: Promise<Digits | undefined> | undefined;

  constructor(
    readonly store: Store<AppState>,
    readonly site: SiteDigits,
  ) {
    store.set({ mnist: { phase: 'offered', images: site.count, from: site.from } });
  }

  /**
   * Images with their labels, as the engine takes them: those that the user added, otherwise those of
   * the site, which are loaded once. Undefined if there are none; then the state says why.
   */
  async load(): Promise<Digits | undefined> {
    if (this.#given.images || this.#given.labels) return digitsOf(this.#given);
    this.#site ??= this.#loadSite();
    const loaded = await this.#site;
    if (!loaded) this.#site = undefined;
    /* Files that the user has added meanwhile take precedence. */
    return this.#given.images || this.#given.labels ? digitsOf(this.#given) : loaded;
  }

  /** Adds an uncompressed file of the user's. */
  add(kind: IdxKind, path: string, bytes: Uint8Array<ArrayBuffer>): void {
    const name = idxName(path);
    this.#given[kind] = { name, bytes };
    const { images, labels } = this.#given;
    const digits = digitsOf(this.#given);
    if (digits) {
      this.#show(digits);
    } else {
      const message =
        images && labels
          ? `${idxCount(images.bytes)} images do not match ${idxCount(labels.bytes)} labels: add the file that belongs to ${name}.`
          : `${name} has the ${kind}; add the file of ${images ? 'labels' : 'images'} too.`;
      this.store.set({ mnist: { phase: 'synthetic', message } });
    }
  }

  #show({ images, source }: Digits): void {
    this.store.set({ mnist: { phase: 'real', source, images: idxCount(images) } });
  }

  async #loadSite(): Promise<Digits | undefined> {
    this.store.set({ mnist: { phase: 'loading' } });
    const waits = () => this.store.get().mnist.phase === 'loading';
    try {
      const [images, labels] = await Promise.all([
        fetchIdx(this.site.images, 'images'),
        fetchIdx(this.site.labels, 'labels'),
      ]);
      const digits = digitsOf({ images, labels });
      if (!digits) throw new Error('The digits of this page do not match their labels.');
      if (waits()) this.#show(digits);
      return digits;
    } catch (error) {
      if (waits()) this.store.set({ mnist: { phase: 'synthetic', message: sentence(error) } });
      return undefined;
    }
  }
}
