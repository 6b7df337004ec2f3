/** Names that Keras and PyTorch use: those that are accepted here, and what to use for others. */
import type { Loss, LossName, OptimizerName } from './api.js';
import { told } from './arrays.js';
import { ACTIVATIONS, OPTIMIZERS } from './generated/kind_lists.js';
import { refuse } from './options.js';

type Table = Readonly<Record<string, string>>;

/** Returns `leakyrelu` for `LeakyReLU` and `leaky_relu`. */
const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');

/** Returns an entry of a table, but no property that every object has, such as "constructor". */
const at = (table: Table, key: string): string | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;

/**
 * Returns the one of names that is meant, whatever its case; same lists their other names, and
 * instead has hints for names that do not exist here.
 */
function nameOf<T extends string>(
  what: string,
  given: string,
  names: readonly T[],
  same: Table,
  instead: Table,
): T {
  const key = typeof given === 'string' ? plain(given) : '';
  const meant = at(same, key) ?? key;
  const own = names.find((name) => name === meant);
  const hint = at(instead, key) ?? `it must be one of ${names.join(', ')}`;
  return own ?? refuse(`${what} is ${told(given)}: ${hint}`);
}

const LOSSES: readonly Loss[] = ['mse', 'crossentropy', 'own'];
const SAME_LOSS: Table = {
  meansquarederror: 'mse',
  mseloss: 'mse',
  crossentropyloss: 'crossentropy',
  sparsecategoricalcrossentropy: 'crossentropy',
};
const inGraph = (method: string): string =>
  `fit supports mse and crossentropy; for this loss, use a plx.graph() and its method ${method}`;
const L1 = inGraph('l1');
const HUBER = inGraph('huber');
const BINARY = inGraph('binaryCrossEntropy');
const INSTEAD_OF_LOSS: Table = {
  categoricalcrossentropy: 'use "crossentropy" with class labels instead of rows of 0 and 1',
  nllloss: 'use "crossentropy": it takes logits and includes the log-softmax',
  binarycrossentropy: BINARY,
  bceloss: BINARY,
  bcewithlogitsloss: BINARY,
  meanabsoluteerror: L1,
  mae: L1,
  l1: L1,
  l1loss: L1,
  huber: HUBER,
  huberloss: HUBER,
  smoothl1loss: HUBER,
};

/** Returns the engine's name of a loss. */
export const lossOf = (what: string, given: LossName = 'mse'): Loss =>
  nameOf(what, given, LOSSES, SAME_LOSS, INSTEAD_OF_LOSS);

/** Returns the engine's name of an optimizer. */
export const optimizerOf = (what: string, given: string): OptimizerName =>
  nameOf(what, given, OPTIMIZERS, {}, { momentum: 'use { kind: "sgd", momentum: 0.9 }' });

const SAME_ACTIVATION: Table = { identity: 'linear', swish: 'silu', hardsilu: 'hardswish' };

const activationNamed = (key: string): string | undefined =>
  ACTIVATIONS.find((name) => plain(name) === key) ?? at(SAME_ACTIVATION, key);

const isSoftmax = (key: string): boolean => /^(log)?softmax$/.test(key);
const NO_SOFTMAX =
  'leave it out to train: the loss "crossentropy" takes logits and includes the softmax; a model ' +
  'that only predicts may end in layers.softmax()';

/** Returns the library's name of an activation. */
export function activationOf(what: string, given: string): string {
  const key = plain(given);
  const hint = isSoftmax(key) ? NO_SOFTMAX : `it must be one of ${ACTIVATIONS.join(', ')}`;
  return activationNamed(key) ?? refuse(`${what} is ${told(given)}: ${hint}`);
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
  /* Whole sentences. */
  depthwiseconv2d: 'use layers.conv2d with as many groups as channels',
  conv1d: 'use layers.conv2d with samples of [1, steps, channels] and kernelSize: [1, n]',
  input: 'give the first layer an inputShape, the shape of one sample',
  prelu: 'use layers.activation({ activation: "leaky_relu" }), or prelu in a plx.graph()',
};

/**
 * Returns a hint for a name that is not that of a layer; undefined if nothing similar is known.
 * written: returns a kind as the caller would write it.
 */
export function layerHint(
  name: string,
  kinds: readonly string[],
  written: (kind: string) => string,
): string | undefined {
  const key = plain(name);
  if (isSoftmax(key)) return NO_SOFTMAX;
  const meant = at(INSTEAD_OF_LAYER, key) ?? kinds.find((kind) => plain(kind) === key);
  if (meant) return meant.includes(' ') ? meant : `use ${written(meant)}`;
  const activation = activationNamed(key);
  return activation && `use layers.activation({ activation: "${activation}" })`;
}
