/** How smoothly the page is drawn while something learns: frames a second and the longest gap. */
import type { AppState } from './state.js';
import type { Store } from './store.js';

export interface Frames {
  /** Mean over the last seconds. */
  perSecond: number;
  /** Longest milliseconds from one frame to the next, over the whole time. */
  longest: number;
}

/** Milliseconds over which frames are counted, and between two updates of the page. */
const over = 2_000;
const publishEvery = 500;

/** Whether steps are being taken, in any of the views that train. */
const isTraining = ({
  training,
  table,
  twins,
}: Pick<AppState, 'training' | 'table' | 'twins'>): boolean =>
  [training, table, twins].some(({ phase }) => phase === 'running');

/** Counts frames by their times, in milliseconds. */
export class FrameMeter {
  #times: number[] = [];
  #longest = 0;

  add(time: number): void {
    const last = this.#times.at(-1);
    if (last !== undefined) this.#longest = Math.max(this.#longest, time - last);
    this.#times.push(time);
    while (time - this.#times[0]! > over) this.#times.shift();
  }

  /** Forgets the last frame: what follows is not a gap. */
  interrupt(): void {
    this.#times = [];
  }

  /** Undefined before the second frame. */
  get frames(): Frames | undefined {
    const [first, last] = [this.#times[0], this.#times.at(-1)];
    if (first === undefined || last === undefined || last <= first) return undefined;
    const perSecond = (1000 * (this.#times.length - 1)) / (last - first);
    return { perSecond, longest: this.#longest };
  }
}

/** Measures while a task, a table or two engines are being trained. */
export function keepFrames(store: Store<AppState>): void {
  let meter = new FrameMeter();
  let measuring = false;
  let published = 0;
  let asked = 0;
  const frame = (time: number) => {
    meter.add(time);
    if (time - published >= publishEvery) {
      published = time;
      const { frames } = meter;
      if (frames) store.set({ frames });
    }
    asked = requestAnimationFrame(frame);
  };
  /* A hidden page draws nothing. */
  document.addEventListener('visibilitychange', () => meter.interrupt());
  store.watch(['training', 'table', 'twins'], (state) => {
    const active = isTraining(state);
    if (active === measuring) return;
    measuring = active;
    if (!active) {
      cancelAnimationFrame(asked);
      return;
    }
    meter = new FrameMeter();
    published = performance.now();
    store.set({ frames: undefined });
    asked = requestAnimationFrame(frame);
  });
}
