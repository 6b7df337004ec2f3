/** Names as Keras and PyTorch write them: which mean the same here, and what to write for others. */
import type { Loss, LossName, OptimizerName } from './api.js';
import { told } from './arrays.js';
import { refuse } from './options.js';

type Table = Readonly<Record<string, string>>;

/** `leakyrelu` for `LeakyReLU` and `leaky_relu`. */
const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');

/** One of names, also in another case or, by same, under another name; instead: what to say of others. */
function nameOf<T extends string>(
  what: string,
  given: string,
  names: readonly T[],
  same: Table,
  instead: Table,
): T {
  const key = typeof given === 'string' ? plain(given) : '';
  const own = names.find((name) => name === (same[key] ?? key));
  return (
    own ??
    refuse(`${what} is ${told(given)}: ${instead[key] ?? `it must be one of ${names.join(', ')}`}`)
  );
}

const LOSSES: readonly Loss[] = ['mse', 'crossentropy', 'own'];
const SAME_LOSS: Table = {
  meansquarederror: 'mse',
  mseloss: 'mse',
  crossentropyloss: 'crossentropy',
  sparsecategoricalcrossentropy: 'crossentropy',
};
const GRAPH = 'fit has mse and crossentropy; a plx.graph() has this one';
const INSTEAD_OF_LOSS: Table = {
  categoricalcrossentropy: 'write "crossentropy", and give class labels for rows of 0 and 1',
  binarycrossentropy: GRAPH,
  bcewithlogitsloss: GRAPH,
  meanabsoluteerror: GRAPH,
  mae: GRAPH,
  l1loss: GRAPH,
  huber: GRAPH,
  huberloss: GRAPH,
};

/** The engine's name of a loss. */
export const lossOf = (what: string, given: LossName = 'mse'): Loss =>
  nameOf(what, given, LOSSES, SAME_LOSS, INSTEAD_OF_LOSS);

const OPTIMIZERS = ['sgd', 'adam', 'adamw', 'lion', 'rmsprop'] as const;

/** The engine's name of an optimizer. */
export const optimizerOf = (what: string, given: string): OptimizerName =>
  nameOf(what, given, OPTIMIZERS, {}, { momentum: 'write { kind: "sgd", momentum: 0.9 }' });

const SAME_ACTIVATION: Table = {
  identity: 'linear',
  swish: 'silu',
  leakyrelu: 'leaky_relu',
  gelutanh: 'gelu_tanh',
  hardsilu: 'hardswish',
};

/** The library's name of an activation; what it does not know is for it to refuse. */
export function activationOf(what: string, given: string): string {
  const key = plain(given);
  if (key !== 'softmax' && key !== 'logsoftmax') return SAME_ACTIVATION[key] ?? key;
  return refuse(
    `${what} is "${given}": leave it out: the loss "crossentropy" takes logits, and has the softmax ` +
      'in it; probabilities are the softmax of what predict gives',
  );
}

const INSTEAD_OF_LAYER: Table = {
  linear: 'dense',
  convtranspose2d: 'conv2dTranspose',
  maxpooling2d: 'maxPool2d',
  averagepooling2d: 'avgPool2d',
  globalmaxpooling2d: 'globalMaxPool2d',
  globalaveragepooling2d: 'globalAvgPool2d',
  globalaveragepooling1d: 'globalAvgPool1d',
  upsampling2d: 'upsample2d',
  upsample: 'upsample2d',
  layernormalization: 'layerNorm',
  rmsnormalization: 'rmsNorm',
  groupnormalization: 'groupNorm',
  batchnormalization: 'batchNorm',
  batchnorm2d: 'batchNorm',
  multiheadattention: 'attention',
  transformerencoderlayer: 'encoderBlock',
  transformerdecoderlayer: 'decoderBlock',
};

/** The kind of layer that is meant by a name which is none; undefined when there is no such. */
export function layerMeantBy(name: string, kinds: readonly string[]): string | undefined {
  const key = plain(name);
  return INSTEAD_OF_LAYER[key] ?? kinds.find((kind) => plain(kind) === key);
}
