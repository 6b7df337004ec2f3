/** Earlier runs in this browser: keeps those that finish, and reads those that are compared with. */
import { download } from './dom.js';
import { capital, count, list, sentence } from './format.js';
import { describeRun, type KeptRun, nameOfRun } from './kept_run.js';
import { pack } from './packing.js';
import { resultSet, toJsonLines } from './result_file.js';
import type { AppState, EarlierState } from './state.js';
import type { Store } from './store.js';

/** Loaded when it is needed: a page that only shows its answer stores nothing. */
const kept = () => import('./kept_store.js');

/** A date is no name for a file where colons are not allowed. */
const fileOf = ({ id }: KeptRun) => `parallax-run-${id.replaceAll(/[:.]/g, '-')}.jsonl`;

export class EarlierRuns {
  /** keepInAddress: writes the runs that are compared with into the address. */
  constructor(
    readonly store: Store<AppState>,
    readonly keepInAddress: (ids: string) => void,
  ) {}

  /** A new run begins: none of those kept is the one that is shown. */
  begin(): void {
    const { current: _, ...others } = this.store.get().earlier;
    this.store.set({ earlier: others });
  }

  /** Keeps the run that has just finished. */
  async keep(): Promise<void> {
    const { browser, run, options } = this.store.get();
    if (!browser || browser.rows.length === 0 || run.phase !== 'done') return;
    await this.#try('This run was not kept in this browser', async () => {
      const bytes = await pack(toJsonLines(browser.rows));
      const described = describeRun(browser.rows, options.size, new Date(), bytes.length);
      const { addRun } = await kept();
      const gone = await addRun(described, bytes);
      /* A newer run may have begun meanwhile. */
      const current = this.store.get().browser === browser ? { current: described.id } : {};
      const left = list(gone.map(nameOfRun));
      const note =
        gone.length > 0 ? `The ${left} left, so that the newest run has room.` : undefined;
      this.#set({ ...current, ...(note ? { note } : {}) });
      this.#leave(gone.map(({ id }) => id));
    });
    await this.#list();
  }

  /** Lists what is kept, and reads the runs that the address names. */
  async load(): Promise<void> {
    if (this.store.get().earlier.phase !== 'unread') return;
    this.#set({ phase: 'reading' });
    await this.#list();
    const named = (this.store.get().form.with ?? '').split(',').filter(Boolean);
    const missing: string[] = [];
    for (const id of named) {
      if (this.#find(id)) await this.compare(id, true);
      else missing.push(id);
    }
    if (missing.length === 0) return;
    this.#set({
      problem: `The address names ${count(missing.length, 'run')} that this browser has not kept.`,
    });
    this.#address();
  }

  /** Shows a run beside the others, or no longer. */
  async compare(id: string, on: boolean): Promise<void> {
    const run = this.#find(id);
    if (!run) return;
    this.#leave([id]);
    if (on) {
      await this.#try('', async () => {
        const name = nameOfRun(run);
        const { rowsOfRun } = await kept();
        const set = resultSet(name, await rowsOfRun(run, name));
        this.store.set({ compared: [...this.store.get().compared, { ...set, id }] });
      });
    }
    this.#address();
  }

  async download(id: string): Promise<void> {
    const run = this.#find(id);
    if (!run) return;
    await this.#try('', async () => {
      const { rowsOfRun } = await kept();
      const rows = await rowsOfRun(run, nameOfRun(run));
      download(fileOf(run), 'application/jsonl', toJsonLines(rows));
    });
  }

  async remove(id: string): Promise<void> {
    await this.#try('The run was not removed', async () => (await kept()).removeRun(id));
    this.#leave([id]);
    await this.#list();
  }

  async removeAll(): Promise<void> {
    await this.#try('The runs were not removed', async () => (await kept()).removeAllRuns());
    this.store.set({ compared: [] });
    this.#address();
    await this.#list();
  }

  #find = (id: string): KeptRun | undefined =>
    this.store.get().earlier.runs.find((run) => run.id === id);

  #set(change: Partial<EarlierState>): void {
    this.store.set({ earlier: { ...this.store.get().earlier, ...change } });
  }

  /** These are no longer compared with. */
  #leave(ids: readonly string[]): void {
    const { compared } = this.store.get();
    const left = compared.filter(({ id }) => !ids.includes(id));
    if (left.length === compared.length) return;
    this.store.set({ compared: left });
    this.#address();
  }

  #address(): void {
    this.keepInAddress(
      this.store
        .get()
        .compared.map(({ id }) => id)
        .join(','),
    );
  }

  async #list(): Promise<void> {
    try {
      const { listRuns } = await kept();
      this.#set({ phase: 'ready', ...(await listRuns()) });
    } catch (error) {
      const { storeProblem } = await kept();
      const problem = `${capital(storeProblem(error))}.`;
      this.#set({ phase: 'unavailable', runs: [], unreadable: 0, problem });
    }
  }

  /** Does something with the store. What fails is told, and the page goes on. */
  async #try(what: string, body: () => Promise<void>): Promise<void> {
    const { problem: _, note: __, ...others } = this.store.get().earlier;
    this.store.set({ earlier: others });
    try {
      await body();
    } catch (error) {
      const why = what ? (await kept()).storeProblem(error) : sentence(error);
      this.#set({ problem: what ? `${what}: ${why}.` : why });
    }
  }
}
