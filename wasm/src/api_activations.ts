/** The public names of activations. */
import type { ActivationName } from './generated/kinds.js';

/**
 * The name of an activation; the names that Keras and PyTorch use are accepted too: `swish` for
 * `silu`, `LeakyReLU` for `leaky_relu`.
 */
export type Activation = ActivationName | ActivationAlias;

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
