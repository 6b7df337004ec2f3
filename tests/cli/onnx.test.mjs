/** ONNX models: imported, run on arrays of NumPy, and compared with what their definitions give. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { graph, ints, loadArray, model, node, port, saveArray, tensor } from './onnx_model.mjs';
import { parallax, withFolder } from './support.mjs';

/** Writes a model and its inputs ({ name: [dims, values, type] }) and runs it. */
function run(folder, bytes, inputs = {}, ...more) {
  const file = path.join(folder, 'm.onnx');
  writeFileSync(file, bytes);
  const args = ['run', file, '--threads', '1', '--output', path.join(folder, 'out')];
  for (const [name, [dims, values, type]] of Object.entries(inputs)) {
    const array = path.join(folder, `${name}.in.npy`);
    saveArray(array, dims, values, type);
    args.push('--input', `${name}=${array}`);
  }
  return parallax([...args, ...more]);
}

/** Runs a model whose output y is then returned. */
function outputOf(folder, ...rest) {
  const { code, err } = run(folder, ...rest);
  assert.equal(err, '');
  assert.equal(code, 0);
  return loadArray(path.join(folder, 'out'), 'y');
}

/** The sentence with which a model is refused. */
function refusal(folder, ...rest) {
  const { code, out, err } = run(folder, ...rest);
  assert.equal(code, 1, out);
  return err;
}

/** Sums of n products of numbers up to size may differ by their rounding. */
function assertClose(actual, expected, n = 1, size = 1) {
  assert.equal(actual.length, expected.length);
  const bound = (n + 2) * 2 ** -23 * size;
  for (const [i, value] of actual.entries())
    assert.ok(
      Math.abs(value - expected[i]) <= bound || Object.is(value, expected[i]),
      `element ${i}: ${value}, not ${expected[i]}`,
    );
}

/** Numbers in -1..1 that are exact in single precision and repeat late. */
const numbers = (n, seed = 1) =>
  Array.from({ length: n }, (_, i) => ((((i + seed) * 37) % 101) - 50) / 64);

/** x [rows, inner] times w [inner, columns]. */
const product = (x, w, rows, inner, columns) =>
  Array.from({ length: rows * columns }, (_, k) => {
    let sum = 0;
    for (let i = 0; i < inner; i += 1)
      sum += x[Math.floor(k / columns) * inner + i] * w[i * columns + (k % columns)];
    return sum;
  });

describe('parallax run', () => {
  const x = numbers(6);
  const w = numbers(12, 5);
  const b = numbers(4, 9);
  const dense = graph(
    [
      node('MatMul', ['x', 'w'], ['h']),
      node('Add', ['h', 'b'], ['s']),
      node('Relu', ['s'], ['r']),
      node('Reshape', ['r', 'shape'], ['y']),
    ],
    [port('x', ['batch', 3])],
    [port('y', [4, 'batch'])],
    [tensor('w', [3, 4], w), tensor('b', [4], b), ints('shape', [4, -1])],
  );

  it('computes a small network from arrays and writes its output', () =>
    withFolder((folder) => {
      const y = outputOf(folder, model(dense), { x: [[2, 3], x] });
      const sums = product(x, w, 2, 3, 4).map((sum, i) => Math.max(0, sum + b[i % 4]));
      assert.deepEqual(y.dims, [4, 2]);
      assert.equal(y.type, '<f4');
      assertClose(y.values, sums, 4);
      assert.deepEqual(readdirSync(path.join(folder, 'out')), ['y.npy']);
    }));

  it('prints the first values where nothing is to be written', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'm.onnx');
      writeFileSync(file, model(dense));
      saveArray(path.join(folder, 'x.npy'), [2, 3], x);
      const { code, out } = parallax(['run', file, '-i', `x=${path.join(folder, 'x.npy')}`]);
      assert.equal(code, 0);
      assert.match(out, /^y {2}float32 \[4, 2\] ( -?[\d.e-]+){6} \.\.\.$/m);
    }));

  it('lists what a model takes and gives', () =>
    withFolder((folder) => {
      const { code, out } = run(folder, model(dense), {}, '--list');
      assert.equal(code, 0);
      assert.equal(
        out,
        'inputs\n  x  float32 [batch, 3]\noutputs\n  y  float32 [4, batch]\n' +
          '4 nodes, format 8, operators 17\n',
      );
    }));

  it('says which inputs are missing, and refuses those that are not there', () =>
    withFolder((folder) => {
      const missing = run(folder, model(dense));
      assert.equal(missing.code, 2);
      assert.match(missing.err, /input "x" is missing: give --input x=FILE\.npy\./);
      assert.match(missing.out, /x {2}float32 \[batch, 3\]/);
      const other = run(folder, model(dense), { z: [[1], [1]] });
      assert.equal(other.code, 2);
      assert.match(other.err, /the model has no such input; it has "x"/);
      assert.match(
        refusal(folder, model(dense), { x: [[2, 3], [1, 2, 3, 4, 5, 6], 'int32'] }),
        /holds int32, but input "x" takes float32/,
      );
      assert.match(
        refusal(folder, model(dense), { x: [[2, 4], numbers(8)] }),
        /input "x" has size 3 at axis 1, but is given 4/,
      );
    }));

  it('refuses wrong arguments', () =>
    withFolder((folder) => {
      const file = path.join(folder, 'm.onnx');
      writeFileSync(file, model(dense));
      for (const [args, expected] of [
        [[], /needs a file/],
        [[file, 'more'], /takes one file, but also got "more"/],
        [[file, '--input', 'x'], /--input takes NAME=FILE\.npy, not "x"/],
        [[file, '--bind', 'batch'], /--bind takes NAME=NUMBER or NAME=FILE\.npy/],
        [[file, '--bind', 'nothing=1'], /neither an input nor a dimension of that name/],
        [[file, '--bind', 'batch=two'], /the size of a dimension is a whole number/],
      ]) {
        const { code, err } = parallax(['run', ...args]);
        assert.equal(code, 2, err);
        assert.match(err, expected);
      }
      assert.equal(parallax(['run', path.join(folder, 'none.onnx')]).code, 1);
    }));

  it('lists the operators that there are', () => {
    const { out } = parallax(['run', '--operators']);
    const names = out
      .trimEnd()
      .split('\n')
      .map((line) => /^(\w+) \d+-\d+$/.exec(line)[1]);
    assert.ok(names.length > 90);
    assert.deepEqual(names, [...names].sort(), 'the table is searched by halves');
  });
});

