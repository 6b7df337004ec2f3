/** Makes ONNX models and arrays of NumPy for tests, and reads arrays. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const { root: messages } = protobuf.parse(
  readFileSync(fileURLToPath(new URL('../../native/onnx/onnx.proto', import.meta.url)), 'utf8'),
  { keepCase: true },
);
const message = (name) => messages.lookupType(`plx_wire.${name}`);
const encode = (name, fields) => message(name).encode(message(name).create(fields)).finish();

/** Element types, by the format's numbers, with the arrays that hold them and NumPy's names. */
export const types = {
  float32: { number: 1, array: Float32Array, numpy: '<f4' },
  uint8: { number: 2, array: Uint8Array, numpy: '|u1' },
  int32: { number: 6, array: Int32Array, numpy: '<i4' },
  int64: { number: 7, array: BigInt64Array, numpy: '<i8' },
  bool: { number: 9, array: Uint8Array, numpy: '|b1' },
  float16: { number: 10, array: Uint16Array, numpy: '<f2' },
  float64: { number: 11, array: Float64Array, numpy: '<f8' },
};

const bytesOf = (type, values) => {
  const { array } = types[type];
  const own = array === BigInt64Array ? values.map((value) => BigInt(value)) : values;
  return Buffer.from(array.from(own).buffer);
};

/** A tensor; more: fields in place of its bytes. */
export const tensor = (name, dims, values, type = 'float32', more = undefined) => ({
  name,
  dims,
  data_type: types[type].number,
  ...(more ?? { raw_data: bytesOf(type, values) }),
});

/** A list of whole numbers. */
export const ints = (name, values) => tensor(name, [values.length], values, 'int64');

function attribute(name, value) {
  if (typeof value === 'string') return { name, type: 3, s: Buffer.from(value) };
  if (typeof value === 'number') return { name, type: 2, i: value };
  if (Array.isArray(value)) return { name, type: 7, ints: value };
  if (value.f !== undefined) return { name, type: 1, f: value.f };
  if (value.graph) return { name, type: 5, g: encode('Graph', value.graph) };
  return { name, type: 4, t: value };
}

/** A node: attributes by name; a number is an int, { f } a float, { graph } a graph. */
export const node = (op, inputs, outputs, attributes = {}, more = {}) => ({
  op_type: op,
  input: inputs,
  output: outputs,
  attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  ...more,
});

/** An input or output: sizes, or names of dimensions. */
export const port = (name, dims, type = 'float32') => ({
  name,
  type: {
    tensor_type: {
      elem_type: types[type].number,
      shape: {
        dim: dims.map((dim) => (typeof dim === 'string' ? { dim_param: dim } : { dim_value: dim })),
      },
    },
  },
});

export const graph = (nodes, inputs, outputs, initializers = []) => ({
  node: nodes,
  input: inputs,
  output: outputs,
  initializer: initializers,
});

/** The bytes of a model. */
export const model = (of, { opset = 17, ir = 8, opsets = [{ domain: '', version: opset }] } = {}) =>
  Buffer.from(encode('Model', { ir_version: ir, graph: of, opset_import: opsets }));

/** Writes an array of NumPy. */
export function saveArray(file, dims, values, type = 'float32') {
  const shape = dims.map((dim) => `${dim},`).join(' ');
  const text = `{'descr': '${types[type].numpy}', 'fortran_order': False, 'shape': (${shape}), }`;
  const header = Buffer.from(`${text.padEnd(117)}\n`);
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]);
  writeFileSync(file, Buffer.concat([start, header, bytesOf(type, values)]));
}

/** Reads an array of NumPy: its type as NumPy names it, its shape and its values as numbers. */
export function loadArray(folder, name) {
  const bytes = readFileSync(path.join(folder, `${name}.npy`));
  const length = bytes.readUInt16LE(8);
  const header = bytes.subarray(10, 10 + length).toString();
  const [, numpy] = /'descr': '([^']+)'/.exec(header);
  const [, shape] = /'shape': \(([^)]*)\)/.exec(header);
  const { array } = Object.values(types).find((type) => type.numpy === numpy);
  const data = bytes.subarray(10 + length);
  const values = new array(data.buffer.slice(data.byteOffset, data.byteOffset + data.length));
  return {
    type: numpy,
    dims: shape.split(',').filter(Boolean).map(Number),
    values: Array.from(values, Number),
  };
}
