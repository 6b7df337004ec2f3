/** The images that the suites and the tasks use, and what the page says about them. */
import {
  digitsOf,
  fetchIdx,
  type IdxFile,
  type IdxKind,
  idxCount,
  idxName,
  mnistFiles,
} from './mnist.js';
import type { AppState } from './state.js';
import type { Store } from './store.js';

/** Holds the images that were added by the user or found on the page's host. */
export class Images {
  readonly #files: Partial<Record<IdxKind, IdxFile>> = {};
  #search: Promise<void> | undefined;

  constructor(readonly store: Store<AppState>) {}

  /** Images with their labels, as the engine takes them; undefined without both. */
  get digits(): ReturnType<typeof digitsOf> {
    return digitsOf(this.#files);
  }

  /** Settles when no search is in progress. */
  get settled(): Promise<void> {
    return this.#search ?? Promise.resolve();
  }

  /** Looks for the images on this host, once. */
  look(): Promise<void> {
    this.#search ??= this.#look();
    return this.#search;
  }

  /** Adds an uncompressed file. */
  add(kind: IdxKind, path: string, bytes: Uint8Array<ArrayBuffer>): void {
    const name = idxName(path);
    this.#files[kind] = { name, bytes };
    const { images, labels } = this.#files;
    const { digits } = this;
    if (digits) {
      this.store.set({
        mnist: { phase: 'real', source: digits.source, images: idxCount(digits.images) },
      });
    } else {
      const message =
        images && labels
          ? `${idxCount(images.bytes)} images do not match ${idxCount(labels.bytes)} labels: add the file that belongs to ${name}.`
          : `${name} has the ${kind}; add the file of ${images ? 'labels' : 'images'} too.`;
      this.store.set({ mnist: { phase: 'synthetic', message } });
    }
  }

  async #look(): Promise<void> {
    const waits = () => this.store.get().mnist.phase === 'looking';
    try {
      const [images, labels] = await Promise.all([
        fetchIdx(mnistFiles.images, 'images'),
        fetchIdx(mnistFiles.labels, 'labels'),
      ]);
      /* Files that the user has added meanwhile take precedence. */
      if (!waits()) return;
      if (images && labels) {
        this.add('images', mnistFiles.images, images);
        this.add('labels', mnistFiles.labels, labels);
        return;
      }
    } catch {
      /* Having no images is the common case, and shown as such. */
    }
    if (waits()) this.store.set({ mnist: { phase: 'synthetic' } });
  }
}
