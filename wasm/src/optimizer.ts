/** An optimizer of the client's, whose state lives in the engine. */
import type { Optimizer, OptimizerOptions } from './api.js';
import { checkFinite } from './arrays.js';
import type { Connection } from './connection.js';
import { refuse } from './options.js';
import type { FitRequest } from './rpc.js';

/** A learning rate that training may go on with. */
export function checkRate(rate: number): number {
  if (checkFinite('setRate: rate', rate) >= 0) return rate;
  return refuse(`setRate: rate is ${rate}: it must be 0 or more`);
}

export class ClientOptimizer implements Optimizer {
  readonly #connection: Connection;
  readonly #id: number;
  #options: OptimizerOptions;

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

  /** What a fit over this connection asks for. */
  request(connection: Connection): Pick<FitRequest, 'optimizer' | 'state'> {
    if (connection !== this.#connection) refuse('fit: this optimizer is of another engine');
    return { optimizer: this.#options, state: this.#id };
  }

  async dispose(): Promise<void> {
    await this.#connection.call((engine) => engine.disposeOptimizer(this.#id));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}
