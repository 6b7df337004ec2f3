/** Training on a table of the user's: a network of dense layers, in the page's engine. */
import type { BatchLog, EpochLog, Model } from 'parallax-nn/bench';
import { sharesOf } from './digit_image.js';
import { count, percent, sentence, significant } from './format.js';
import { LossCurve, lossPoint, pointsOf } from './loss_curve.js';
import { type Runtime, wasCancelled } from './runtime.js';
import { smallFile } from './small_file.js';
import type { AppState } from './state.js';
import type { Store } from './store.js';
import {
  describeColumns,
  inputsFor,
  mostInputs,
  problemOf,
  whyNotTarget,
  widthOf,
} from './table_columns.js';
import { type Encoding, encodeRows, type Part, type Prepared, prepare } from './table_data.js';
import { readRows, readTable, type Table } from './table_file.js';
import { emptyTable, isTableActive, type TableResult, type TableState } from './table_state.js';
import { TrainedModel } from './trained_model.js';

/** What to learn; undefined stands for the page's choice. */
export interface TableChoice {
  target: string;
  kind: string | undefined;
  /** Units of the hidden layers, "64-64"; empty: none. */
  hidden: string;
  epochs: number | undefined;
  seed: number;
}

const rate = 3e-3;
/** Steps that training should have at least, unless the epochs are chosen. */
const enoughSteps = 3_000;
const [leastEpochs, mostEpochs] = [20, 300];
/** Most points in the chart of the fit. */
const mostPoints = 400;
const publishEvery = 100;
/** Most rows to predict at once. */
const mostRows = 1_000;

/** Samples of a minibatch for so many rows. */
export const batchFor = (rows: number): number => (rows < 500 ? 16 : rows < 5_000 ? 32 : 128);

/** Epochs that give enough steps for so many rows. */
export function epochsFor(rows: number): number {
  const perEpoch = Math.ceil(rows / batchFor(rows));
  return Math.min(mostEpochs, Math.max(leastEpochs, Math.ceil(enoughSteps / perEpoch)));
}

/** The units of the hidden layers. Throws a sentence if the text is something else. */
export function hiddenUnits(text: string): number[] {
  if (['', 'none'].includes(text.trim())) return [];
  const parts = text.trim().split('-');
  const units = parts.map(Number);
  const valid = parts.every((part) => /^\d{1,4}$/.test(part)) && units.every((n) => n >= 1);
  if (valid && units.length <= 6 && units.every((n) => n <= 1024)) return units;
  throw new Error(
    `Hidden layers: “${text}” is not understood: give the units of at most 6 layers, each 1 to 1024, such as 64-64; none for a linear model.`,
  );
}

/** A gate that training waits at while it is closed. */
class Gate {
  #open: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  close(): void {
    this.#closed ??= new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#open?.();
    this.#closed = undefined;
  }

  get passage(): Promise<void> | undefined {
    return this.#closed;
  }
}

/** One training run: its curve, and the gate at which it pauses. */
class TableSession {
  readonly abort = new AbortController();
  readonly gate = new Gate();
  readonly losses: number[] = [];
  readonly #train = new LossCurve();
  readonly #held = new LossCurve();
  #pending: Partial<TableState> = {};
  #published = 0;

  constructor(readonly show: (change: Partial<TableState>) => void) {}

