// The speeds that Parallax should reach relative to the peers, and whether a measurement reached
// them.

const lowest = (entries) =>
  entries.reduce((best, entry) => (!best || entry.median < best.median ? entry : best), undefined);

const named = (peers, names) => peers.filter((peer) => names.includes(peer.engine.name));

/**
 * Targets for operations: natively relative to onnxruntime, in the browser to the better of two.
 */
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

/**
 * Targets for training steps of models by name: in the browser, relative to the peers that can
 * train them.
 */
function ofModel(where) {
  if (where === 'native') return [{ what: 'PyTorch', factor: 1.5, among: ['PyTorch'] }];
  const among = ['tfjs-backend-wasm', 'jax-js'];
  return [{ what: 'better of tfjs and jax-js', factor: 3, among }];
}

/**
 * Returns [{what, factor, among, above}]: our speed should be factor times that of the fastest of
 * `among`, or more than that if above is set.
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
 * Sentences that compare our entry with the peers measured with it. Entries are {engine, median} in
 * nanoseconds; speed(peer) is the peer's time as a multiple of ours.
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
