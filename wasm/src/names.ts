/** Names that Keras and PyTorch use: those that are accepted here, and what to use for others. */
import type { HuberLoss, LossName, MetricName } from './api.js';
import { told } from './arrays.js';
import { ACTIVATIONS, LOSSES, OPTIMIZERS, STARTS } from './generated/kind_lists.js';
import type { InitializerKind, OptimizerKind } from './generated/kinds.js';
import { checkOptions, positive, refuse, text } from './options.js';
import type { LossRequest } from './rpc.js';

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

const SAME_LOSS: Table = {
  meansquarederror: 'mse',
  mseloss: 'mse',
  crossentropyloss: 'crossentropy',
  sparsecategoricalcrossentropy: 'crossentropy',
  bcewithlogitsloss: 'binarycrossentropy',
  bceloss: 'binarycrossentropy',
  meanabsoluteerror: 'mae',
  l1: 'mae',
  l1loss: 'mae',
  huberloss: 'huber',
  smoothl1loss: 'huber',
};
const INSTEAD_OF_LOSS: Table = {
  categoricalcrossentropy: 'use "crossentropy" with class labels instead of rows of 0 and 1',
  nllloss: 'use "crossentropy": it takes logits and includes the log-softmax',
};

/** Returns a loss by its name, with its settings if it has any; a function counts as a name. */
export function lossOf(what: string, given: LossName | HuberLoss = 'mse'): LossRequest {
  const named = (name: string) => nameOf(what, name, LOSSES, SAME_LOSS, INSTEAD_OF_LOSS);
  if (typeof given !== 'object' || given === null) return { loss: named(given), delta: 0 };
  const { kind, delta = 1 } = checkOptions(what, given, { kind: text, delta: positive });
  const loss = named(kind);
  if (loss !== 'huber') refuse(`${what}: ${loss} has no options: give its name alone`);
  return { loss, delta };
}

const METRICS: readonly MetricName[] = ['accuracy', 'top5', 'perplexity', 'rmse', 'r2', 'mae'];
const SAME_METRIC: Table = {
  acc: 'accuracy',
  sparsecategoricalaccuracy: 'accuracy',
  binaryaccuracy: 'accuracy',
  rootmeansquarederror: 'rmse',
  meanabsoluteerror: 'mae',
  r2score: 'r2',
};

/** Returns the engine's name of a metric. */
export const metricOf = (what: string, given: string): MetricName =>
  nameOf(what, given, METRICS, SAME_METRIC, {});

/** Returns the engine's name of an optimizer. */
export const optimizerOf = (what: string, given: string): OptimizerKind =>
  nameOf(what, given, OPTIMIZERS, {}, { momentum: 'use { kind: "sgd", momentum: 0.9 }' });

const SAME_ACTIVATION: Table = { identity: 'linear', swish: 'silu', hardsilu: 'hardswish' };

const activationNamed = (key: string): string | undefined =>
  ACTIVATIONS.find((name) => plain(name) === key) ?? at(SAME_ACTIVATION, key);

/** Whether an activation is the softmax, which is a layer of its own in the library. */
export const isSoftmax = (given: unknown): boolean =>
  typeof given === 'string' && plain(given) === 'softmax';

/** Returns the library's name of an activation. */
export function activationOf(what: string, given: string): string {
  const hint =
    plain(given) === 'logsoftmax'
      ? 'use "softmax": the loss "crossentropy" takes its logarithm'
      : `it must be one of ${ACTIVATIONS.join(', ')}, softmax`;
  return activationNamed(plain(given)) ?? refuse(`${what} is ${told(given)}: ${hint}`);
}

/** Returns the library's name of an initialisation. */
export function startOf(what: string, given: string): InitializerKind {
  const key = typeof given === 'string' ? plain(given).replace('xavier', 'glorot') : '';
  const hint = `it must be one of ${STARTS.join(', ')}`;
  return STARTS.find((name) => plain(name) === key) ?? refuse(`${what} is ${told(given)}: ${hint}`);
}

const INSTEAD_OF_LAYER: Table = {
  linear: 'dense',
  convtranspose2d: 'conv2dTranspose',
  maxpooling2d: 'maxPool2d',
  averagepooling2d: 'avgPool2d',
  globalmaxpooling2d: 'globalMaxPool2d',
  globalaveragepooling2d: 'globalAvgPool2d',
  maxpooling1d: 'maxPool1d',
  averagepooling1d: 'avgPool1d',
  globalmaxpooling1d: 'globalMaxPool1d',
  globalaveragepooling1d: 'globalAvgPool1d',
  upsampling2d: 'upsample2d',
  upsample: 'upsample2d',
  layernormalization: 'layerNorm',
  rmsnormalization: 'rmsNorm',
  groupnormalization: 'groupNorm',
  batchnormalization: 'batchNorm',
  batchnorm2d: 'batchNorm',
  sequential: 'chain',
  logsoftmax: 'softmax',
  multiheadattention: 'attention',
  transformerencoderlayer: 'encoderBlock',
  transformerdecoderlayer: 'decoderBlock',
  /* Whole sentences. */
  depthwiseconv2d: 'use layers.conv2d with as many groups as channels',
  simplernn: 'use layers.gru or layers.lstm',
  masking:
    'use layers.embedding({ maskZero: true }), or the option mask of lstm and gru in a plx.graph()',
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
  const meant = at(INSTEAD_OF_LAYER, key) ?? kinds.find((kind) => plain(kind) === key);
  if (meant) return meant.includes(' ') ? meant : `use ${written(meant)}`;
  const activation = activationNamed(key);
  return activation && `use layers.activation({ activation: "${activation}" })`;
}
