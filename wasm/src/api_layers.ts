/** The public types of layers. */
import type { Pair } from './graph_api.js';

/**
 * Activations by name, also as Keras and PyTorch write them: `swish` for `silu`, `LeakyReLU` for
 * `leaky_relu`.
 */
export type Activation =
  | 'linear'
  | 'relu'
  | 'leaky_relu'
  | 'elu'
  | 'silu'
  | 'gelu'
  | 'gelu_tanh'
  | 'sigmoid'
  | 'tanh'
  | 'relu6'
  | 'celu'
  | 'selu'
  | 'mish'
  | 'hardswish'
  | 'hardsigmoid'
  | 'softplus'
  | 'softsign'
  | ActivationAlias;

/** Other names of activations. */
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

/** What every layer takes. */
export interface LayerOptions {
  /** Of its weights; default its kind and a number: `dense_1`. At most 31 characters, no dots. */
  name?: string;
  /** Shape of one sample; the first layer of a model needs it. */
  inputShape?: number[];
}

/** A fully connected layer. */
export interface DenseOptions extends LayerOptions {
  /** Outputs. */
  units: number;
  /** Applied to the outputs (default `"linear"`). */
  activation?: Activation;
  /** The activation's parameter: slope of leaky ReLU, alpha of ELU and CELU. */
  parameter?: number;
  /** Whether a bias is added (default true). */
  useBias?: boolean;
}

/** An activation as a layer of its own. */
export interface ActivationOptions extends LayerOptions {
  /** Which. */
  activation: Activation;
  /** Its parameter. */
  parameter?: number;
}

/** Dropout, active while training. */
export interface DropoutOptions extends LayerOptions {
  /** Probability of dropping a value, 0 <= rate < 1. */
  rate: number;
}

/** Another shape of the same values. */
export interface ReshapeOptions extends LayerOptions {
  /** Of one sample; one size may be -1 and follows from the others. */
  shape: number[];
}

/** A convolution of images [height, width, channels]. */
export interface Conv2dLayerOptions extends LayerOptions {
  /** Channels of the result. */
  filters: number;
  /** Rows and columns of the kernel. */
  kernelSize: Pair;
  /** Default 1. */
  strides?: Pair;
  /**
   * Zeros around the image: none (`"valid"`, the default), or so many that the result has
   * ceil(size / stride) rows and columns, transposed size times stride (`"same"`).
   */
  padding?: 'valid' | 'same';
  /** Distance of the kernel's elements (default 1). */
  dilation?: Pair;
  /** Divides both numbers of channels; as many as channels in: depthwise (default 1). */
  groups?: number;
  /** Applied to the result (default `"linear"`). */
  activation?: Activation;
  /** The activation's parameter. */
  parameter?: number;
  /** Whether a bias is added (default true). */
  useBias?: boolean;
}

/** A pooling of images. */
export interface PoolOptions extends LayerOptions {
  /** Rows and columns of the windows (default 2). */
  poolSize?: Pair;
  /** Default: the size, so that windows lie side by side. */
  strides?: Pair;
  /** As of a convolution; averages leave the padding out. */
  padding?: 'valid' | 'same';
}

/** Images with more rows and columns. */
export interface Upsample2dOptions extends LayerOptions {
  /** Factors of rows and columns (default 2). */
  size?: Pair;
  /** Default `"nearest"`. */
  method?: 'nearest' | 'bilinear';
}

/** A normalisation over the last axis, with a learnt scale (and shift). */
export interface NormLayerOptions extends LayerOptions {
  /** Added to the variance (default 1e-5). */
  epsilon?: number;
}

/** A normalisation over groups of channels. */
export interface GroupNormOptions extends NormLayerOptions {
  /** Divides the channels (default 32). */
  groups?: number;
}

/** Normalisation by the batch while training, by running statistics otherwise. */
export interface BatchNormLayerOptions extends NormLayerOptions {
  /** Share of the batch in the running statistics (default 0.1; Keras counts the other way). */
  momentum?: number;
}

/** A learnt row for each id. */
export interface EmbeddingOptions extends LayerOptions {
  /** Ids are 0 to vocabulary - 1. */
  vocabulary: number;
  /** Width of a row. */
  units: number;
}