describe('operators', () => {
  /** A model of one node on x, with constants. */
  const one = (op, dims, attributes = {}, constants = [], options = {}) =>
    model(
      graph(
        [node(op, ['x', ...constants.map(({ name }) => name)], ['y'], attributes)],
        [port('x', dims)],
        [port('y', [])],
        constants,
      ),
      options,
    );

  it('convolves images as their definition does, with groups, dilation and padding', () =>
    withFolder((folder) => {
      const x = numbers(2 * 4 * 5 * 6);
      const w = numbers(6 * 2 * 3 * 2, 3);
      const b = numbers(6, 11);
      const y = outputOf(
        folder,
        one(
          'Conv',
          [2, 4, 5, 6],
          {
            kernel_shape: [3, 2],
            strides: [2, 1],
            dilations: [1, 2],
            pads: [1, 0, 0, 2],
            group: 2,
          },
          [tensor('w', [6, 2, 3, 2], w), tensor('b', [6], b)],
        ),
        { x: [[2, 4, 5, 6], x] },
      );
      assert.deepEqual(y.dims, [2, 6, 2, 6]);
      const expected = [];
      for (let n = 0; n < 2; n += 1)
        for (let o = 0; o < 6; o += 1)
          for (let row = 0; row < 2; row += 1)
            for (let column = 0; column < 6; column += 1) {
              let sum = b[o];
              for (let c = 0; c < 2; c += 1)
                for (let i = 0; i < 3; i += 1)
                  for (let j = 0; j < 2; j += 1) {
                    const [at, to] = [row * 2 + i - 1, column + j * 2];
                    const channel = Math.floor(o / 3) * 2 + c;
                    if (at >= 0 && at < 5 && to < 6)
                      sum +=
                        x[((n * 4 + channel) * 5 + at) * 6 + to] * w[((o * 2 + c) * 3 + i) * 2 + j];
                  }
              expected.push(sum);
            }
      assertClose(y.values, expected, 13);
    }));

  it('leaves transposes around images out: the plan has one on each side', () =>
    withFolder((folder) => {
      const x = numbers(2 * 3 * 4 * 4);
      const w = numbers(3 * 3 * 1 * 1, 3);
      const layers = graph(
        [
          node('Conv', ['x', 'w'], ['a']),
          node('Relu', ['a'], ['b']),
          node('MaxPool', ['b'], ['c'], { kernel_shape: [2, 2], strides: [2, 2] }),
          node('Add', ['c', 'bias'], ['d']),
          node('Conv', ['d', 'w'], ['e']),
          node('Concat', ['e', 'd'], ['y'], { axis: 1 }),
        ],
        [port('x', [2, 3, 4, 4])],
        [port('y', [2, 6, 2, 2])],
        [tensor('w', [3, 3, 1, 1], w), tensor('bias', [3, 1, 1], [1, 2, 3])],
      );
      const y = outputOf(folder, model(layers), { x: [[2, 3, 4, 4], x] });
      assert.deepEqual(y.dims, [2, 6, 2, 2]);
      const mix = (of, n, size) =>
        Array.from({ length: n * 3 * size }, (_, k) => {
          const [image, channel, at] = [
            Math.floor(k / (3 * size)),
            Math.floor(k / size) % 3,
            k % size,
          ];
          return [0, 1, 2].reduce(
            (sum, c) => sum + w[channel * 3 + c] * of[(image * 3 + c) * size + at],
            0,
          );
        });
      const first = mix(x, 2, 16).map((value) => Math.max(0, value));
      const pooled = Array.from({ length: 24 }, (_, k) => {
        const [plane, row, column] = [Math.floor(k / 4), (k >> 1) & 1, k & 1];
        const at = plane * 16 + row * 8 + column * 2;
        const most = Math.max(first[at], first[at + 1], first[at + 4], first[at + 5]);
        return most + 1 + (plane % 3);
      });
      const second = mix(pooled, 2, 4);
      const joined = [0, 1].flatMap((n) => [
        ...second.slice(n * 12, n * 12 + 12),
        ...pooled.slice(n * 12, n * 12 + 12),
      ]);
      assertClose(y.values, joined, 8, 8);
    }));

  it('reads the older and the newer form of an operator', () =>
    withFolder((folder) => {
      const inputs = {
        x: [
          [1, 3, 1],
          [1, 2, 3],
        ],
      };
      for (const [bytes, dims] of [
        [one('Squeeze', [1, 3, 1], { axes: [0] }, [], { opset: 11 }), [3, 1]],
        [one('Squeeze', [1, 3, 1], {}, [ints('axes', [-1])], { opset: 13 }), [1, 3]],
        [one('Unsqueeze', [1, 3, 1], { axes: [4] }, [], { opset: 11 }), undefined],
        [one('Unsqueeze', [1, 3, 1], { axes: [3] }, [], { opset: 11 }), [1, 3, 1, 1]],
        [one('ReduceSum', [1, 3, 1], { axes: [1], keepdims: 0 }, [], { opset: 11 }), [1, 1]],
        [one('ReduceSum', [1, 3, 1], { keepdims: 0 }, [ints('axes', [1])]), [1, 1]],
        [
          one('Slice', [1, 3, 1], { starts: [-2], ends: [99], axes: [1] }, [], { opset: 9 }),
          [1, 2, 1],
        ],
      ]) {
        if (dims) assert.deepEqual(outputOf(folder, bytes, inputs).dims, dims);
        else
          assert.match(refusal(folder, bytes, inputs), /there is no axis 4 in an array of rank 4/);
      }
    }));

  it('has softmax along one axis, and over all from it before version 13', () =>
    withFolder((folder) => {
      const x = [1, 2, 3, 4];
      const of = (opset) =>
        outputOf(folder, one('Softmax', [1, 2, 2], { axis: 1 }, [], { opset }), {
          x: [[1, 2, 2], x],
        }).values;
      const e = x.map(Math.exp);
      const all = e.reduce((a, b) => a + b);
      assertClose(
        of(11),
        e.map((value) => value / all),
        4,
      );
      assertClose(
        of(13),
        e.map((value, i) => value / (e[i % 2] + e[(i % 2) + 2])),
        4,
      );
    }));

  it('pads by reflection, edge, from the other end, and cuts off', () =>
    withFolder((folder) => {
      const inputs = {
        x: [
          [1, 3],
          [1, 2, 3],
        ],
      };
      for (const [mode, pads, expected] of [
        ['reflect', [0, 2, 0, 3], [3, 2, 1, 2, 3, 2, 1, 2]],
        ['edge', [0, 2, 0, 1], [1, 1, 1, 2, 3, 3]],
        ['wrap', [0, 2, 0, 4], [2, 3, 1, 2, 3, 1, 2, 3, 1]],
        ['constant', [0, -1, 0, 2], [2, 3, 0, 0]],
        ['reflect', [0, -1, 0, 1], [2, 3, 2]],
      ])
        assert.deepEqual(
          outputOf(folder, one('Pad', [1, 3], { mode }, [ints('p', pads)], { opset: 19 }), inputs)
            .values,
          expected,
        );
    }));

  it('multiplies batches of matrices, and vectors by them', () =>
    withFolder((folder) => {
      const [a, b] = [numbers(2 * 3 * 4), numbers(2 * 4 * 2, 7)];
      const of = (dims, w) => one('MatMul', dims, {}, [w]);
      const batches = outputOf(folder, of([2, 3, 4], tensor('w', [2, 4, 2], b)), {
        x: [[2, 3, 4], a],
      });
      const products = [0, 1].map((i) =>
        product(a.slice(i * 12, i * 12 + 12), b.slice(i * 8, i * 8 + 8), 3, 4, 2),
      );
      assert.deepEqual(batches.dims, [2, 3, 2]);
      assertClose(batches.values, products.flat(), 4);
      const vector = outputOf(folder, of([4], tensor('w', [2, 4, 2], b)), {
        x: [[4], a.slice(0, 4)],
      });
      assert.deepEqual(vector.dims, [2, 2]);
      assertClose(
        vector.values,
        products.flatMap((_, i) => product(a.slice(0, 4), b.slice(i * 8, i * 8 + 8), 1, 4, 2)),
        4,
      );
      const column = outputOf(folder, of([2, 3, 4], tensor('w', [4], b.slice(0, 4))), {
        x: [[2, 3, 4], a],
      });
      assert.deepEqual(column.dims, [2, 3]);
      assertClose(column.values, product(a, b.slice(0, 4), 6, 4, 1), 4);
    }));

  /** What operators give for x = 1 to 6 in two rows, exactly. */
  for (const [what, bytes, expected] of [
    [
      'takes elements along an axis',
      one('GatherElements', [2, 3], { axis: 1 }, [tensor('i', [2, 2], [-1, 0, 1, 1], 'int64')]),
      [3, 1, 5, 5],
    ],
    ...[
      ['none', [1, 20, 3, 4, 5, 6]],
      ['add', [1, 32, 3, 4, 5, 6]],
      ['mul', [1, 400, 3, 4, 5, 6]],
      ['max', [1, 20, 3, 4, 5, 6]],
      ['min', [1, 2, 3, 4, 5, 6]],
    ].map(([reduction, values]) => [
      `scatters elements along an axis (${reduction})`,
      one('ScatterElements', [2, 3], { axis: 1, reduction }, [
        tensor('i', [1, 2], [1, -2], 'int64'),
        tensor('u', [1, 2], [10, 20]),
      ]),
      values,
    ]),
    [
      'scatters as version 9 has it',
      one(
        'Scatter',
        [2, 3],
        {},
        [tensor('i', [1, 3], [1, 0, 1], 'int64'), tensor('u', [1, 3], [7, 8, 9])],
        { opset: 9 },
      ),
      [1, 8, 3, 7, 5, 9],
    ],
    [
      'takes elements by indices of two axes',
      one('GatherND', [2, 3], {}, [tensor('i', [3, 2], [0, 0, -1, -1, 1, 0], 'int64')]),
      [1, 6, 4],
    ],
    [
      'takes elements of each row by its own index',
      one('GatherND', [2, 3], { batch_dims: 1 }, [tensor('i', [2, 1], [2, 0], 'int64')]),
      [3, 4],
    ],
    [
      'scatters rows and sums those that meet',
      one('ScatterND', [2, 3], { reduction: 'add' }, [
        tensor('i', [2, 1], [1, -1], 'int64'),
        tensor('u', [2, 3], [10, 20, 30, 1, 2, 3]),
      ]),
      [1, 2, 3, 15, 27, 39],
    ],
    ['multiplies along axes', one('ReduceProd', [2, 3], { axes: [1], keepdims: 0 }), [6, 120]],
    [
      'has the smallest along axes',
      one('ReduceMin', [2, 3], { axes: [0], keepdims: 0 }),
      [1, 2, 3],
    ],
    [
      'sums from the end, without the element itself',
      one('CumSum', [2, 3], { exclusive: 1, reverse: 1 }, [tensor('a', [], [-1], 'int64')]),
      [5, 3, 0, 11, 6, 0],
    ],
    [
      'keeps a lower triangle',
      one('Trilu', [2, 3], { upper: 0 }, [tensor('k', [], [-1], 'int64')]),
      [0, 0, 0, 4, 0, 0],
    ],
    ['marks the largest', one('Hardmax', [2, 3]), [0, 0, 1, 0, 0, 1]],
    [
      'has one-hot vectors of its two values',
      one('OneHot', [2, 3], { axis: 0 }, [
        tensor('d', [], [3], 'int64'),
        tensor('v', [2], [-1, 1]),
      ]),
      [-1, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1],
    ],
    [
      'resizes with filters against aliasing',
      one(
        'Resize',
        [2, 3],
        { mode: 'linear', antialias: 1 },
        [tensor('r', [0], []), tensor('s', [0], []), ints('z', [1, 3])],
        { opset: 18 },
      ),
      [2.5, 3.5, 4.5],
    ],
    [
      'reads blocks of pixels from channels',
      model(
        graph(
          [
            node('Reshape', ['x', 's'], ['i']),
            node('SpaceToDepth', ['i'], ['d'], { blocksize: 2 }),
            node('DepthToSpace', ['d'], ['c'], { blocksize: 2, mode: 'CRD' }),
            node('Sub', ['c', 'i'], ['y']),
          ],
          [port('x', [2, 3])],
          [port('y', [])],
          [ints('s', [1, 1, 2, 3])],
        ),
      ),
      undefined,
    ],
    ['rounds half to even', one('Round', [2, 3]), [1, 2, 3, 4, 5, 6]],
    [
      'einsum: a product',
      one('Einsum', [2, 3], { equation: 'ij, kj -> ki' }, [tensor('w', [1, 3], [1, 10, 100])]),
      [321, 654],
    ],
    [
      'einsum: a batch, a sum and an outer product, without an arrow',
      one('Einsum', [2, 3], { equation: 'ba,cd' }, [tensor('w', [1, 2], [1, 10])]),
      [1, 10, 4, 40, 2, 20, 5, 50, 3, 30, 6, 60],
    ],
    ['einsum: sums of one operand', one('Einsum', [2, 3], { equation: 'ij->j' }), [5, 7, 9]],
    [
      'einsum: three operands with an axis that all have',
      one('Einsum', [2, 3], { equation: 'bi,bj,b->bj' }, [
        tensor('w', [2, 1], [1, 10]),
        tensor('v', [2], [2, 3]),
      ]),
      [12, 450],
    ],
  ])
    it(what, () =>
      withFolder((folder) => {
        const x = {
          x: [
            [2, 3],
            [1, 2, 3, 4, 5, 6],
          ],
        };
        if (expected) assert.deepEqual(outputOf(folder, bytes, x).values, expected);
        else assert.match(refusal(folder, bytes, x), /2 by 3 pixels are no whole number of blocks/);
      }),
    );

  it('rounds, tells signs, and finds what is no number', () =>
    withFolder((folder) => {
      const x = [-2.5, -0.75, 0.5, 1.5, 8388609, -Infinity, NaN, 2.75];
      const of = (op, attributes) =>
        outputOf(folder, one(op, [8], attributes, [], { opset: 20 }), { x: [[8], x] }).values;
      assert.deepEqual(
        of('Floor').map((value) => value + 0),
        x.map(Math.floor),
      );
      assert.deepEqual(
        of('Ceil').map((value) => value + 0),
        x.map((value) => Math.ceil(value) + 0),
      );
      assert.deepEqual(of('Round'), [-2, -1, 0, 2, 8388609, -Infinity, NaN, 3]);
      assert.deepEqual(of('Sign'), [-1, -1, 1, 1, 1, -1, NaN, 1]);
      assert.deepEqual(of('IsNaN'), [0, 0, 0, 0, 0, 0, 1, 0]);
      assert.deepEqual(of('IsInf'), [0, 0, 0, 0, 0, 1, 0, 0]);
      assert.deepEqual(of('IsInf', { detect_negative: 0 }), [0, 0, 0, 0, 0, 0, 0, 0]);
      assert.deepEqual(of('ThresholdedRelu'), [0, 0, 0, 1.5, 8388609, 0, 0, 2.75]);
    }));

  it('refuses indices, sizes and equations that do not fit', () =>
    withFolder((folder) => {
      const x = {
        x: [
          [2, 3],
          [1, 2, 3, 4, 5, 6],
        ],
      };
      const whole = (name, dims, values) => tensor(name, dims, values, 'int64');
      for (const [bytes, expected] of [
        [one('MatMul', [2, 3], {}, [tensor('w', [2, 4, 1], numbers(8))]), /inner sizes differ/],
        [
          one('GatherElements', [2, 3], {}, [whole('i', [1, 1], [2])]),
          /index 2 is outside the axis/,
        ],
        [one('GatherElements', [2, 3], {}, [tensor('i', [1, 1], [0])]), /its indices are reals/],
        [
          one('GatherND', [2, 3], {}, [whole('i', [1, 3], [0, 0, 0])]),
          /length 3 do not fit rank 2/,
        ],
        [
          one('GatherND', [2, 3], { batch_dims: 1 }, [whole('i', [3, 1], [0, 0, 0])]),
          /differ in axis 0, one of batch_dims/,
        ],
        [
          one('ScatterND', [2, 3], {}, [whole('i', [1, 1], [0]), tensor('u', [2], [1, 2])]),
          /1 updates of 3 elements each, but 2 elements/,
        ],
        [
          one('ScatterElements', [2, 3], { reduction: 'mean' }, [
            whole('i', [1, 1], [0]),
            tensor('u', [1, 1], [1]),
          ]),
          /the reduction "mean" is not available/,
        ],
        [
          one('OneHot', [2, 3], {}, [whole('d', [], [0]), tensor('v', [2], [0, 1])]),
          /its depth is 0; it must be 1 to/,
        ],
        [one('CumSum', [2, 3], {}, [whole('a', [], [2])]), /there is no axis 2/],
        [one('Einsum', [2, 3], { equation: 'ii' }), /diagonals are not available/],
        [one('Einsum', [2, 3], { equation: 'ijk' }), /term 0 has 3 letters for rank 2/],
        [one('Einsum', [2, 3], { equation: 'ij->k' }), /a letter that no term has/],
        [one('Einsum', [2, 3], { equation: 'ij-i' }), /an arrow/],
        [one('Einsum', [2, 3], { equation: 'ij->i,j' }), /goes on behind its result/],
        [
          one('Einsum', [2, 3], { equation: 'ij,jk' }, [tensor('w', [2, 1], [1, 2])]),
          /stands for sizes 3 and 2/,
        ],
      ])
        assert.match(refusal(folder, bytes, x), expected);
    }));

  it('has the gates of an LSTM in the order of the format', () =>
    withFolder((folder) => {
      const [w, r, b] = [numbers(4, 2), numbers(4, 7), numbers(8, 4)];
      const bytes = model(
        graph(
          [node('LSTM', ['x', 'w', 'r', 'b'], ['y', '', 'cell'], { hidden_size: 1 })],
          [port('x', [3, 1, 1])],
          [port('y', [3, 1, 1, 1]), port('cell', [1, 1, 1])],
          [tensor('w', [1, 4, 1], w), tensor('r', [1, 4, 1], r), tensor('b', [1, 8], b)],
        ),
      );
      const x = [0.5, -1, 0.25];
      const y = outputOf(folder, bytes, { x: [[3, 1, 1], x] });
      const s = (value) => 1 / (1 + Math.exp(-value));
      let [h, c] = [0, 0];
      const expected = x.map((value) => {
        const [i, o, f, g] = [0, 1, 2, 3].map((k) => w[k] * value + r[k] * h + b[k] + b[k + 4]);
        c = s(f) * c + s(i) * Math.tanh(g);
        h = s(o) * Math.tanh(c);
        return h;
      });
      assertClose(y.values, expected, 16);
      assertClose(loadArray(path.join(folder, 'out'), 'cell').values, [c], 16);
    }));

  it('refuses by operator, node and what would be needed', () =>
    withFolder((folder) => {
      const inputs = {
        x: [
          [1, 3],
          [1, 2, 3],
        ],
      };
      for (const [bytes, expected] of [
        [
          one('Frobnicate', [1, 3]),
          /the node of "y" \(Frobnicate\): this operator is not available/,
        ],
        [one('Relu', [1, 3], { foo: 1 }), /the attribute "foo" is not available/],
        [one('Gelu', [1, 3]), /available in versions 20 to 28, not in 17/],
        [one('Relu', [1, 3], {}, [], { opset: 29 }), /version 29 of the operators; 6 to 28/],
        [one('Relu', [1, 3], {}, [], { ir: 15 }), /version 15 of the format; 3 to 14/],
        [one('Relu', [1, 3], {}, [], { opsets: [] }), /does not say which operators/],
        [one('Conv', [1, 3], {}, [tensor('w', [1, 3], [1, 2, 3])]), /has rank 2; images \(4\)/],
        [one('Transpose', [1, 3], { perm: [0, 0] }), /no permutation/],
        [one('Reshape', [1, 3], {}, [ints('s', [2, 2])]), /\[1, 3\] do not fill \[2, 2\]/],
        [one('Softmax', [1, 3], { axis: 'a' }), /"axis" is of another kind/],
      ])
        assert.match(refusal(folder, bytes, inputs), expected);
    }));
});

