// The models by name, written once in terms of the few operations of an adapter (jax_adapter.mjs,
// tfjs_adapter.mjs), with weights under Parallax's names.
//
// o: the adapter; w: name to array; x: port to array; y: output to one-hot labels. Each family
// returns the loss of a batch. Ids are never 0, which some models treat as padding.

const HEADS = 4;

const dense = (o, w, name, x) => {
  const y = o.matmul(x, w(`${name}.weight`));
  return w.has(`${name}.bias`) ? o.add(y, w(`${name}.bias`)) : y;
};

/** Normalises the last axis: layer norm, or RMS norm if there is no shift. */
function norm(o, w, name, x, epsilon) {
  const whole = w.has(`${name}.shift`);
  const centred = whole ? o.sub(x, o.mean(x)) : x;
  const variance = o.mean(o.mul(centred, centred));
  const y = o.mul(o.mul(centred, o.rsqrt(o.shifted(variance, epsilon))), w(`${name}.scale`));
  return whole ? o.add(y, w(`${name}.shift`)) : y;
}

/** Turns [b, s, heads d] into [b, heads, s, d]. */
function apart(o, x, heads) {
  const [b, s, width] = o.shape(x);
  return o.transpose(o.reshape(x, [b, s, heads, width / heads]), [0, 2, 1, 3]);
}

/** Element i of a head is rotated with element i + d / 2. */
function rotated(o, x) {
  const [, , s, d] = o.shape(x);
  const half = d / 2;
  const angles = Array.from({ length: s * half }, (_, i) => {
    const [position, pair] = [Math.floor(i / half), i % half];
    return position * 10000 ** (-pair / half);
  });
  const table = (f) => o.constant(Float32Array.from(angles, f), [s, half]);
  const [cos, sin] = [table(Math.cos), table(Math.sin)];
  const [a, b] = o.halves(x);
  return o.concat([o.sub(o.mul(a, cos), o.mul(b, sin)), o.add(o.mul(b, cos), o.mul(a, sin))]);
}

/** Repeats each key head for the several query heads that share it, side by side. */
function repeated(o, x, times) {
  const [b, heads, s, d] = o.shape(x);
  const each = o.reshape(x, [b, heads, 1, s, d]);
  return o.reshape(o.broadcast(each, [b, heads, times, s, d]), [b, heads * times, s, d]);
}

function attention(o, w, name, x, { causal, rope, kvHeads = HEADS }) {
  const [b, s, width] = o.shape(x);
  let q = apart(o, dense(o, w, `${name}.query`, x), HEADS);
  let k = apart(o, dense(o, w, `${name}.key`, x), kvHeads);
  let v = apart(o, dense(o, w, `${name}.value`, x), kvHeads);
  if (rope) [q, k] = [rotated(o, q), rotated(o, k)];
  if (kvHeads < HEADS) [k, v] = [k, v].map((rows) => repeated(o, rows, HEADS / kvHeads));
  const turned = o.transpose(k, [0, 1, 3, 2]);
  let scores = o.scaled(o.matmul(q, turned), 1 / Math.sqrt(width / HEADS));
  if (causal) {
    const hidden = Float32Array.from({ length: s * s }, (_, i) =>
      i % s > Math.floor(i / s) ? -1e30 : 0,
    );
    scores = o.add(scores, o.constant(hidden, [s, s]));
  }
  const seen = o.transpose(o.matmul(o.softmax(scores), v), [0, 2, 1, 3]);
  return dense(o, w, `${name}.output`, o.reshape(seen, [b, s, width]));
}

function hidden(o, w, name, x, activation) {
  const up = dense(o, w, `${name}.up`, x);
  const y = w.has(`${name}.gate.weight`)
    ? o.mul(o.silu(dense(o, w, `${name}.gate`, x)), up)
    : o[activation](up);
  return dense(o, w, `${name}.down`, y);
}

function blocks(o, w, prefix, x, { post = false, epsilon = 1e-5, activation = 'gelu', ...rest }) {
  let y = x;
  for (let i = 0; w.has(`${prefix}block_${i}.norm_2.scale`); ++i) {
    const name = `${prefix}block_${i}`;
    const parts = [
      [`${name}.norm_1`, (rows) => attention(o, w, `${name}.attention`, rows, rest)],
      [`${name}.norm_2`, (rows) => hidden(o, w, `${name}.mlp`, rows, activation)],
    ];
    for (const [at, part] of parts)
      y = post
        ? norm(o, w, at, o.add(y, part(y)), epsilon)
        : o.add(y, part(norm(o, w, at, y, epsilon)));
  }
  return y;
}

/** Mean over rows of -log softmax at the labels. */
function crossEntropy(o, logits, labels) {
  const shape = o.shape(logits);
  const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1);
  return o.scaled(o.sum(o.mul(o.logSoftmax(logits), labels)), -1 / rows);
}

const tied = (o, table, x) => o.matmul(x, o.transpose(table, [1, 0]));

/**
 * Turns [n, h, w, c] into rows of patches, and multiplies them by the patch weights [p, p, c,
 * width].
 */
function patches(o, w, name, x) {
  const [n, h, , c] = o.shape(x);
  const [p, , , width] = o.shape(w(`${name}.weight`));
  const rows = h / p;
  const cut = o.transpose(o.reshape(x, [n, rows, p, rows, p, c]), [0, 1, 3, 2, 4, 5]);
  const flat = o.reshape(cut, [n, rows * rows, p * p * c]);
  const weight = o.reshape(w(`${name}.weight`), [p * p * c, width]);
  return o.add(o.matmul(flat, weight), w(`${name}.bias`));
}

