/**
 * Carries PlxErrors across the message port, where an Error keeps only its name and message: the
 * status travels as the name.
 */
import { releaseProxy } from 'comlink';
import { PlxError } from './errors.js';
import { isErrorName } from './status.js';

function named(error: unknown): unknown {
  if (!(error instanceof PlxError)) return error;
  return Object.assign(new Error(error.message), { name: error.codeName });
}

/** Closes the ports of callbacks; an open one would keep Node's process alive. */
function release(args: unknown[]): void {
  for (const arg of args) {
    if (typeof arg === 'function') (arg as { [releaseProxy]?: () => void })[releaseProxy]?.();
  }
}

/** Wraps an object so that revive can restore its errors on the other side. */
export function serve<T extends object>(target: T): T {
  return new Proxy(target, {
    get(_, key) {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        try {
          return await member.apply(target, args);
        } catch (error) {
          throw named(error);
        } finally {
          release(args);
        }
      };
    },
  });
}

/** Restores a PlxError that serve sent; returns any other error as it is. */
export function revive(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  return isErrorName(error.name) ? new PlxError(error.name, error.message) : error;
}
