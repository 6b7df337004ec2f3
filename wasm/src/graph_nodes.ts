/** Handles of a graph's values, and the record of the calls that made them. */
import { kindOf } from './arrays.js';
import { PlxError } from './errors.js';
import type { DType, GraphNode, GraphParameter, GraphUpdate } from './graph_api.js';
import { inMethods } from './library_names.js';
import type { GraphCall } from './rpc.js';

/** The part of a graph that its handles use. */
export interface NodeOwner {
  shapeOf(value: number): Promise<number[]>;
  setRate(update: number, rate: number): Promise<void>;
}

/** A value of a graph, identified by its number. */
export class ClientNode implements GraphNode<DType> {
  readonly #owner: NodeOwner;
  readonly #value: number;

  constructor(
    owner: NodeOwner,
    value: number,
    readonly dtype: DType,
  ) {
    this.#owner = owner;
    this.#value = value;
  }

  shape(): Promise<number[]> {
    return this.#owner.shapeOf(this.#value);
  }

  /**
   * Returns the number of a node, named `what` in messages; rejects all but nodes of this graph.
   */
  static valueIn(owner: NodeOwner, node: unknown, what: string): number {
    if (!(node instanceof ClientNode)) {
      throw new PlxError(
        'PLX_ERR_ARGUMENT',
        `${what} must be a node of a graph, not ${kindOf(node)}`,
      );
    }
    if (node.#owner !== owner) {
      throw new PlxError('PLX_ERR_ARGUMENT', `${what} is a node of another graph`);
    }
    return node.#value;
  }
}

export class ClientParameter extends ClientNode implements GraphParameter {
  declare readonly dtype: 'float32';

  constructor(
    owner: NodeOwner,
    value: number,
    readonly name: string,
    readonly dims: readonly number[],
  ) {
    super(owner, value, 'float32');
  }
}

/** A weight created by a layer. */
export class ClientWeight extends ClientParameter {
  override async shape(): Promise<number[]> {
    return [...this.dims];
  }
}

/** A step of an optimizer. */
export class ClientUpdate implements GraphUpdate {
  readonly #owner: NodeOwner;
  readonly #value: number;

  constructor(owner: NodeOwner, value: number) {
    this.#owner = owner;
    this.#value = value;
  }

  setRate(rate: number): Promise<void> {
    return this.#owner.setRate(this.#value, rate);
  }

  static valueIn(owner: NodeOwner, update: unknown, what: string): number {
    if (update instanceof ClientUpdate && update.#owner === owner) return update.#value;
    throw new PlxError('PLX_ERR_ARGUMENT', `${what} must be created by update() of this graph`);
  }
}

/** A call of a graph's method, with its place in the user's program. */
export class CallSite {
  readonly #trace = new Error();

  /**
   * Leaves out the stack frames down to that of the function `above`, if the engine can. index:
   * number among the calls that add to the graph; undefined for others.
   */
  constructor(
    readonly method: string,
    above: unknown,
    readonly index?: number,
  ) {
    const { captureStackTrace } = Error as { captureStackTrace?: (e: Error, f: unknown) => void };
    captureStackTrace?.(this.#trace, above);
  }

  /** Creates the error of this call, with the stack of the call. */
  failure(error: PlxError): PlxError {
    const { method, index } = this;
    const call = index === undefined ? {} : { call: { method, index } };
    const message = inMethods(error.message, method, index !== undefined);
    const located = new PlxError(error.codeName, message, { ...call, cause: error.cause });
    /* V8 starts a stack with the error's name; other engines do not. */
    const frames = (this.#trace.stack ?? '').replace(/^Error\n/, '');
    located.stack = `${located.name}: ${located.message}\n${frames}`;
    return located;
  }

  /** Returns the engine's answer to this call; an error gets the stack of the call. */
  async answer<T>(promise: Promise<T>): Promise<T> {
    try {
      return await promise;
    } catch (error) {
      throw error instanceof PlxError ? this.failure(error) : error;
    }
  }
}

/** A call that has not been sent to the engine yet. */
export interface Recorded {
  call: GraphCall;
  site: CallSite;
}
