// ONNX models of the cases, written in protocol buffers' wire format: field numbers are those of
// the public onnx.proto3.

const FLOAT = 1;
const IR_VERSION = 8;
const OPSET = 17;
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

const valueInfo = (field, name, shape) =>
  message(
    field,
    text(1, name),
    message(
      2,
      message(
        1,
        integer(1, FLOAT),
        message(2, ...shape.map((size) => message(1, integer(1, size)))),
      ),
    ),
  );

const tensor = (name, shape, values) =>
  message(
    5,
    ...shape.map((size) => integer(1, size)),
    integer(2, FLOAT),
    text(8, name),
    bytes(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  );

const node = (type, inputs, output) =>
  message(1, ...inputs.map((name) => text(1, name)), text(2, output), text(4, type));

const model = (...graph) =>
  concatenated([
    integer(1, IR_VERSION),
    text(2, 'parallax'),
    message(7, text(2, 'case'), ...graph),
    message(8, text(1, ''), integer(2, OPSET)),
  ]);

/** A model with inputs a and b, or x, and the output out. */
export function onnxModel(item, data) {
  if (item.kind === 'gemm')
    return model(
      node('MatMul', ['a', 'b'], 'out'),
      valueInfo(11, 'a', [item.m, item.k]),
      valueInfo(11, 'b', [item.k, item.n]),
      valueInfo(12, 'out', [item.m, item.n]),
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
  graph.push(valueInfo(11, 'x', [item.batch, item.layers[0]]));
  graph.push(valueInfo(12, 'out', [item.batch, item.layers.at(-1)]));
  return model(...graph);
}