  onBatch(log: BatchLog): Promise<void> | undefined {
    this.#train.add(pointsOf(log, this.#pending.seconds ?? 0));
    for (const loss of log.losses) this.losses.push(loss);
    this.#pending = { step: log.step, steps: log.steps, seconds: log.milliseconds / 1000 };
    const { passage } = this.gate;
    if (passage || performance.now() - this.#published >= publishEvery) this.publish();
    if (passage) this.show({ phase: 'paused' });
    return passage;
  }

  onEpoch({ validation, milliseconds }: EpochLog): void {
    if (validation) {
      this.#held.add([lossPoint(this.losses.length, milliseconds / 1000, validation.loss)]);
    }
  }

  publish(): void {
    this.#published = performance.now();
    this.show({ ...this.#pending, train: this.#train.points(), held: this.#held.points() });
  }
}

/** The network's name: "mlp:13-64-64-1:relu". */
function nameOf(encoding: Encoding, hidden: readonly number[]): string {
  const outputs = encoding.classes.length || 1;
  return `mlp:${[widthOf(encoding.inputs), ...hidden, outputs].join('-')}:relu`;
}

const lossOf = ({ classes }: Encoding) => (classes.length > 0 ? 'crossentropy' : 'mse');

/** Measures a model on the rows that were held out. */
async function measure(model: Model, encoding: Encoding, held: Part) {
  const { scaling, classes } = encoding;
  const found = await model.evaluate(held.x, held.y, { loss: lossOf(encoding) });
  if (classes.length > 0) {
    const { accuracy, confusion = [] } = found;
    const counts = confusion.map((row) => row.reduce((a, b) => a + b, 0));
    return { classes: { accuracy, confusion, most: Math.max(...counts) / held.lines.length } };
  }
  const outputs = await model.predict(held.x);
  const back = (value: number) => value * scaling.deviation + scaling.mean;
  const every = Math.max(1, Math.ceil(held.lines.length / mostPoints));
  const points = held.lines
    .map((line, i) => ({ line, actual: back(held.y[i]!), predicted: back(outputs[i]!) }))
    .filter((_, i) => i % every === 0);
  return { fit: { rmse: found.rmse * scaling.deviation, r2: found.r2, points } };
}

/** What the view of tables calls. */
export type TableActions = Pick<
  TableTrainer,
  'give' | 'train' | 'pause' | 'resume' | 'stop' | 'predict'
>;

export class TableTrainer {
  readonly #network: TrainedModel;
  #session: TableSession | undefined;
  /** Counts tables and runs, so that what is late is ignored. */
  #starts = 0;

  constructor(
    readonly store: Store<AppState>,
    readonly runtime: Runtime,
  ) {
    this.#network = new TrainedModel(runtime);
  }

  get #state(): TableState {
    return this.store.get().table;
  }

  #show(change: Partial<TableState>): void {
    this.store.set({ table: { ...this.#state, ...change } });
  }

  /** Reads the first of these files as the table. One that cannot be read leaves the last one. */
  async give([file]: readonly File[]): Promise<void> {
    if (!file || isTableActive(this.#state)) return;
    const start = ++this.#starts;
    const before = this.#state;
    this.store.set({ table: { ...before, phase: 'reading' } });
    try {
      const { name, bytes } = await smallFile(file);
      const table = await readTable(name, bytes);
      const columns = await describeColumns(table);
      if (start === this.#starts)
        this.store.set({ table: { ...emptyTable, phase: 'ready', table, columns } });
    } catch (error) {
      if (start === this.#starts)
        this.store.set({ table: { ...before, message: sentence(error) } });
    }
  }

  async train(choice: TableChoice): Promise<void> {
    const { table, columns, phase } = this.#state;
    if (!table || isTableActive({ phase })) return;
    const start = ++this.#starts;
    this.store.set({ table: { ...emptyTable, phase: 'preparing', table, columns } });
    try {
      const hidden = hiddenUnits(choice.hidden);
      const prepared = await this.#prepare(table, choice);
      if (start === this.#starts) await this.#run(prepared, hidden, choice);
    } catch (error) {
      if (start !== this.#starts) return;
      this.#show({ phase: 'ready', message: await this.runtime.report(error) });
    } finally {
      if (start === this.#starts) this.#session = undefined;
    }
  }

  pause(): void {
    if (this.#state.phase !== 'running') return;
    this.#session?.gate.close();
    this.#show({ phase: 'pausing' });
  }

  resume(): void {
    if (this.#state.phase !== 'paused') return;
    this.#session?.gate.open();
    this.#show({ phase: 'running' });
  }

  stop(): void {
    if (this.#state.phase === 'preparing') {
      this.#starts += 1;
      this.#show({ phase: 'ready' });
    }
    this.#session?.abort.abort();
    this.#session?.gate.open();
  }

  async #prepare(table: Table, choice: TableChoice): Promise<Prepared> {
    const { columns } = this.#state;
    const target = columns.findIndex(({ name }) => name === choice.target);
    const column = columns[target];
    if (!column) throw new Error(`${table.name} has no column “${choice.target}”.`);
    const problem = problemOf(column, choice.kind);
    const why = whyNotTarget(column, problem);
    if (why) throw new Error(`${table.name}: ${why}`);
    const { inputs, notes } = inputsFor(columns, target);
    const width = widthOf(inputs);
    if (width === 0 || width > mostInputs) {
      throw new Error(
        `${table.name}: ${count(width, 'input')} besides the target: 1 to ${mostInputs.toLocaleString('en')} are possible.`,
      );
    }
    const prepared = await prepare(table, columns, target, problem, inputs, choice.seed);
    return { ...prepared, notes: [...notes, ...prepared.notes] };
  }

  async #run(prepared: Prepared, hidden: readonly number[], choice: TableChoice): Promise<void> {
    const { encoding, train, held, notes } = prepared;
    const { seed } = choice;
    const rows = train.lines.length;
    const [epochs, batch] = [choice.epochs ?? epochsFor(rows), batchFor(rows)];
    const session = new TableSession((change) => {
      if (this.#session === session) this.#show(change);
    });
    this.#session = session;
    this.#show({ phase: 'running', notes });
    const plx = await this.runtime.engine();
    const name = nameOf(encoding, hidden);
    const model = plx.model(name, { seed });
    try {
      const ended = await this.#fit(model, prepared, session, { epochs, batch, seed });
      session.publish();
      const result: TableResult = {
        encoding,
        network: { model: name, weights: await model.getWeights() },
        ...{ trained: rows, held: held.lines.length, epochs, batch, seed },
        losses: session.losses,
        ...(await measure(model, encoding, held)),
      };
      this.#show({ phase: ended, result });
    } finally {
      await model.dispose().catch(() => undefined);
    }
  }

  async #fit(
    model: Model,
    { encoding, train, held }: Prepared,
    session: TableSession,
    { epochs, batch, seed }: { epochs: number; batch: number; seed: number },
  ): Promise<'done' | 'stopped'> {
    try {
      await model.fit(train.x, train.y, {
        epochs,
        batchSize: batch,
        seed,
        loss: lossOf(encoding),
        optimizer: { kind: 'adam', rate },
        validation: { x: held.x, y: held.y },
        signal: session.abort.signal,
        onBatch: (log) => session.onBatch(log),
        onEpoch: (log) => session.onEpoch(log),
      });
      return 'done';
    } catch (error) {
      /* What was learnt until then is measured all the same. */
      if (wasCancelled(error)) return 'stopped';
      throw error;
    }
  }

  /** Predicts the target of rows: the cells of the inputs, one row a line. */
  async predict(text: string): Promise<void> {
    const { result } = this.#state;
    if (!result) return;
    const { encoding, network } = result;
    const names = encoding.inputs.map(({ name }) => name);
    try {
      const { rows, lines } = await readRows(text, encoding.separator, names);
      if (rows.length === 0)
        throw new Error('The rows: there is none. Type or paste at least one.');
      if (rows.length > mostRows) {
        throw new Error(`The rows: ${rows.length} are too many: at most ${mostRows} at a time.`);
      }
      const x = encodeRows(encoding, rows, lines);
      const outputs = await (await this.#network.with(network)).predict(x);
      const columns = [...names, ...predictedColumns(encoding)];
      const predicted = {
        columns,
        rows: rows.map((cells, i) => [...cells, ...predictionOf(encoding, outputs, i)]),
      };
      const { predictMessage: _, ...state } = this.#state;
      if (this.#state.result === result) this.store.set({ table: { ...state, predicted } });
    } catch (error) {
      this.#show({ predictMessage: await this.runtime.report(error) });
    }
  }
}

/** Titles of what is predicted. */
const predictedColumns = ({ target, classes }: Encoding): string[] =>
  classes.length > 0 ? [`${target.name}, predicted`, 'Probability'] : [`${target.name}, predicted`];

/** The prediction of row i as cells. */
function predictionOf(
  { classes, scaling }: Encoding,
  outputs: Float32Array,
  i: number,
): readonly string[] {
  if (classes.length === 0) {
    return [significant(outputs[i]! * scaling.deviation + scaling.mean, 4)];
  }
  const shares = sharesOf(outputs.subarray(i * classes.length, (i + 1) * classes.length));
  const best = shares.indexOf(Math.max(...shares));
  return [classes[best]!, percent(shares[best]!)];
}
