/** Errors as the caller sees them: with the stack of the call, and its name. */
import { PlxError } from './errors.js';

/** Errors whose stack is already that of a caller's line. */
const located = new WeakSet<PlxError>();

/**
 * Runs a call of the package: an error that it rejects with, which was made when the engine
 * answered, gets the stack of the call. Leaves out the frames down to that of the function `above`,
 * if the JavaScript engine can.
 */
export function traced<T>(above: unknown, body: () => Promise<T>): Promise<T> {
  const trace = new Error();
  const { captureStackTrace } = Error as { captureStackTrace?: (e: Error, f: unknown) => void };
  captureStackTrace?.(trace, above);
  return body().catch((error: unknown) => {
    if (error instanceof PlxError && !located.has(error)) {
      located.add(error);
      /* V8 starts a stack with the error's name; other engines do not. */
      const frames = (trace.stack ?? '').replace(/^Error\n/, '');
      error.stack = `${error.name}: ${error.message}\n${frames}`;
    }
    throw error;
  });
}

/** Replaces methods that call the engine by ones whose errors have the stack of the call. */
export function locate<T extends object>(prototype: T, methods: readonly (keyof T)[]): void {
  for (const method of methods) {
    const own = prototype[method] as (...given: unknown[]) => Promise<unknown>;
    const value = function (this: T, ...given: unknown[]): Promise<unknown> {
      return traced(value, () => own.apply(this, given));
    };
    Object.defineProperty(prototype, method, { value, writable: true, configurable: true });
  }
}

/**
 * Names the caller's call in an error of the library, which names the one that it is made of:
 * "explain: batch is 9" instead of "fit: batch is 9".
 */
export async function inCall<T>(call: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof PlxError)
      error.message = error.message.replace(
        /^(fit|generate|bench): |^(?=there is no )/,
        `${call}: `,
      );
    throw error;
  }
}