describe('folding', () => {
  it('computes shapes and constants at import', () =>
    withFolder((folder) => {
      /* Flattens all but the batch, whatever it is, as exporters write it. */
      const nodes = [
        node('Shape', ['x'], ['shape']),
        node('Constant', [], ['zero'], { value: tensor('', [], [0], 'int64') }),
        node('Gather', ['shape', 'zero'], ['batch'], { axis: 0 }),
        node('Unsqueeze', ['batch', 'axes'], ['first']),
        node('Mul', ['six', 'one'], ['product']),
        node('Div', ['product', 'one'], ['quotient']),
        node('Concat', ['first', 'quotient'], ['whole'], { axis: 0 }),
        node('Reshape', ['x', 'whole'], ['y']),
      ];
      const bytes = model(
        graph(
          nodes,
          [port('x', ['n', 2, 3])],
          [port('y', ['n', 6])],
          [ints('axes', [0]), ints('six', [6]), ints('one', [1])],
        ),
      );
      const y = outputOf(folder, bytes, { x: [[2, 2, 3], numbers(12)] });
      assert.deepEqual(y.dims, [2, 6]);
      assert.deepEqual(y.values, numbers(12));
    }));

  it('takes the branch of an If that is known and does not look at the other', () =>
    withFolder((folder) => {
      const branch = (op) => ({ graph: graph([node(op, ['x'], ['b'])], [], [port('b', [3])]) });
      const bytes = model(
        graph(
          [
            node('Equal', ['rate', 'k'], ['fast']),
            node('If', ['fast'], ['y'], {
              then_branch: branch('Neg'),
              else_branch: branch('Frobnicate'),
            }),
          ],
          [port('x', [3]), port('rate', [], 'int64')],
          [port('y', [3])],
          [tensor('k', [], [16000], 'int64')],
        ),
      );
      const inputs = { x: [[3], [1, -2, 3]] };
      const y = outputOf(folder, bytes, inputs, '--bind', 'rate=16000');
      assert.deepEqual(y.values, [-1, 2, -3]);
      assert.match(refusal(folder, bytes, inputs, '--bind', 'rate=8000'), /Frobnicate/);
      assert.match(
        refusal(folder, bytes, { ...inputs, rate: [[], [16000], 'int64'] }),
        /the condition, "fast", must be known at import/,
      );
    }));

  it('bounds what a small file can make it compute', () =>
    withFolder((folder) => {
      const huge = model(
        graph(
          [node('ConstantOfShape', ['s'], ['y'], { value: tensor('', [1], [1], 'int64') })],
          [],
          [port('y', [])],
          [ints('s', [1e9])],
        ),
      );
      assert.match(
        refusal(folder, huge),
        /1000000000 elements, more than the model's size justifies/,
      );
    }));

  it('rejects division by 0 and indices outside', () =>
    withFolder((folder) => {
      const of = (op, a, b) =>
        model(
          graph([node(op, ['a', 'b'], ['y'])], [], [port('y', [])], [ints('a', a), ints('b', b)]),
        );
      assert.match(refusal(folder, of('Div', [1], [0])), /\(Div\): it divides by 0/);
      assert.match(
        refusal(folder, of('Gather', [1], [3])),
        /index 3 is outside the axis of size 1/,
      );
      assert.deepEqual(outputOf(folder, of('Div', [-7], [3])).values, [-2]);
      assert.deepEqual(outputOf(folder, of('Mod', [-7], [3])).values, [2]);
      assert.equal(outputOf(folder, of('Mod', [-7], [3])).type, '<i8');
    }));
});

