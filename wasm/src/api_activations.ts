/** The public types of what layers have in common: activations, initialisers and regularisers. */
import type { ActivationName, InitializerKind } from './generated/kinds.js';

/**
 * The name of an activation; the names that Keras and PyTorch use are accepted too: `swish` for
 * `silu`, `LeakyReLU` for `leaky_relu`. `softmax` is added as a layer of its own; transformer blocks
 * do not take it.
 */
export type Activation = ActivationName | ActivationAlias | 'softmax';

/**
 * How a kernel starts: `heNormal`, `zeros` and so on, or a constant, or a normal distribution with a
 * deviation of its own (default 0.05). Values depend on the model's seed and the layer's name.
 */
export type Initializer =
  | Exclude<InitializerKind, 'constant'>
  | {
      /** All values are the same. */
      kind: 'constant';
      /** That value. */
      value: number;
    }
  | {
      /** A normal distribution around 0. */
      kind: 'randomNormal';
      /** Its standard deviation (default 0.05). */
      deviation?: number;
    };

/**
 * What a kernel w adds to the loss: `l1` times the sum of |w| and `l2` times the sum of w squared,
 * as in Keras. Losses in logs, in validation and of `evaluate` include it.
 */
export interface Regularizer {
  /** Factor of the sum of absolute values (default 0). */
  l1?: number;
  /** Factor of the sum of squares (default 0). */
  l2?: number;
}

/** Alternative names of activations. */
export type ActivationAlias =
  | 'identity'
  | 'swish'
  | 'leakyRelu'
  | 'geluTanh'
  | 'hardSwish'
  | 'hard_swish'
  | 'hardSilu'
  | 'hard_silu'
  | 'hardSigmoid'
  | 'hard_sigmoid'
  | 'ReLU'
  | 'ReLU6'
  | 'LeakyReLU'
  | 'ELU'
  | 'CELU'
  | 'SELU'
  | 'SiLU'
  | 'GELU'
  | 'Mish'
  | 'Sigmoid'
  | 'Tanh'
  | 'Softplus'
  | 'Softsign'
  | 'Hardswish'
  | 'Hardsigmoid'
  | 'Identity';
