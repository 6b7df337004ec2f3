/** What trains on this page, and what tries out what was learnt. */
import { DigitReader } from './digit_reader.js';
import type { Images } from './images.js';
import type { Runtime } from './runtime.js';
import type { SelfTestActions } from './self_test_run.js';
import type { AppState } from './state.js';
import type { Store } from './store.js';
import type { TableActions } from './table_training.js';
import { TextWriter, type WritingChoice } from './text_writer.js';
import { TrainedModel } from './trained_model.js';
import { PageTrainer, type Trainer } from './training.js';
import type { TwinActions } from './twins.js';

export interface LearningActions {
  readonly trainer: Trainer;
  /** Recognises a drawn digit with the network that was trained last; undefined: nothing is drawn. */
  readDigit(image: Float32Array<ArrayBuffer> | undefined): void;
  /** Continues a text with the language model that was trained last. */
  write(choice: WritingChoice): Promise<void>;
  stopWriting(): void;
  /** The weights that were learnt last, as a safetensors file; or why there is none. */
  weightsFile(): Promise<Uint8Array<ArrayBuffer> | { problem: string }>;
  /** Learning from a table of the user's; its code is loaded with its view. */
  table(): Promise<TableActions>;
  /** Training in two engines in turns. */
  twins(): Promise<TwinActions>;
  selfTest(): Promise<SelfTestActions>;
}

/** Makes something when it is first asked for. */
function lazy<T>(make: () => Promise<T>) {
  let made: Promise<T> | undefined;
  return {
    get(): Promise<T> {
      made ??= make();
      return made;
    },
    ifMade: (use: (made: T) => void) => void made?.then(use),
  };
}

/** Writes what the last training has learnt; an engine that was lost meanwhile is started again. */
async function weightsFile(
  store: Store<AppState>,
  runtime: Runtime,
): Promise<Uint8Array<ArrayBuffer> | { problem: string }> {
  const { about, learnt } = store.get().training;
  if (!about || !learnt) return { problem: 'Nothing has been learnt yet.' };
  try {
    const { weights } = learnt;
    const model = await new TrainedModel(runtime).with({ model: about.model, weights });
    try {
      return await model.save({ metadata: { task: about.task } });
    } finally {
      await model.dispose();
    }
  } catch (error) {
    return { problem: await runtime.report(error) };
  }
}

/** Creates them all. stopAll: ends what uses an engine, so that nothing slows a run down. */
export function createLearners(
  store: Store<AppState>,
  runtime: Runtime,
  images: Images,
): LearningActions & { stopAll(): void } {
  const trainer = new PageTrainer(store, runtime, () => images.load());
  const reader = new DigitReader(store, runtime);
  const writer = new TextWriter(store, runtime);
  const table = lazy(async () => {
    const { TableTrainer } = await import('./table_training.js');
    return new TableTrainer(store, runtime);
  });
  const twins = lazy(async () => {
    const { TwinTrainer } = await import('./twins.js');
    return new TwinTrainer(store, images);
  });
  const selfTest = lazy(async () => {
    const { SelfTest } = await import('./self_test_run.js');
    return new SelfTest(store);
  });
  return {
    trainer,
    readDigit: (image) => reader.read(image),
    write: (choice) => writer.write(choice),
    stopWriting: () => writer.stop(),
    weightsFile: () => weightsFile(store, runtime),
    table: table.get,
    twins: twins.get,
    selfTest: selfTest.get,
    stopAll() {
      trainer.stop();
      writer.stop();
      table.ifMade((made) => made.stop());
      twins.ifMade((made) => made.stop());
      selfTest.ifMade((made) => made.cancel());
    },
  };
}