describe('idioms', () => {
  it('have the values of what is written out', () =>
    withFolder((folder) => {
      const x = numbers(64).map((value) => value * 8);
      const scalar = (name, value) => tensor(name, [], [value]);
      const gelu = (value) => {
        /* Erf by its series, which converges for these arguments. */
        const z = value / Math.SQRT2;
        let [term, sum] = [z, z];
        for (let n = 1; n < 200; n += 1) {
          term *= (-z * z) / n;
          sum += term / (2 * n + 1);
        }
        return (value / 2) * (1 + (2 / Math.sqrt(Math.PI)) * sum);
      };
      for (const [nodes, constants, f] of [
        [
          [node('Sigmoid', ['x'], ['s']), node('Mul', ['x', 's'], ['y'])],
          [],
          (v) => v / (1 + Math.exp(-v)),
        ],
        [
          [
            node('Add', ['x', 'three'], ['a']),
            node('Clip', ['a', 'zero', 'six'], ['b']),
            node('Mul', ['x', 'b'], ['c']),
            node('Div', ['c', 'six'], ['y']),
          ],
          [scalar('zero', 0), scalar('three', 3), scalar('six', 6)],
          (v) => (v * Math.min(Math.max(v + 3, 0), 6)) / 6,
        ],
        [
          [
            node('Div', ['x', 'root'], ['a']),
            node('Erf', ['a'], ['b']),
            node('Add', ['b', 'one'], ['c']),
            node('Mul', ['x', 'c'], ['d']),
            node('Mul', ['d', 'half'], ['y']),
          ],
          [scalar('root', Math.SQRT2), scalar('one', 1), scalar('half', 0.5)],
          gelu,
        ],
      ]) {
        const bytes = model(graph(nodes, [port('x', [64])], [port('y', [64])], constants));
        assertClose(outputOf(folder, bytes, { x: [[64], x] }).values, x.map(f), 8, 8);
      }
    }));

  it('layer normalisation written out', () =>
    withFolder((folder) => {
      const x = numbers(12).map((value) => value + 100);
      const [scale, shift] = [numbers(4, 3), numbers(4, 8)];
      const nodes = [
        node('ReduceMean', ['x'], ['mean'], { axes: [-1] }),
        node('Sub', ['x', 'mean'], ['d']),
        node('Pow', ['d', 'two'], ['square']),
        node('ReduceMean', ['square'], ['variance'], { axes: [-1] }),
        node('Add', ['variance', 'epsilon'], ['e']),
        node('Sqrt', ['e'], ['deviation']),
        node('Div', ['d', 'deviation'], ['n']),
        node('Mul', ['n', 'scale'], ['m']),
        node('Add', ['m', 'shift'], ['y']),
      ];
      const bytes = model(
        graph(
          nodes,
          [port('x', [3, 4])],
          [port('y', [3, 4])],
          [
            tensor('two', [], [2]),
            tensor('epsilon', [], [1e-5]),
            tensor('scale', [4], scale),
            tensor('shift', [4], shift),
          ],
        ),
      );
      const single = x.map(Math.fround);
      const expected = single.map((value, i) => {
        const row = single.slice(Math.floor(i / 4) * 4, Math.floor(i / 4) * 4 + 4);
        const mean = row.reduce((a, b) => a + b) / 4;
        const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / 4;
        return ((value - mean) / Math.sqrt(variance + 1e-5)) * scale[i % 4] + shift[i % 4];
      });
      /* Differences of numbers near 100 lose their digits, and are divided by 0.2 or more. */
      assertClose(outputOf(folder, bytes, { x: [[3, 4], x] }).values, expected, 4, 100 / 0.2);
    }));
});

