/** What each suite is, in words for somebody who has not met these names before. */
import { machineSuite } from './machine_movement.js';

export interface SuiteText {
  /** A name in plain words. */
  title: string;
  /** What it measures, in one sentence. */
  about: string;
  /** How it measures that. */
  method: string;
}

const texts: Record<string, SuiteText> = {
  gemm: {
    title: 'Matrix products',
    about: 'Products of matrices (GEMM), square and in the shapes that the layers of an MLP need.',
    method:
      'Matrices hold seeded random numbers. A rate counts one multiplication and one addition for each term of the sums. Results are compared with sums in double precision; an error above its bound makes the case void.',
  },
  mlp: {
    title: 'Multilayer perceptrons',
    about: 'Predictions and training steps of three MLPs, networks of dense layers.',
    method:
      'A prediction is a forward pass; a training step is forward pass, gradients and an update by Adam. Predictions are compared with sums in double precision. Training must reduce the loss within ten steps from new weights.',
  },
  adaptive: {
    title: 'When to use threads',
    about:
      'The layers of a network for handwritten digits with one thread, with all threads, and with as many as the plan chooses.',
    method:
      'The three modes take turns on the same data. A small layer is faster on one thread, because starting the others costs time; the plan knows that cost, which was measured on this machine, and should never be much slower than the better of the two. Outputs must have the same bits in every mode.',
  },
  interp5d: {
    title: 'Fitting a function',
    about:
      'A small network learns a function of five variables from 500 to 10,000 samples (the long run: to a million).',
    method:
      'The data is made from the seed, with noise whose standard deviation is 0.1, so no model can have a smaller error than that. A run trains for 50 epochs; the error is that on samples that were held out.',
  },
  models: {
    title: 'Small models, trained and run',
    about:
      'Training steps and predictions of small models: GPT-2, BERT, ViT, CLIP, ResNet and a modern transformer.',
    method:
      'Weights and data are made from the seed. Steps with and without the passes that fuse operations take turns, so that their ratio holds although the machine changes. Only the sizes above quick train a task to its end.',
  },
  inference: {
    title: 'Latency of predictions',
    about:
      'How long a single prediction takes, as a plan is deployed and without one of its parts at a time.',
    method:
      'Each call is timed on its own, or several together where one is too short for the clock. All variants use the same weights and take turns. The 99th percentile needs a thousand readings to hold; the chart says where there were fewer.',
  },
  bits: {
    title: 'Same bits everywhere',
    about:
      'Training runs and operations whose results are equal to the last bit on every exact engine, natively and in browsers.',
    method:
      'Each case has a hash of all its losses or results. On the exact engines, which are the tiers simd and simd-threads and the native option --reproducible, equal seeds must give equal hashes. The tier relaxed-threads fuses multiply and add, so its bits may differ.',
  },
  ops: {
    title: 'Operations',
    about:
      'Every operation and its gradient at several sizes, against the roofline of this machine.',
    method:
      'The roofline is the least time that arithmetic and memory allow; both are measured in the same run. Only operations that are actually executed are counted.',
  },
  accuracy: {
    title: 'How exact results are',
    about: 'How far functions, sums over rows and gradients are from the exact result.',
    method:
      'Functions are evaluated on a grid over all floats and compared with double precision, in ULP. Gradients are compared with central differences. These are errors, not times: they do not depend on the speed of the machine.',
  },
  hypercausal: {
    title: 'Chains of nodes',
    about: 'Chains and graphs of small nodes that project several futures of a sequence.',
    method:
      'An epoch is the forward pass, the gradients and the update over one sequence of T times with D channels and K futures. Errors are means over three seeds.',
  },
  [machineSuite]: {
    title: 'The machine itself',
    about: 'A fixed piece of work that shows how fast the machine was during each run.',
    method:
      'The same plain C natively and in the browser, on one thread, measured in every round of each run. Where its figures differ, the machine changed between the runs, not the engine.',
  },
};

/** The text of a suite; one that only files name has just its name. */
export function suiteText(suite: string): SuiteText {
  return (
    texts[suite] ?? {
      title: suite,
      about: `Rows of the suite “${suite}”, from a file.`,
      method: 'Medians with their 95% intervals, as the file has them.',
    }
  );
}
