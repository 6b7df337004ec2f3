// ONNX models of the cases, written in the protocol buffers wire format: field numbers are those of
// the public onnx.proto3.

const FLOAT = 1;
const INT32 = 6;
const IR_VERSION = 9;
const OPSET = 20;
/** The domain of onnxruntime's own operators. */
const CONTRIB = 'com.microsoft';

// Attribute types.
const NUMBER = 1;
const INTEGER = 2;
const INTEGERS = 7;

const encoder = new TextEncoder();

function varint(value) {
  const bytes = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...bytes, rest]);
    bytes.push((rest % 128) | 128);
  }
}

function concatenated(parts) {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

const integer = (field, value) => concatenated([varint(field * 8), varint(value)]);
const bytes = (field, value) => concatenated([varint(field * 8 + 2), varint(value.length), value]);
const text = (field, value) => bytes(field, encoder.encode(value));
const message = (field, ...parts) => bytes(field, concatenated(parts));

const number = (field, value) =>
  concatenated([varint(field * 8 + 5), new Uint8Array(Float32Array.of(value).buffer)]);

const valueInfo = (field, name, shape, type = FLOAT) =>
  message(
    field,
    text(1, name),
    message(
      2,
      message(
        1,
        integer(1, type),
        message(2, ...shape.map((size) => message(1, integer(1, size)))),
      ),
    ),
  );

export const input = (name, shape) => valueInfo(11, name, shape);
export const indices = (name, shape) => valueInfo(11, name, shape, INT32);
export const output = (name, shape) => valueInfo(12, name, shape);

export const tensor = (name, shape, values) =>
  message(
    5,
    ...shape.map((size) => integer(1, size)),
    integer(2, FLOAT),
    text(8, name),
    bytes(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  );

/** Attributes may be integers, lists of them, or {number}. */
function attribute(name, value) {
  if (Array.isArray(value))
    return message(
      5,
      text(1, name),
      ...value.map((each) => integer(8, each)),
      integer(20, INTEGERS),
    );
  if (typeof value === 'number')
    return message(5, text(1, name), integer(3, value), integer(20, INTEGER));
  return message(5, text(1, name), number(2, value.number), integer(20, NUMBER));
}

export const node = (type, inputs, result, attributes = {}, domain = '') =>
  message(
    1,
    ...inputs.map((name) => text(1, name)),
    text(2, result),
    text(4, type),
    ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
    text(7, domain),
  );

/** One of onnxruntime's own operators. */
export const contribNode = (type, inputs, result, attributes) =>
  node(type, inputs, result, attributes, CONTRIB);

export const model = (...graph) =>
  concatenated([
    integer(1, IR_VERSION),
    text(2, 'parallax'),
    message(7, text(2, 'case'), ...graph),
    message(8, text(1, ''), integer(2, OPSET)),
    message(8, text(1, CONTRIB), integer(2, 1)),
  ]);

/** The shapes of a and b as they lie in memory. */
export const shapesOf = ({ m, n, k, transposed }) => ({
  a: transposed === 'a' ? [k, m] : [m, k],
  b: transposed === 'b' ? [n, k] : [k, n],
});

/** MatMul does not transpose, Gemm does. */
function product(item) {
  const { transposed } = item;
  if (transposed === 'none') return node('MatMul', ['a', 'b'], 'out');
  const attributes = { transA: Number(transposed === 'a'), transB: Number(transposed === 'b') };
  return node('Gemm', ['a', 'b'], 'out', attributes);
}

/** A model with inputs a and b, or x, and the output out; operations are in onnx_operations.mjs. */
export function onnxModel(item, data) {
  if (item.kind === 'gemm')
    return model(
      product(item),
      input('a', shapesOf(item).a),
      input('b', shapesOf(item).b),
      output('out', [item.m, item.n]),
    );
  const graph = [];
  const last = data.weights.length - 1;
  data.weights.forEach((layer, i) => {
    const input = i === 0 ? 'x' : `hidden${i - 1}`;
    graph.push(node('Gemm', [input, `w${i}`, `b${i}`], i === last ? 'out' : `sum${i}`));
    if (i !== last) graph.push(node('Relu', [`sum${i}`], `hidden${i}`));
    graph.push(tensor(`w${i}`, [layer.in, layer.out], layer.w));
    graph.push(tensor(`b${i}`, [layer.out], layer.b));
  });
  graph.push(input('x', [item.batch, item.layers[0]]));
  graph.push(output('out', [item.batch, item.layers.at(-1)]));
  return model(...graph);
}