describe('files', () => {
  const sum = (initializer) =>
    model(
      graph([node('Add', ['x', 'w'], ['y'])], [port('x', [2])], [port('y', [2])], [initializer]),
    );
  const inputs = { x: [[2], [1, 2]] };
  const external = (fields) => ({
    data_location: 1,
    external_data: Object.entries(fields).map(([key, value]) => ({ key, value })),
  });

  it('read tensors from every field that may hold them', () =>
    withFolder((folder) => {
      for (const more of [
        { float_data: [10, 20] },
        { raw_data: Buffer.from(Float32Array.of(10, 20).buffer), float_data: [1, 2] },
      ])
        assert.deepEqual(
          outputOf(folder, sum(tensor('w', [2], [], 'float32', more)), inputs).values,
          [11, 22],
        );
      const halves = graph(
        [node('Cast', ['w'], ['c'], { to: 1 }), node('Add', ['x', 'c'], ['y'])],
        [port('x', [2])],
        [port('y', [2])],
        [tensor('w', [2], [], 'float16', { int32_data: [0x3c00, 0xc000] })],
      );
      assert.deepEqual(outputOf(folder, model(halves), inputs).values, [2, 0]);
    }));

  it('read tensors from files in their folder, and from nowhere else', () =>
    withFolder((folder) => {
      mkdirSync(path.join(folder, 'in'));
      const own = path.join(folder, 'in');
      writeFileSync(path.join(own, 'w.bin'), Buffer.from(Float32Array.of(0, 10, 20).buffer));
      writeFileSync(path.join(folder, 'secret'), Buffer.from(Float32Array.of(1, 2).buffer));
      const of = (fields) => sum(tensor('w', [2], [], 'float32', external(fields)));
      assert.deepEqual(
        outputOf(own, of({ location: 'w.bin', offset: '4', length: '8' }), inputs).values,
        [11, 22],
      );
      for (const [fields, expected] of [
        [{ location: '../secret' }, /outside the model's folder/],
        [{ location: path.join(folder, 'secret') }, /outside the model's folder/],
        [{ location: '' }, /outside the model's folder/],
        [{ location: 'none.bin' }, /cannot read "none\.bin"/],
        [{ location: 'w.bin', offset: '8', length: '8' }, /beyond the end/],
        [{ location: 'w.bin', offset: '-4' }, /offset is "-4", which is no size/],
        [{ location: 'w.bin' }, /2 elements of 4 bytes, but 12 bytes/],
      ])
        assert.match(refusal(own, of(fields), inputs), expected);
    }));

  it('that are cut at any byte are refused', () =>
    withFolder((folder) => {
      const bytes = sum(tensor('w', [2], [10, 20]));
      for (let cut = 0; cut < bytes.length; cut += 1) {
        const { code, err } = run(folder, bytes.subarray(0, cut), inputs);
        assert.ok(code === 1 || code === 2, `cut at ${cut}: ${code}`);
        assert.match(err, /^parallax/);
      }
    }));

  it('that nest graphs deeply are refused', () =>
    withFolder((folder) => {
      const yes = tensor('yes', [], [1], 'bool');
      let inner = graph([node('Neg', ['x'], ['b'])], [], [port('b', [2])]);
      const around = (of) => ({
        then_branch: { graph: of },
        else_branch: { graph: graph([], [], []) },
      });
      for (let i = 0; i < 17; i += 1)
        inner = graph([node('If', ['yes'], ['b'], around(inner))], [], [port('b', [2])]);
      const nested = graph(
        [node('If', ['yes'], ['y'], around(inner))],
        [port('x', [2])],
        [port('y', [2])],
        [yes],
      );
      assert.match(refusal(folder, model(nested), inputs), /nested more than 16 deep/);
    }));

  it('with wrong sizes are refused', () =>
    withFolder((folder) => {
      for (const [initializer, expected] of [
        [tensor('w', [3], [1, 2]), /3 elements of 4 bytes, but 8 bytes/],
        [tensor('w', [-1], [1, 2]), /an impossible size, -1/],
        [tensor('w', [2 ** 40, 2 ** 40], [1]), /an impossible size/],
        [tensor('w', [1, 1, 1, 1, 1, 1, 1], [1]), /7 dimensions; at most 6/],
        [{ ...tensor('w', [2], [1, 2]), data_type: 17 }, /type number 17, which cannot be read/],
        [tensor('x', [2], [1, 2]), /reads "w", which no node before it makes/],
      ])
        assert.match(refusal(folder, sum(initializer), inputs), expected);
    }));

  it('keep names out of the paths that are written', () =>
    withFolder((folder) => {
      const bytes = model(
        graph([node('Neg', ['x'], ['../y/z'])], [port('x', [2])], [port('../y/z', [2])]),
      );
      assert.equal(run(folder, bytes, inputs).code, 0);
      assert.deepEqual(readdirSync(path.join(folder, 'out')), ['_._y_z.npy']);
    }));
});
