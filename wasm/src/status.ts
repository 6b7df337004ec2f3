import type { PlxErrorName } from './errors.js';

/** The status codes of the C library, by name. Values are pinned. */
export const STATUS: Readonly<Record<PlxErrorName, number>> = {
  PLX_ERR_ARGUMENT: -1,
  PLX_ERR_SHAPE: -2,
  PLX_ERR_MEMORY: -3,
  PLX_ERR_UNSUPPORTED: -4,
  PLX_ERR_FORMAT: -5,
  PLX_ERR_IO: -6,
  PLX_ERR_DIVERGED: -7,
  PLX_ERR_CANCELLED: -8,
  PLX_ERR_STATE: -9,
};

/** Whether a name is that of a status. */
export const isErrorName = (name: string): name is PlxErrorName => Object.hasOwn(STATUS, name);
