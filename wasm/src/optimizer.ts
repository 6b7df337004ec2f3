/** The client's side of an optimizer, whose state lives in the engine. */
import type { Optimizer, OptimizerOptions } from './api.js';
import { checkFinite } from './arrays.js';
import type { Connection } from './connection.js';
import { refuse } from './options.js';
import type { FitRequest } from './rpc.js';

/** Checks a learning rate for running or later training. */
export function checkRate(rate: number): number {
  if (checkFinite('setRate: rate', rate) >= 0) return rate;
  return refuse(`setRate: rate is ${rate}: it must be 0 or more`);
}

export class ClientOptimizer implements Optimizer {
  readonly #connection: Connection;
  readonly #id: number;
  #options: OptimizerOptions;
  /** Resolves when every fit called so far has been sent to the engine. */
  #sent: Promise<void> = Promise.resolve();

  constructor(connection: Connection, id: number, options: OptimizerOptions) {
    this.#connection = connection;
    this.#id = id;
    this.#options = options;
  }

  get options(): OptimizerOptions {
    return { ...this.#options };
  }

  setRate(rate: number): void {
    this.#options = { ...this.#options, rate: checkRate(rate) };
  }

  /**
   * Returns this optimizer's part of the request of a fit, which is sent once its model is made.
   */
  request(connection: Connection, made: Promise<unknown>): Pick<FitRequest, 'optimizer' | 'state'> {
    if (connection !== this.#connection) refuse('fit: this optimizer belongs to another engine');
    this.#sent = Promise.allSettled([this.#sent, made]).then(() => {});
    return { optimizer: this.#options, state: this.#id };
  }

  async dispose(): Promise<void> {
    await this.#sent;
    await this.#connection.call((engine) => engine.disposeOptimizer(this.#id));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}