/** Multi-head self-attention of sequences [length, width]. */
export interface AttentionLayerOptions extends LayerOptions {
  /** Divide the width (default 1). */
  heads?: number;
  /** Heads of keys and values, which divide `heads` (default: as many). */
  kvHeads?: number;
  /** Whether a position sees only itself and those before it (default false). */
  causal?: boolean;
  /** Rotary positions: the base of their wavelengths (10000), or true for it. */
  rope?: number | boolean;
  /** Whether projections have a bias (default true). */
  useBias?: boolean;
}

/** Attention and a hidden layer, each with a norm and a residual. */
export interface BlockOptions extends Omit<AttentionLayerOptions, 'causal'> {
  /** Width of the hidden layer (default 4 times the input's). */
  hidden?: number;
  /** Of the hidden layer (default `"gelu"`). */
  activation?: Activation;
  /** SwiGLU for the hidden layer (default false). */
  gated?: boolean;
  /** Norms after the sums, as in the first transformers (default before). */
  postNorm?: boolean;
  /** Norms without mean and shift (default false). */
  rmsNorm?: boolean;
  /** Of what is added to the residual, while training (default 0). */
  dropout?: number;
  /** Of the norms (default 1e-5). */
  epsilon?: number;
}

/** x + layers(x). */
export interface ResidualOptions extends LayerOptions {
  /** Applied one after the other to x. */
  layers: Layer[];
  /**
   * Where the layers change the number of channels, or the size by a stride, x goes through a
   * linear layer of its own (default false: that is refused).
   */
  project?: boolean;
}

/** Options by the kind of the layer. */
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

/** A layer made by `plx.layers`. */
export type Layer = { [K in keyof LayerKinds]: { kind: K } & LayerKinds[K] }[keyof LayerKinds];

/**
 * The layers of sequential models and free graphs. Weights begin as the papers say: He et al. (2015)
 * in a layer whose own activation is a rectifier, Glorot and Bengio (2010) elsewhere, also before a
 * rectifier that is a layer of its own; biases with 0, tables with a deviation of 0.02.
 */
export interface Layers {
  /** Fully connected, along the last axis: x w + b, then the activation. */
  dense(options: DenseOptions): Layer;
  /** An activation on its own. */
  activation(options: ActivationOptions): Layer;
  /**
   * Probabilities along the last axis. The loss `crossentropy` has it in it, and refuses a model that
   * ends in one: this is for other losses, and for models that get the weights of a trained one.
   */
  softmax(options?: LayerOptions): Layer;
  /** Inverted dropout. */
  dropout(options: DropoutOptions): Layer;
  /** One axis. */
  flatten(options?: LayerOptions): Layer;
  /** Another shape. */
  reshape(options: ReshapeOptions): Layer;
  /** Convolution, then the activation. */
  conv2d(options: Conv2dLayerOptions): Layer;
  /** The transpose of a convolution, for larger images. */
  conv2dTranspose(options: Conv2dLayerOptions): Layer;
  /** The largest of each window. */
  maxPool2d(options?: PoolOptions): Layer;
  /** The mean of each window. */
  avgPool2d(options?: PoolOptions): Layer;
  /** The largest of each channel. */
  globalMaxPool2d(options?: LayerOptions): Layer;
  /** The mean of each channel. */
  globalAvgPool2d(options?: LayerOptions): Layer;
  /** The mean over the positions of a sequence [length, width]. */
  globalAvgPool1d(options?: LayerOptions): Layer;
  /** More rows and columns. */
  upsample2d(options?: Upsample2dOptions): Layer;
  /** Mean 0 and variance 1 over the last axis. */
  layerNorm(options?: NormLayerOptions): Layer;
  /** Root mean square 1 over the last axis. */
  rmsNorm(options?: NormLayerOptions): Layer;
  /** Over groups of channels. */
  groupNorm(options?: GroupNormOptions): Layer;
  /** Per channel, over the batch. */
  batchNorm(options?: BatchNormLayerOptions): Layer;
  /** Ids to rows. As the first layer it makes a model on whole numbers. */
  embedding(options: EmbeddingOptions): Layer;
  /** Adds a learnt row for each position of a sequence. */
  positions(options?: LayerOptions): Layer;
  /** Multi-head self-attention. */
  attention(options?: AttentionLayerOptions): Layer;
  /** A transformer block in which all positions see each other. */
  encoderBlock(options?: BlockOptions): Layer;
  /** A transformer block in which a position sees only those before it. */
  decoderBlock(options?: BlockOptions): Layer;
  /** x + layers(x). */
  residual(options: ResidualOptions): Layer;
}
