import { STATUS } from './generated/kind_lists.js';
import type { PlxErrorName } from './generated/kinds.js';

/** Whether a name is that of a status. */
export const isErrorName = (name: string): name is PlxErrorName => Object.hasOwn(STATUS, name);
