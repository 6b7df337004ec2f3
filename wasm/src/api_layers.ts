/** The public types of layers. */
import type { ActivationName } from './generated/kinds.js';
import type { Pair } from './graph_api.js';

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

/** Options that every layer takes. */
export interface LayerOptions {
  /**
   * Name, also of its weights; default: its kind and a number, `dense_1`. At most 31 characters, no
   * dots.
   */
  name?: string;
  /** Shape of one input sample; required for the first layer of a model. */
  inputShape?: number[];
}

/** Options of a fully connected layer. */
export interface DenseOptions extends LayerOptions {
  /** Number of outputs. */
  units: number;
  /** Activation of the outputs (default `"linear"`). */
  activation?: Activation;
  /** Parameter of the activation: slope of leaky ReLU, alpha of ELU and CELU. */
  parameter?: number;
  /** Whether a bias is added (default true). */
  useBias?: boolean;
}

/** Options of an activation as a separate layer. */
export interface ActivationOptions extends LayerOptions {
  /** Name of the activation. */
  activation: Activation;
  /** Parameter of the activation, as in a dense layer. */
  parameter?: number;
}

/** Options of dropout, which is active only during training. */
export interface DropoutOptions extends LayerOptions {
  /** Probability of dropping a value, 0 <= rate < 1. */
  rate: number;
}

/** Options of a reshape. */
export interface ReshapeOptions extends LayerOptions {
  /** New shape of one sample; one size may be -1, which is inferred from the others. */
  shape: number[];
}

/** Options of a convolution of images [height, width, channels]. */
export interface Conv2dLayerOptions extends LayerOptions {
  /** Number of output channels. */
  filters: number;
  /** Rows and columns of the kernel. */
  kernelSize: Pair;
  /** Vertical and horizontal stride (default 1). */
  strides?: Pair;
  /**
   * Zero padding around the image: none (`"valid"`, the default), or enough for a result of
   * ceil(size / stride) rows and columns, in a transposed convolution size times stride (`"same"`).
   */
  padding?: 'valid' | 'same';
  /** Spacing between the kernel's elements (default 1). */
  dilation?: Pair;
  /**
   * Number of groups; must divide the input and output channels. As many as input channels:
   * depthwise (default 1).
   */
  groups?: number;
  /** Activation of the result (default `"linear"`). */
  activation?: Activation;
  /** Parameter of the activation. */
  parameter?: number;
  /** Whether a bias is added (default true). */
  useBias?: boolean;
}

/** Options of pooling over images. */
export interface PoolOptions extends LayerOptions {
  /** Rows and columns of the windows (default 2). */
  poolSize?: Pair;
  /** Vertical and horizontal stride (default: the window size, so that windows do not overlap). */
  strides?: Pair;
  /** Padding as in a convolution; averages do not count it. */
  padding?: 'valid' | 'same';
}

/** Options of upsampling of images. */
export interface Upsample2dOptions extends LayerOptions {
  /** Scale factors of rows and columns (default 2). */
  size?: Pair;
  /** Interpolation (default `"nearest"`). */
  method?: 'nearest' | 'bilinear';
}

/** Options of a normalisation over the last axis, with a learnt scale (and shift). */
export interface NormLayerOptions extends LayerOptions {
  /** Constant added to the variance (default 1e-5). */
  epsilon?: number;
}

/** Options of a normalisation over groups of channels. */
export interface GroupNormOptions extends NormLayerOptions {
  /** Number of groups; must divide the channels (default 32). */
  groups?: number;
}

/**
 * Options of batch normalisation: by the batch during training, otherwise by running statistics.
 */
export interface BatchNormLayerOptions extends NormLayerOptions {
  /**
   * Weight of the batch in the running statistics (default 0.1; Keras's momentum is 1 minus this).
   */
  momentum?: number;
}

/** Options of an embedding: a table with a learnt row for each id. */
export interface EmbeddingOptions extends LayerOptions {
  /** Number of ids, which are 0 to vocabulary - 1. */
  vocabulary: number;
  /** Width of a row. */
  units: number;
}

/** Options of multi-head self-attention over sequences [length, width]. */
export interface AttentionLayerOptions extends LayerOptions {
  /** Number of heads; must divide the width (default 1). */
  heads?: number;
  /** Number of heads of keys and values; must divide `heads` (default: `heads`). */
  kvHeads?: number;
  /** Whether a position sees only itself and those before it (default false). */
  causal?: boolean;
  /** Base of the wavelengths of rotary position embeddings; true: 10000 (default: none). */
  rope?: number | boolean;
  /** Whether projections have a bias (default true). */
  useBias?: boolean;
}

/**
 * Options of a transformer block: attention and a hidden layer, each with a norm and a residual.
 */