function decoder(o, w, x, y, options) {
  let rows = o.gather(w('tokens.table'), x.ids);
  if (w.has('positions.table')) rows = o.add(rows, w('positions.table'));
  rows = norm(o, w, 'norm', blocks(o, w, '', rows, { causal: true, ...options }), 1e-5);
  return crossEntropy(o, tied(o, w('tokens.table'), rows), y.logits);
}

function bert(o, w, x, y) {
  const epsilon = 1e-12;
  let rows = o.add(o.gather(w('tokens.table'), x.ids), w('positions.table'));
  rows = blocks(o, w, '', norm(o, w, 'norm', rows, epsilon), { post: true, epsilon });
  const named = norm(o, w, 'words.norm', o.gelu(dense(o, w, 'words.dense', rows)), epsilon);
  const words = o.add(tied(o, w('tokens.table'), named), w('words.bias'));
  const pooled = o.tanh(dense(o, w, 'class.pooler', o.first(rows)));
  const kinds = dense(o, w, 'class.dense', pooled);
  return o.add(crossEntropy(o, words, y.words), crossEntropy(o, kinds, y.class));
}

function vit(o, w, x, y) {
  const epsilon = 1e-6;
  let rows = patches(o, w, 'patches', x.image);
  const [n, , width] = o.shape(rows);
  const token = o.broadcast(o.reshape(w('class.weight'), [1, 1, width]), [n, 1, width]);
  rows = o.add(o.stack([token, rows]), w('positions.table'));
  rows = norm(o, w, 'norm', o.first(blocks(o, w, '', rows, { epsilon })), epsilon);
  return crossEntropy(o, dense(o, w, 'head', rows), y.logits);
}

function clip(o, w, x) {
  const towers = {
    image: () => patches(o, w, 'image.patches', x.pixels),
    text: () => o.gather(w('text.tokens.table'), x.ids),
  };
  const [image, text] = Object.entries(towers).map(([tower, begin]) => {
    const rows = o.add(begin(), w(`${tower}.positions.table`));
    const seen = norm(o, w, `${tower}.norm`, blocks(o, w, `${tower}.`, rows, {}), 1e-5);
    const pooled = dense(o, w, `${tower}.projection`, o.meanOfRows(seen));
    const length = o.mean(o.mul(pooled, pooled));
    const [, width] = o.shape(pooled);
    return o.scaled(o.mul(pooled, o.rsqrt(length)), 1 / Math.sqrt(width));
  });
  const logits = o.mul(o.matmul(image, o.transpose(text, [1, 0])), o.exp(w('temperature')));
  const [n] = o.shape(logits);
  const pairs = o.constant(
    Float32Array.from({ length: n * n }, (_, i) => (i % (n + 1) ? 0 : 1)),
    [n, n],
  );
  const ways = [logits, o.transpose(logits, [1, 0])].map((way) => crossEntropy(o, way, pairs));
  return o.scaled(o.add(...ways), 0.5);
}

/** Batch normalisation: per channel over all other axes. */
function batchNorm(o, w, name, x) {
  const centred = o.sub(x, o.meanOfPixels(x));
  const variance = o.meanOfPixels(o.mul(centred, centred));
  const y = o.mul(o.mul(centred, o.rsqrt(o.shifted(variance, 1e-5))), w(`${name}.scale`));
  return o.add(y, w(`${name}.shift`));
}

function resnet(o, w, x, y) {
  const conv = (name, rows, stride = 1) => o.conv(rows, w(`${name}.weight`), stride);
  let rows = o.relu(batchNorm(o, w, 'stem_norm', conv('stem', x.image)));
  for (let stage = 0; w.has(`stage_${stage}.block_0.conv_1.weight`); ++stage)
    for (let block = 0; w.has(`stage_${stage}.block_${block}.conv_1.weight`); ++block) {
      const name = `stage_${stage}.block_${block}`;
      const stride = stage && !block ? 2 : 1;
      let inner = batchNorm(o, w, `${name}.norm_1`, conv(`${name}.conv_1`, rows, stride));
      inner = batchNorm(o, w, `${name}.norm_2`, conv(`${name}.conv_2`, o.relu(inner)));
      if (w.has(`${name}.projection.weight`)) {
        rows = conv(`${name}.projection`, rows, stride);
        rows = batchNorm(o, w, `${name}.projection_norm`, rows);
      }
      rows = o.relu(o.add(rows, inner));
    }
  return crossEntropy(o, dense(o, w, 'head', o.meanOfImage(rows)), y.logits);
}

const families = {
  gpt2: (o, w, x, y) => decoder(o, w, x, y, { activation: 'geluTanh' }),
  transformer: (o, w, x, y) => decoder(o, w, x, y, { rope: true, kvHeads: HEADS / 2 }),
  bert,
  vit,
  clip,
  resnet,
};

/** The loss of a batch, from (o, w, x, y). */
export const lossOfModel = (model) => families[model.split('-')[0]];

/** Turns {name: array} into what a loss takes as w. */
export function lookUp(weights) {
  const w = (name) => weights[name];
  w.has = (name) => name in weights;
  return w;
}

/** The weights that training changes; it does not read running statistics. */
export const trained = (data) => data.weights.filter(({ state }) => !state);
