// What Parallax is to reach beside the peers, and whether a measurement reached it.

const lowest = (entries) =>
  entries.reduce((best, entry) => (!best || entry.median < best.median ? entry : best), undefined);

const named = (peers, names) => peers.filter((peer) => names.includes(peer.engine.name));

/** Of operations: natively beside onnxruntime, in the browser beside the better of two. */
function ofOperation({ op, sizes }, where) {
  const native = where === 'native';
  const side = native
    ? { what: 'onnxruntime', among: ['onnxruntime-node'] }
    : {
        what: 'better of onnxruntime-web and tfjs',
        among: ['onnxruntime-web', 'tfjs-backend-wasm'],
      };
  if (op !== 'conv2d') return [{ ...side, factor: 1, above: true }];
  const plain = sizes.k === 3 && sizes.stride === 1 && sizes.groups === 1;
  if (plain) return [{ ...side, factor: native ? 1.2 : 2 }];
  return [{ ...side, factor: native ? 1 : 1.2 }];
}

/** Of training steps of models by name: in the browser beside those that can train them. */
function ofModel(where) {
  if (where === 'native') return [{ what: 'PyTorch', factor: 1.5, among: ['PyTorch'] }];
  const among = ['tfjs-backend-wasm', 'jax-js'];
  return [{ what: 'better of tfjs and jax-js', factor: 3, among }];
}

/**
 * [{what, factor, among, above}]: our speed over that of the fastest of `among` is to be factor, or
 * above it.
 */
function lines(item, where) {
  if (item.kind === 'op') return ofOperation(item, where);
  if (item.manifest) return ofModel(where);
  const train = item.kind === 'train';
  if (where === 'native') {
    if (item.kind === 'gemm')
      return [
        {
          what: 'best of OpenBLAS and onnxruntime',
          factor: 0.95,
          among: ['OpenBLAS', 'onnxruntime-node'],
        },
      ];
    return train ? [{ what: 'PyTorch', factor: 1.5, among: ['PyTorch'] }] : [];
  }
  const tfjs = 'tfjs-backend-wasm';
  if (item.kind === 'gemm')
    return [{ what: 'best browser peer', factor: 1.5, among: ['onnxruntime-web', tfjs, 'jax-js'] }];
  if (!train) return [];
  return [
    { what: 'tfjs', factor: 8, among: [tfjs] },
    { what: 'jax-js', factor: 2, among: ['jax-js'] },
  ];
}

const verdict = (what, wanted, got, above) => {
  const reached = above ? got > wanted : got >= wanted;
  const by = reached ? 'reached' : `missed by ${(100 * (1 - got / wanted)).toFixed(0)}%`;
  return `${what}: ${got.toFixed(2)} of ${above ? 'more than ' : ''}${wanted}, ${by}`;
};

/**
 * Sentences on our entry beside the peers measured with it. Entries are {engine, median} in
 * nanoseconds; speed(peer) is how many times our time the peer's is.
 */
export function verdicts(item, where, ours, peers, speed) {
  const sentences = [];
  for (const { what, factor, among, above } of lines(item, where)) {
    const best = lowest(named(peers, among));
    if (best) sentences.push(verdict(what, factor, speed(best), above));
  }
  const { ceiling } = ours.engine;
  if (where === 'browser' && item.kind === 'gemm' && ceiling)
    sentences.push(verdict('share of the ceiling', 0.9, item.flops / ours.median / ceiling));
  return sentences;
}
