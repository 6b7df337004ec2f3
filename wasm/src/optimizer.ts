/** The client's side of an optimizer, whose state lives in the engine. */
import type { Optimizer, OptimizerOptions } from './api.js';
import { checkFinite } from './arrays.js';
import { locate } from './call_errors.js';
import type { Connection } from './connection.js';
import { disposed } from './forgotten.js';
import { OPTIMIZER_OPTIONS } from './generated/kind_lists.js';
import type { OptimizerKind } from './generated/kinds.js';
import { optimizerOf } from './names.js';
import { checkOptions, checkOwn, finite, flag, namedOptions, refuse, text } from './options.js';
import type { FitRequest } from './rpc.js';

const OPTIMIZER = {
  kind: text,
  rate: finite,
  momentum: finite,
  nesterov: flag,
  beta1: finite,
  beta2: finite,
  epsilon: finite,
  weightDecay: finite,
};

/** Checks the options of an optimizer, or of one given by its name. what: "fit: optimizer". */
export function checkOptimizer(
  what: string,
  optimizer: OptimizerOptions['kind'] | OptimizerOptions = 'adam',
): OptimizerOptions {
  if (optimizer instanceof ClientOptimizer) {
    refuse(`${what}: what plx.optimizer makes is for fit only: give a name or options`);
  }
  const options = checkOptions(what, namedOptions<OptimizerOptions>(what, optimizer), OPTIMIZER);
  const kind = optimizerOf(what, options.kind);
  checkOwn(
    what,
    kind,
    options,
    `kind rate weightDecay ${OPTIMIZER_OPTIONS[kind as OptimizerKind]}`,
  );
  if (options.nesterov && !options.momentum) refuse(`${what}: nesterov needs a momentum above 0`);
  return { ...options, kind };
}

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
    connection.watch(this, (engine) => engine.disposeOptimizer(id));
  }

  static {
    locate(ClientOptimizer.prototype, ['dispose']);
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
    disposed(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}