export interface BlockOptions extends Omit<AttentionLayerOptions, 'causal'> {
  /** Width of the hidden layer (default: 4 times that of the input). */
  hidden?: number;
  /** Activation of the hidden layer (default `"gelu"`). */
  activation?: Activation;
  /** Whether the hidden layer is a SwiGLU (default false). */
  gated?: boolean;
  /** Whether norms come after the residual sums, as in the original transformer (default false). */
  postNorm?: boolean;
  /** Whether norms are RMS norms, without mean and shift (default false). */
  rmsNorm?: boolean;
  /** Dropout rate of what is added to the residual during training (default 0). */
  dropout?: number;
  /** Epsilon of the norms (default 1e-5). */
  epsilon?: number;
}

/** Options of a residual block, x + layers(x). */
export interface ResidualOptions extends LayerOptions {
  /** Layers applied to x in order. */
  layers: Layer[];
  /**
   * Whether x passes through a linear projection of its own where the layers change the number of
   * channels, or the size by a stride (default false: such layers are rejected).
   */
  project?: boolean;
}

/** The options of each kind of layer. */
export interface LayerKinds {
  dense: DenseOptions;
  activation: ActivationOptions;
  softmax: LayerOptions;
  dropout: DropoutOptions;
  flatten: LayerOptions;
  reshape: ReshapeOptions;
  conv2d: Conv2dLayerOptions;
  conv2dTranspose: Conv2dLayerOptions;
  maxPool2d: PoolOptions;
  avgPool2d: PoolOptions;
  globalMaxPool2d: LayerOptions;
  globalAvgPool2d: LayerOptions;
  globalAvgPool1d: LayerOptions;
  upsample2d: Upsample2dOptions;
  layerNorm: NormLayerOptions;
  rmsNorm: NormLayerOptions;
  groupNorm: GroupNormOptions;
  batchNorm: BatchNormLayerOptions;
  embedding: EmbeddingOptions;
  positions: LayerOptions;
  attention: AttentionLayerOptions;
  encoderBlock: BlockOptions;
  decoderBlock: BlockOptions;
  residual: ResidualOptions;
}

/** A layer created by `plx.layers`. */
export type Layer = { [K in keyof LayerKinds]: { kind: K } & LayerKinds[K] }[keyof LayerKinds];

/**
 * The layers of sequential models and graphs. Weights are initialised as in the papers: He et al.
 * (2015) in a layer whose own activation is a rectifier, Glorot and Bengio (2010) elsewhere, also
 * before a rectifier that is a separate layer; biases start at 0, tables with a standard deviation
 * of 0.02.
 */
export interface Layers {
  /** Fully connected layer along the last axis: x w + b, then the activation. */
  dense(options: DenseOptions): Layer;
  /** Activation as a separate layer. */
  activation(options: ActivationOptions): Layer;
  /**
   * Softmax: probabilities along the last axis. The loss `crossentropy` includes it and rejects a
   * model that ends in one; use this layer with other losses, or in models that receive trained
   * weights.
   */
  softmax(options?: LayerOptions): Layer;
  /** Inverted dropout. */
  dropout(options: DropoutOptions): Layer;
  /** Flattens each sample to one axis. */
  flatten(options?: LayerOptions): Layer;
  /** Gives each sample another shape. */
  reshape(options: ReshapeOptions): Layer;
  /** Convolution, then the activation. */
  conv2d(options: Conv2dLayerOptions): Layer;
  /** Transposed convolution, which enlarges images. */
  conv2dTranspose(options: Conv2dLayerOptions): Layer;
  /** Max pooling: the maximum of each window. */
  maxPool2d(options?: PoolOptions): Layer;
  /** Average pooling: the mean of each window. */
  avgPool2d(options?: PoolOptions): Layer;
  /** Global max pooling: the maximum of each channel. */
  globalMaxPool2d(options?: LayerOptions): Layer;
  /** Global average pooling: the mean of each channel. */
  globalAvgPool2d(options?: LayerOptions): Layer;
  /** Global average pooling of sequences [length, width]: the mean over the positions. */
  globalAvgPool1d(options?: LayerOptions): Layer;
  /** Upsampling: more rows and columns. */
  upsample2d(options?: Upsample2dOptions): Layer;
  /** Layer normalisation: mean 0 and variance 1 over the last axis. */
  layerNorm(options?: NormLayerOptions): Layer;
  /** RMS normalisation: root mean square 1 over the last axis. */
  rmsNorm(options?: NormLayerOptions): Layer;
  /** Group normalisation: mean 0 and variance 1 over groups of channels. */
  groupNorm(options?: GroupNormOptions): Layer;
  /** Batch normalisation: mean 0 and variance 1 per channel, over the batch. */
  batchNorm(options?: BatchNormLayerOptions): Layer;
  /** Maps ids to learnt rows. As the first layer, it makes a model whose inputs are ids. */
  embedding(options: EmbeddingOptions): Layer;
  /** Adds a learnt row for each position of a sequence. */
  positions(options?: LayerOptions): Layer;
  /** Multi-head self-attention. */
  attention(options?: AttentionLayerOptions): Layer;
  /** A transformer block in which all positions see each other. */
  encoderBlock(options?: BlockOptions): Layer;
  /** A transformer block in which a position sees only those before it. */
  decoderBlock(options?: BlockOptions): Layer;
  /** Residual block: x + layers(x). */
  residual(options: ResidualOptions): Layer;
}
