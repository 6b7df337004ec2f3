/** The terms of the page, in plain words. */

export interface Term {
  /** The name in the address. */
  id: string;
  name: string;
  /** How it is written where it is explained in place. */
  as: readonly string[];
  text: string;
}

const term = (id: string, name: string, as: readonly string[], text: string): Term => ({
  id,
  name,
  as,
  text,
});

/** The view of the glossary sorts them. */
export const entries: readonly Term[] = [
  term(
    '128-bit',
    '128 bits',
    ['128 bits', '128-bit', '128-bit vectors'],
    'The width of the vectors that WebAssembly has: four floats at once. Many processors have 256 or 512 bits natively.',
  ),
  term(
    'adam',
    'Adam',
    ['Adam', 'AdamW'],
    'A widely used rule that turns gradients into changes of the weights.',
  ),
  term(
    'attention',
    'Attention',
    ['attention'],
    'The operation by which a transformer lets each position of a text or picture use the others.',
  ),
  term(
    'backward',
    'Forward, backward',
    ['forward pass', 'backward'],
    'Forward computes the result from the inputs; backward computes the gradients, from the result back to the weights.',
  ),
  term(
    'batch',
    'Batch',
    ['batch', 'batch size', 'Batch'],
    'The samples that are computed together. A larger batch gives the processor more to do at once.',
  ),
  term(
    'bit-identical',
    'Same bits',
    ['same bits', 'equal to the last bit', 'equal bits'],
    'Every digit of every result is the same, not just nearly. The exact engines promise that across machines.',
  ),
  term(
    'ceiling',
    'Ceiling',
    ['ceiling', 'ceilings'],
    'What multiply-adds in registers reach with this engine’s vectors and threads, measured beside the cases: no program can be faster.',
  ),
  term(
    'hash',
    'Hash',
    ['hash', 'hashes', 'Hashes'],
    'A short number computed from many results. If two hashes are equal, so are all results behind them.',
  ),
  term(
    'differences',
    'Central differences',
    ['central differences', 'finite differences'],
    'A gradient estimated by moving an input a little up and down. It checks a gradient that was computed by rule.',
  ),
  term(
    'downgrade',
    'Downgrade',
    ['downgrade'],
    'Something better that this browser could not give the engine: a tier, threads, or memory.',
  ),
  term(
    'engine',
    'Engine',
    ['engine', 'engines'],
    'The compiled core, here a WebAssembly module with its worker. “The browser’s engine” is the browser’s own compiler for it.',
  ),
  term('epoch', 'Epoch', ['epoch', 'epochs'], 'One pass over all the training data.'),
  term(
    'exact',
    'Exact engine',
    ['exact engines', 'exact engine'],
    'It uses only 128-bit vectors and no fused multiply-add, so that its results are the same to the last bit on every machine.',
  ),
  term(
    'fma',
    'Fused multiply-add',
    ['fused multiply-add', 'multiply-adds', 'fuses multiply and add'],
    'One instruction for a·b + c, rounded once. It doubles the speed of arithmetic; WebAssembly has it only as relaxed SIMD.',
  ),
  term(
    'fork-join',
    'Time to start all threads',
    ['fork-join cost', 'Time to start all threads'],
    'What it costs to give work to the other threads and wait for them. Work that takes less is faster on one thread.',
  ),
  term(
    'frozen',
    'Frozen tab',
    ['frozen'],
    'A browser may stop a page in the background altogether. What was being timed then is not a time any more.',
  ),
  term(
    'fusion',
    'Fusion',
    ['fusion', 'fuse operations', 'without fusion'],
    'Several operations run as one step, so that results in between are not written to memory.',
  ),
  term(
    'folding',
    'Folding',
    ['folding'],
    'Values that depend on weights alone are computed once, before the first prediction.',
  ),
  term(
    'gb',
    'GB/s',
    ['GB/s'],
    'A thousand million bytes a second, moved between memory and the processor.',
  ),
  term(
    'gemm',
    'GEMM',
    ['GEMM', 'Products of matrices'],
    'The product of two matrices. Most of the time of a neural network is spent in it.',
  ),
  term(
    'geometric-mean',
    'Geometric mean',
    ['geometric means', 'geometric mean'],
    'The mean for ratios: half as fast and twice as fast cancel out.',
  ),
  term(
    'gflops',
    'GFLOP/s',
    ['GFLOP/s'],
    'A thousand million additions or multiplications a second.',
  ),
  term(
    'gradient',
    'Gradient',
    ['gradient', 'gradients', 'Gradients'],
    'How much the error changes with each weight: training moves the weights against it.',
  ),
  term(
    'held-out',
    'Held out',
    ['held out', 'held-out'],
    'Samples that the model never learns from, so that they show what it does with new ones.',
  ),
  term(
    'instruction-set',
    'Instruction set',
    ['instruction set'],
    'The instructions that a program may use. WebAssembly’s is the same on all processors, and smaller than theirs.',
  ),
  term(
    'interval',
    '95% interval',
    ['95% intervals', '95% interval', '95% CI', 'intervals'],
    'Where the figure lies if the run were repeated, in 95 of 100 cases. Two figures whose intervals overlap may be equal.',
  ),
  term(
    'isolation',
    'Cross-origin isolation',
    ['cross-origin isolated'],
    'A page that its server sends with two headers (COOP and COEP) is shut off from other sites. Only then do browsers allow threads.',
  ),
  term(
    'latency',
    'Latency',
    ['latency', 'Latency'],
    'The time from asking for one result to having it.',
  ),
  term(
    'learning-rate',
    'Learning rate',
    ['learning rate'],
    'How far one training step moves the weights. Too high and training diverges, too low and it takes long.',
  ),
  term(
    'loss',
    'Loss',
    ['loss', 'losses'],
    'One number for how wrong the model is; training makes it smaller.',
  ),
  term(
    'median',
    'Median',
    ['median', 'medians', 'Medians'],
    'The middle one of all samples when they are sorted. A few disturbed samples do not move it.',
  ),
  term(
    'mlp',
    'MLP',
    ['MLP', 'MLPs'],
    'A multilayer perceptron: layers of weighted sums, each followed by a simple function. “784-200-10” has 784 inputs, 200 values in between and 10 results.',
  ),
  term(
    'native',
    'Native',
    ['native code', 'native', 'natively'],
    'Compiled for the processor itself and run by the operating system, not by a browser.',
  ),
  term(
    'packing',
    'Packing',
    ['packing'],
    'Weights are stored again in the order in which the kernels read them.',
  ),
  term(
    'percentile',
    'p50 and p99',
    ['p50', 'p99', '99th percentile', 'percentiles'],
    'Half of all calls are faster than p50, the median; 99 of 100 are faster than p99.',
  ),
  term(
    'plan',
    'Plan',
    ['plan', 'plans'],
    'A model compiled for one purpose: the order of its steps, their memory, and the threads of each.',
  ),
  term(
    'relaxed-simd',
    'Relaxed SIMD',
    ['relaxed SIMD', 'relaxed tier'],
    'Newer WebAssembly instructions whose last digits may differ between processors. They include fused multiply-add, so they are fast.',
  ),
  term(
    'rmse',
    'RMSE',
    ['RMSE'],
    'The root of the mean squared error: the typical distance from the right result.',
  ),
  term(
    'roofline',
    'Roofline',
    ['roofline', 'Roofline'],
    'The most speed that an operation can have: the smaller of peak arithmetic, and bandwidth times its operations per byte.',
  ),
  term(
    'round',
    'Round',
    ['rounds', 'round'],
    'A run measures every case once in each round, so that a slow moment of the machine affects all cases alike.',
  ),
  term(
    'seed',
    'Seed',
    ['seed', 'seeded', 'Seed'],
    'A number that random numbers begin with: the same seed gives the same data and weights everywhere.',
  ),
  term(
    'service-worker',
    'Service worker',
    ['service worker'],
    'A script that a page installs in the browser to answer its own requests. Here it can add the headers that threads need.',
  ),
  term(
    'side',
    'A, B and C',
    ['sides'],
    'A is native at its best, B is native with only what WebAssembly has, C is the browser.',
  ),
  term('simd', 'SIMD', ['SIMD'], 'One instruction that does the same to several numbers at once.'),
  term(
    'step',
    'Training step',
    ['training step', 'training steps', 'Training steps'],
    'Forward, backward and one update of the weights, for one batch.',
  ),
  term(
    'synthetic',
    'Synthetic data',
    ['Synthetic data', 'synthetic'],
    'Made by a program from a seed, not collected. The page always says which data is synthetic.',
  ),
  term(
    'thread',
    'Thread',
    ['threads', 'thread'],
    'A part of the program that runs beside the others, on another core of the processor. In a page, threads are web workers that share memory.',
  ),
  term(
    'tier',
    'Tier',
    ['tiers', 'tier'],
    'A build of the engine. relaxed-threads is the fastest, simd-threads has the same bits everywhere, simd runs on one thread.',
  ),
  term(
    'ulp',
    'ULP',
    ['ULP', 'units in the last place'],
    'Units in the last place: the distance between neighbouring floats. Perfect rounding errs by at most 0.5.',
  ),
  term(
    'vectors',
    'Vectors',
    ['vectors', 'Vectors'],
    'Registers that hold several numbers, which one instruction computes at once.',
  ),
  term(
    'void',
    'Void',
    ['void', 'Void'],
    'Not counted, with the reason: a check failed, the page was hidden or frozen, or a figure is impossible.',
  ),
  term(
    'wasm',
    'WebAssembly',
    ['WebAssembly'],
    'A compact format of machine-like code that browsers compile and run, safely and nearly as fast as native code.',
  ),
  term(
    'bandwidth',
    'Bandwidth',
    ['bandwidth', 'Bandwidth', 'Memory bandwidth'],
    'How many bytes a second can be moved between memory, or a cache, and the processor.',
  ),
  term(
    'cache',
    'Cache (L1, L2, L3)',
    ['cache', 'caches', 'level of memory'],
    'Small fast memory in the processor. L1 is the smallest and fastest; what does not fit comes from L2, L3 or main memory.',
  ),
  term(
    'idx',
    'IDX',
    ['IDX'],
    'The file format of MNIST: a short header, then the bytes of the images or their labels.',
  ),
  term(
    'jsonl',
    'JSON lines',
    ['JSON lines'],
    'A text file with one JSON object on each line. Each row of results is one.',
  ),
  term(
    'mnist',
    'MNIST',
    ['MNIST'],
    'A well-known set of 28 x 28 images of handwritten digits, with the right answer for each.',
  ),
  term(
    'optimizer',
    'Optimizer',
    ['optimizer', 'Optimizer'],
    'The rule by which gradients change the weights: plain descent, momentum, Adam and others.',
  ),
  term(
    'perplexity',
    'Perplexity',
    ['perplexity'],
    'Between how many equally likely words a language model hesitates. Lower is better; 1 would be certainty.',
  ),
  term(
    'throughput',
    'Throughput',
    ['throughput'],
    'How many samples are done a second, however many at once.',
  ),
  term(
    'winograd',
    'Winograd',
    ['Winograd'],
    'A way to compute convolutions with fewer multiplications.',
  ),
  term(
    'weights',
    'Weights',
    ['weights', 'Weights'],
    'The numbers of a model that training changes.',
  ),
  term(
    'working-set',
    'Working set',
    ['working set'],
    'All the memory that a piece of work touches. It is fast if a cache holds it.',
  ),
  term(
    'yardstick',
    'Yardstick',
    ['yardstick'],
    'A fixed piece of work measured in every round. If it takes longer, the machine itself has become slower.',
  ),
];
