/** What `parallax-nn/inference` is without. */
import { PlxError } from './errors.js';

declare global {
  /** Whether this build trains: a constant of the bundler, which drops what it rules out. */
  const PLX_TRAINING: boolean;
}

/** The error of a call that only the other entries answer. */
export const noTraining = (call: string): PlxError =>
  new PlxError(
    'PLX_ERR_UNSUPPORTED',
    `${call}: parallax-nn/inference does not train: import parallax-nn instead`,
  );
