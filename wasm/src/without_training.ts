/** Removes training from `parallax-nn/inference`. */
import { PlxError } from './errors.js';

declare global {
  /**
   * Whether this build trains: a constant that the bundler replaces, so that it drops dead code.
   */
  const PLX_TRAINING: boolean;
}

/** Creates the error of a call that only the other entries support. */
export const noTraining = (call: string): PlxError =>
  new PlxError(
    'PLX_ERR_UNSUPPORTED',
    `${call}: parallax-nn/inference does not train: import parallax-nn instead`,
  );
