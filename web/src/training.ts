/** Training on this page: one network at a time, paused, stopped and steered while it learns. */
import type { BatchLog, EpochLog, Model, Parallax } from 'parallax-nn';
import { inputs, makeSamples, noise, type Split } from './interp5d.js';
import { LossCurve, pointsOf } from './loss_curve.js';
import type { Runtime } from './runtime.js';
import { wasCancelled } from './runtime.js';
import { type AppState, idleTraining, type LossPoint, type TrainingState } from './state.js';
import type { Store } from './store.js';

export interface TrainingChoice {
  samples: number;
  epochs: number;
  rate: number;
  seed: number;
}

export const batchSize = 256;
export interface Trainer {
  start(choice: TrainingChoice): Promise<void>;
  pause(): void;
  resume(): void;
  stop(): void;
  setRate(rate: number): void;
}

/** A promise that waits while the user does. */
class Gate {
  #open: (() => void) | undefined;
  #passed = Promise.resolve();

  close(): void {
    if (this.#open) return;
    this.#passed = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#open?.();
    this.#open = undefined;
  }

  pass(): Promise<void> {
    return this.#passed;
  }
}

export function createTrainer(store: Store<AppState>, runtime: Runtime): Trainer {
  const gate = new Gate();
  let abort: AbortController | undefined;
  let model: Model | undefined;
  /* What the engine knows nothing of: time spent waiting while paused. */
  let pausedAt = 0;
  let pausedFor = 0;
  let train = new LossCurve();
  let held = new LossCurve();

  const show = (change: Partial<TrainingState>) =>
    store.set({ training: { ...store.get().training, ...change } });

  function onBatch(log: BatchLog, data: Split): void {
    const { training } = store.get();
    const spent = log.milliseconds - pausedFor;
    train.add(pointsOf({ ...log, milliseconds: spent }, training.seconds));
    show({
      step: log.step,
      steps: log.steps,
      epoch: log.epoch,
      seconds: spent / 1000,
      samplesPerSecond: (data.train.n * (log.step / log.steps) * log.epochs) / (spent / 1000),
      train: train.points(),
    });
  }

  function onEpoch(log: EpochLog, data: Split): void {
    const { validation } = log;
    if (!validation) return;
    const stepsPerEpoch = Math.ceil(data.train.n / batchSize);
    const point: LossPoint = {
      step: log.epoch * stepsPerEpoch,
      seconds: (log.milliseconds - pausedFor) / 1000,
      loss: validation.loss,
    };
    held.add([point]);
    show({
      held: held.points(),
      rmse: validation.rmse * data.scale,
      r2: validation.r2,
    });
  }

  async function fit(plx: Parallax, choice: TrainingChoice, signal: AbortSignal): Promise<void> {
    const data = makeSamples(choice.samples, choice.seed);
    const { dense } = plx.layers;
    model = plx.sequential(
      [
        dense({ units: 64, activation: 'relu', inputShape: [inputs] }),
        dense({ units: 64, activation: 'relu' }),
        dense({ units: 64, activation: 'relu' }),
        dense({ units: 64, activation: 'relu' }),
        dense({ units: 1 }),
      ],
      { seed: choice.seed },
    );
    show({ floor: (noise / data.scale) ** 2 });
    try {
      await model.fit(data.train.x, data.train.y, {
        epochs: choice.epochs,
        batchSize: Math.min(batchSize, data.train.n),
        loss: 'mse',
        optimizer: { kind: 'adam', rate: choice.rate },
        validation: data.held,
        signal,
        onBatch: (log) => {
          onBatch(log, data);
          /* The engine waits for this promise before it goes on. */
          return gate.pass();
        },
        onEpoch: (log) => onEpoch(log, data),
      });
    } finally {
      const done = model;
      model = undefined;
      await done.dispose().catch(() => undefined);
    }
  }

  return {
    async start(choice) {
      abort?.abort();
      gate.open();
      const controller = new AbortController();
      abort = controller;
      pausedFor = 0;
      train = new LossCurve();
      held = new LossCurve();
      store.set({
        training: { ...idleTraining, phase: 'running', epochs: choice.epochs },
      });
      try {
        await fit(await runtime.engine(), choice, controller.signal);
        if (abort === controller) show({ phase: 'done' });
      } catch (error) {
        if (abort !== controller) return;
        if (wasCancelled(error)) show({ phase: 'stopped' });
        else show({ phase: 'failed', message: await runtime.report(error) });
      }
    },
    pause() {
      if (store.get().training.phase !== 'running') return;
      gate.close();
      pausedAt = performance.now();
      show({ phase: 'paused' });
    },
    resume() {
      if (store.get().training.phase !== 'paused') return;
      pausedFor += performance.now() - pausedAt;
      show({ phase: 'running' });
      gate.open();
    },
    stop() {
      abort?.abort();
      gate.open();
    },
    setRate(rate) {
      void model?.setRate(rate).catch((error: unknown) => runtime.report(error));
    },
  };
}
