/** Comparisons of rows that are written here, so that the truth is known. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { assertRows, parallax, withFolder } from './support.mjs';

/** Uniform numbers from a seed (mulberry32), and normal ones by Box and Muller. */
function generator(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** A row of the schema; `change` names what differs from the default, by path. */
function row(change = {}) {
  const { samples = {}, engine = {}, machine = {}, data = {}, ...rest } = change;
  return {
    schema: 'parallax-results-1',
    suite: 'gemm',
    case: 'square',
    parameters: { m: 128 },
    metric: 'rate',
    unit: 'GFLOP/s',
    better: 'higher',
    primary: true,
    samples: { count: 20, median: 100, p10: 90, p90: 110, low: 95, high: 105, ...samples },
    engine: {
      kind: 'native',
      name: 'parallax',
      version: '0.1.0',
      isa: 'avx512',
      gemm: 'builtin',
      threads: 2,
      vectorBits: 512,
      fma: true,
      exact: false,
      ...engine,
    },
    machine: { name: 'a processor', cpus: 2, system: 'Linux', ...machine },
    compiler: 'clang 19',
    commit: 'abc',
    date: '2026-01-01T00:00:00Z',
    data: { kind: 'synthetic', seed: 0, ...data },
    checks: { passed: true },
    ...rest,
  };
}

const ofRounds = (rounds, change = {}) => row({ ...change, samples: { rounds } });

const failed = (failure) => row({ samples: { count: 0 }, checks: { passed: false, failure } });

/** Removes the figures that a void row lacks. */
const withoutFigures = (given) => ({ ...given, samples: { count: 0 } });

/** Writes files, a list of rows each, and compares those of a with those of b. */
function compareIn(folder, a, b, ...options) {
  const write = (rows, name) => {
    assertRows(rows);
    const file = path.join(folder, name);
    writeFileSync(file, rows.map((each) => `${JSON.stringify(each)}\n`).join(''));
    return file;
  };
  const filesA = a.map((rows, i) => write(rows, `a${i}.jsonl`));
  const filesB = b.map((rows, i) => write(rows, `b${i}.jsonl`));
  const result = parallax(['compare', ...options, ...filesA, '--with', ...filesB, '--json', '-']);
  const rows = result.out
    ? result.out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
    : [];
  return { ...result, rows, mean: rows.find((each) => each.case === 'geometric mean') };
}

const compare = (a, b, ...options) => withFolder((folder) => compareIn(folder, a, b, ...options));

const near = (value, expected, within = 1e-6) =>
  assert.ok(Math.abs(value / expected - 1) < within, `${value}, expected ${expected}`);

describe('pairs of compare', () => {
  it('have the same parameters', async () => {
    const other = { parameters: { m: 2048 } };
    const { code, err, rows } = await compare(
      [[row(), row({ case: 'wide' })]],
      [[row(other), row({ case: 'wide' })]],
    );
    assert.equal(code, 0, err);
    assert.deepEqual(
      rows.map((each) => each.case),
      ['wide'],
    );
    assert.match(err, /1 row of A and B have the same case but other parameters/);
    assert.match(err, /gemm square: m 128 against 2048/);
  });

  it('may list them in any order', async () => {
    const [a, b] = [row({ parameters: { m: 1, n: 2 } }), row({ parameters: { n: 2, m: 1 } })];
    const { rows } = await compare([[a]], [[b]]);
    assert.equal(rows.length, 1);
  });

  it('are of the same engine where both sides have several', async () => {
    const exact = { engine: { isa: 'avx128' } };
    const { rows, err } = await compare([[row(), row(exact)]], [[row(exact), row()]]);
    const pairs = rows.filter((each) => each.case === 'square');
    assert.deepEqual(
      pairs.map(({ engineA, engineB }) => [engineA, engineB]),
      [
        ['avx512 x2', 'avx512 x2'],
        ['avx128 x2', 'avx128 x2'],
      ],
    );
    assert.match(err, /engine of A +engine of B/);
  });

  it('name the provider of matrix products', async () => {
    const { rows, err } = await compare([[row()]], [[row({ engine: { gemm: 'OpenBLAS' } })]]);
    assert.equal(rows[0].engineA, 'avx512 builtin x2');
    assert.equal(rows[0].engineB, 'avx512 OpenBLAS x2');
    assert.match(err, /! The GEMM providers differ: builtin in A, OpenBLAS in B/);
  });

  const unexpected = [
    [{ engine: { threads: 1 } }, /! The threads differ: 2 in A, 1 in B/],
    [{ engine: { isa: 'avx2' } }, /! The instruction sets differ: avx512 in A, avx2 in B/],
    [{ data: { seed: 7 } }, /! The seeds differ: 0 in A, 7 in B/],
    [{ data: { kind: 'real', source: 'x' } }, /! The kinds of data differ: synthetic in A, real/],
    [{ machine: { name: 'another' } }, /! The machines differ: a processor in A, another in B/],
    [{ engine: { costs: 'assumed' } }, /! The costs of threads were assumed in 2 rows of B/],
  ];
  for (const [change, expected] of unexpected) {
    it(`warn once: ${expected.source}`, async () => {
      const [a, b] = [row(), row(change)];
      const { err } = await compare([[a, { ...a, case: 'wide' }]], [[b, { ...b, case: 'wide' }]]);
      assert.match(err, expected);
      assert.equal(err.match(/^!/gm).length, 1, err);
      assert.ok(err.search(expected) < err.indexOf('suite  '), 'above the table');
    });
  }

  it('say which threads worked', async () => {
    const worked = (threadsWorked) => [row({ engine: { threadsWorked } })];
    const { err } = await compare([worked(2), worked(1)], [worked(2)]);
    assert.match(err, /threads at work: 1 to 2 in A, 2 in B/);
  });

  it('that are void say why, with or without figures', async () => {
    const why = { passed: false, failure: 'the loss is not finite' };
    const { code, err, rows } = await compare(
      [[row(), row({ case: 'wide' })]],
      [[withoutFigures(failed('the loss is not finite')), row({ case: 'wide' })]],
    );
    assert.equal(code, 0, err);
    assert.equal(rows.length, 1);
    assert.match(
      err,
      /gemm +square .* 100 +- .*void: the check of B failed: the loss is not finite/,
    );
    const whole = await compare([[row({ checks: why })]], [[row()]]);
    assert.equal(whole.code, 1);
    assert.match(whole.err, /void: the check of A failed: the loss/);
    assert.match(whole.err, /nothing could be compared: every pair \(1\) is void/);
  });

  it('leave out the runs that are void', async () => {
    const { err, rows } = await compare([[row()], [failed('no')]], [[row()]]);
    assert.equal(rows[0].runsA, 1);
    assert.match(err, /1 of 2 runs of A void/);
  });

  it('need something in common', async () => {
    const { code, err } = await compare([[row()]], [[row({ case: 'other' })]]);
    assert.equal(code, 1);
    assert.match(err, /have no case in common/);
  });
});

describe('intervals of compare', () => {
  /** Quantiles of Student's t at 97.5%: Abramowitz and Stegun, table 26.10. */
  const student = { 1: 12.7062, 2: 4.30265, 4: 2.77645, 9: 2.26216 };

  for (const [freedom, t] of Object.entries(student)) {
    it(`are of Student's t with ${freedom} degrees of freedom`, async () => {
      const count = Number(freedom) + 1;
      // Logarithms with a mean of 0, and a side without spread: only the first counts.
      const logs = Array.from({ length: count }, (_, i) => 0.1 * (i - (count - 1) / 2));
      const variance = logs.reduce((sum, each) => sum + each ** 2, 0) / freedom / count;
      const { rows } = await compare(
        [[ofRounds(logs.map(Math.exp))]],
        [[ofRounds(Array(count).fill(1))]],
      );
      near(rows[0].ratio, 1);
      near(rows[0].high, Math.exp(t * Math.sqrt(variance)), 1e-5);
      near(rows[0].low, Math.exp(-t * Math.sqrt(variance)), 1e-5);
    });
  }

  it('follow Welch if the spreads differ', async () => {
    const [a, b] = [
      [1, 1.1, 1.2, 1.3],
      [2, 2.02, 2.04],
    ];
    const { rows } = await compare([[ofRounds(a)]], [[ofRounds(b)]]);
    const of = (rounds) => {
      const logs = rounds.map(Math.log);
      const mean = logs.reduce((sum, each) => sum + each, 0) / logs.length;
      const squares = logs.reduce((sum, each) => sum + (each - mean) ** 2, 0);
      return { mean, variance: squares / (logs.length - 1) / logs.length };
    };
    const [x, y] = [of(a), of(b)];
    const sum = x.variance + y.variance;
    const freedom = sum ** 2 / (x.variance ** 2 / 3 + y.variance ** 2 / 2);
    assert.ok(freedom > 3 && freedom < 4, 'between two rows of the table');
    const half = Math.log(rows[0].high / rows[0].ratio) / Math.sqrt(sum);
    assert.ok(half > 2.77645 && half < 3.18245, `${half} deviations, with ${freedom} of freedom`);
    near(rows[0].ratio, Math.exp(x.mean - y.mean));
  });

  it('are inverted if lower is better', async () => {
    const time = { better: 'lower', unit: 'us', metric: 'time' };
    const { rows } = await compare([[ofRounds([1, 1.1], time)]], [[ofRounds([2, 2.2], time)]]);
    near(rows[0].ratio, 2);
  });

  it('of several runs are at least as wide as those between and within them', async () => {
    const steady = (value) => [ofRounds([value, value * 1.001, value * 0.999])];
    const base = [[ofRounds([100, 100.1, 99.9])]];
    const one = await compare([steady(100)], base);
    const several = await compare([steady(90), steady(100), steady(110)], base);
    assert.equal(several.rows[0].runsA, 3);
    near(several.rows[0].ratio, (90 * 100 * 110) ** (1 / 3) / 99.99997, 1e-4);
    assert.ok(one.rows[0].high < 1.01);
    // Student's t with 2 degrees of freedom on a deviation of 10% between three runs.
    assert.ok(several.rows[0].high > 1.2, 'the spread between runs counts');
    const wild = [ofRounds([80, 100, 125])];
    const again = wild.map((each) => ({ ...each, date: '2026-01-02T00:00:00Z' }));
    const agreeing = await compare([wild, again], base);
    assert.ok(agreeing.rows[0].high > 1.2, 'so does that within them');
  });

  it('are unknown for a single figure', async () => {
    const single = row({ samples: { count: 1, low: 100, high: 100 } });
    const { rows } = await compare([[single]], [[single]]);
    assert.equal(rows[0].verdict, 'no interval');
    assert.ok(!('low' in rows[0]));
  });

  it('of the mean say if cases were treated as independent', async () => {
    const [a, b] = [row(), row({ case: 'wide' })];
    const old = await compare([[a, b]], [[a, b]]);
    assert.match(old.err, /cases taken as independent: the files have no rounds/);
    // Half widths of log(105 / 100), for two sides and two cases, in quadrature.
    const half = Math.hypot(Math.log(100 / 95), Math.log(1.05));
    near(old.mean.high, Math.exp(Math.hypot(half, half) / 2));
    const mixed = await compare(
      [[a, ofRounds([1, 1.1], { case: 'wide' })]],
      [[a, ofRounds([1, 1.1], { case: 'wide' })]],
    );
    assert.match(mixed.err, /1 of 2 cases taken as independent: they have no rounds/);
  });

  it('of the mean say if runs were stopped in their first round', async () => {
    const stopped = [ofRounds([100]), ofRounds([100], { case: 'wide' })];
    const { code, err, mean } = await compare([stopped], [stopped]);
    assert.equal(code, 0, err);
    assert.match(
      err,
      /cases taken as independent: some of their runs were stopped in the first round/,
    );
    assert.equal(mean.withoutRounds, 2);
    const some = await compare([stopped], [[row(), ofRounds([1, 2], { case: 'wide' })]]);
    assert.match(some.err, /some of their runs were stopped in the first round/);
    const [square] = stopped;
    const either = await compare(
      [[square, row({ case: 'wide' })]],
      [[row(), row({ case: 'wide' })]],
    );
    assert.match(
      either.err,
      /they have no rounds, or some of their runs were stopped in the first/,
    );
  });

  it('of a tail do not use the rounds of all times', async () => {
    // As in files of earlier versions.
    const tail = (rounds, median) => {
      const made = row({ samples: { median, rounds }, better: 'lower', unit: 'us' });
      for (const name of ['low', 'high']) delete made.samples[name];
      return made;
    };
    const { rows } = await compare([[tail([10, 11], 300)]], [[tail([20, 22], 300)]]);
    near(rows[0].ratio, 1);
    assert.equal(rows[0].verdict, 'no interval');
    const plain = await compare([[tail([10, 12], 11)]], [[tail([20, 24], 22)]]);
    near(plain.rows[0].ratio, 2);
    assert.ok('low' in plain.rows[0], 'of a figure of its own rounds they are');
  });
});

describe('figures of compare', () => {
  const of = (median, rounds = [1, 4, 100]) => row({ samples: { median, rounds } });

  it('are the medians that bench prints', async () => {
    const { rows, err } = await compare([[of(100)]], [[of(50)]]);
    assert.deepEqual([rows[0].medianA, rows[0].medianB], [100, 50]);
    near(rows[0].ratio, 1);
    assert.match(err, /gemm +square +rate +100 +50 GFLOP/);
    assert.match(err, /A and B are medians.*ratios are of geometric means/);
  });
  it('of several files are the median of their medians', async () => {
    const { rows } = await compare([[of(10)], [of(70)], [of(20)]], [[of(30)], [of(50)]]);
    assert.deepEqual([rows[0].medianA, rows[0].medianB], [20, 40]);
  });
  it('need no explanation if the ratio is theirs', async () => {
    const { err } = await compare([[row()]], [[row()]]);
    assert.doesNotMatch(err, /geometric means/);
  });
});

describe('rows that compare reads', () => {
  /** Rows that the schema may not allow. */
  const compareAny = (a, b, ...options) =>
    withFolder((folder) => {
      const [fileA, fileB] = ['a.jsonl', 'b.jsonl'].map((name) => path.join(folder, name));
      for (const [file, rows] of [
        [fileA, a],
        [fileB, b],
      ])
        writeFileSync(file, rows.map((each) => `${JSON.stringify(each)}\n`).join(''));
      return parallax(['compare', fileA, fileB, ...options]);
    });

  const broken = [
    [{ rounds: [0, 1] }, /has no number above 0 in "samples\.rounds\[0\]"/],
    [{ rounds: [1, -1] }, /has no number above 0 in "samples\.rounds\[1\]"/],
    [{ rounds: [1, null] }, /has no number in "samples\.rounds\[1\]"/],
    [{ rounds: ['x', 1] }, /has no number in "samples\.rounds\[0\]"/],
    [{ rounds: 'x' }, /has no numbers in "samples\.rounds"/],
    [{ rounds: null }, /has no numbers in "samples\.rounds"/],
    [{ rounds: 5 }, /has no numbers in "samples\.rounds"/],
    [{ rounds: [] }, /has no numbers in "samples\.rounds"/],
    [{ rounds: Array(65).fill(1) }, /has 65 numbers in "samples\.rounds", more than 64/],
    [{ low: 106 }, /has a "samples\.low" above its "samples\.high"/],
    [{ low: null }, /has no number in "samples\.low"/],
    [{ high: 'x' }, /has no number in "samples\.high"/],
    [{ low: undefined }, /has no number in "samples\.low"/],
    [{ median: null }, /has no number in "samples\.median"/],
  ];
  for (const [samples, expected] of broken)
    it(`are refused with ${JSON.stringify(samples)}`.slice(0, 60), async () => {
      const { code, err } = await compareAny([row(), row({ samples })], [row()]);
      assert.equal(code, 1);
      assert.match(err, expected);
      assert.match(err, /a\.jsonl", line 2: the row/);
      const voided = { ...row({ samples }), checks: { passed: false, failure: 'no' } };
      const left = await compareAny([row(), { ...voided, case: 'wide' }], [row()]);
      assert.equal(left.code, 0, left.err);
    });

  it('may have rounds of 0 if they are not a speed', async () => {
    const errors = row({ primary: false, better: 'lower', samples: { rounds: [0, 1] } });
    assert.equal((await compareAny([errors], [errors], '--all')).code, 0);
  });

  it('count once if they occur twice', async () => {
    const [a, b] = [ofRounds([1, 1.1]), ofRounds([2, 2.2], { case: 'wide' })];
    const once = await compare([[a, b]], [[a, b]]);
    assert.doesNotMatch(once.err, /twice/, 'A and B may be the same');
    const twice = await compare([[a, b, a, b]], [[a, b]]);
    assert.match(twice.err, /! 2 rows of A are there twice, with the same date and samples: they/);
    assert.deepEqual(
      twice.rows.map(({ low, high }) => [low, high]),
      once.rows.map(({ low, high }) => [low, high]),
    );
    assert.equal(twice.rows[0].runsA, 1);
    const copied = await compare([[a]], [[a], [a]]);
    assert.match(copied.err, /! 1 row of B is there twice/);
    const later = { ...a, date: '2026-01-02T00:00:00Z' };
    const other = await compare([[a, later]], [[a]]);
    assert.doesNotMatch(other.err, /twice/);
    assert.equal(other.rows[0].runsA, 2);
  });
});

describe('the machine in compare', () => {
  const yardstick = (factor, change = {}) =>
    ofRounds([10 * factor, 10.01 * factor, 9.99 * factor], {
      suite: 'machine',
      case: 'yardstick',
      metric: 'arithmetic',
      primary: false,
      parameters: { isa: 'avx128' },
      ...change,
    });
  it('moved when the yardstick did', async () => {
    const { err } = await compare([[row(), yardstick(0.9)]], [[row(), yardstick(1)]]);
    assert.match(err, /! The machine itself, arithmetic: 0\.900 \(.*its speed changed/);
  });
  it('did not move by a little', async () => {
    const { err } = await compare([[row(), yardstick(0.99)]], [[row(), yardstick(1)]]);
    assert.match(err, /^ {2}The machine itself, arithmetic: 0\.990/m);
    assert.doesNotMatch(err, /its speed changed/);
  });
  it('is the same for every engine', async () => {
    const other = (factor) => yardstick(factor, { engine: { isa: 'avx2' } });
    const { err } = await compare([[row(), yardstick(1), other(1)]], [[row(), other(1)]]);
    assert.equal(err.match(/The machine itself/g).length, 1, err);
    assert.match(err, /^ {2}The machine itself, arithmetic: 1\.000/m);
  });
  it('is not judged by runs with other instructions', async () => {
    const other = yardstick(0.5, { parameters: { isa: 'wasm128' } });
    const { err } = await compare([[row(), other]], [[row(), yardstick(1)]]);
    assert.match(err, /Whether the machine itself changed speed is not known/);
    assert.doesNotMatch(err, /other parameters/);
  });
});

/**
 * A run of so many cases and rounds. Each round has the speed of the machine at that moment, which
 * all cases share, and each figure its own noise.
 */
function simulate(normal, { cases = 8, rounds = 6, machine = 0.05, noise = 0.03, speed = 1 }) {
  const moments = Array.from({ length: rounds }, () => machine * normal());
  return Array.from({ length: cases }, (_, c) =>
    ofRounds(
      moments.map((moment) => (c + 1) * 10 * speed * Math.exp(moment + noise * normal())),
      { case: `case ${c}` },
    ),
  );
}

describe('the threshold of compare', () => {
  const rounds = (scale) => [scale * 100, scale * 101, scale * 99, scale * 100.5];

  it('passes what is as fast', async () => {
    const { code, err } = await compare(
      [[ofRounds(rounds(1))]],
      [[ofRounds(rounds(1))]],
      '-t',
      '5',
    );
    assert.equal(code, 0, err);
    assert.match(err, /not shown to be slower by more than 5%/);
  });
  it('fails what is slower, and keeps the rows', async () => {
    const slow = [[ofRounds(rounds(0.8))]];
    const { code, err, rows } = await compare(slow, [[ofRounds(rounds(1))]], '--threshold', '5');
    assert.equal(code, 3);
    assert.match(err, /too slow: gemm square, 0\.800/);
    assert.match(err, /^parallax: A is slower than B by more than 5%: 1 of 1 cases/m);
    assert.equal(rows[0].verdict, 'slower');
  });
  it('passes what is slower by less', async () => {
    const { code } = await compare([[ofRounds(rounds(0.8))]], [[ofRounds(rounds(1))]], '-t', '25');
    assert.equal(code, 0);
  });
  it('accepts what is faster', async () => {
    const { code } = await compare([[ofRounds(rounds(2))]], [[ofRounds(rounds(1))]], '-t', '0');
    assert.equal(code, 0);
  });
  it('has nothing to judge without an interval', async () => {
    const single = row({ samples: { count: 1, low: 100, high: 100 } });
    const { code, err } = await compare([[single]], [[single]], '-t', '5');
    assert.equal(code, 1);
    assert.match(err, /no pair has one/);
  });
  const named = (...names) => names.map((name) => ofRounds(rounds(1), { case: name }));
  it('fails where A lacks cases of B, and names them', async () => {
    const lost = { ...failed('it is wrong'), case: 'second' };
    const a = [...named('first'), lost, ...named('own')];
    const b = named('first', 'second', 'third', 'fourth');
    const { code, err, rows: written } = await compare([a], [b], '-t', '5');
    assert.equal(code, 1);
    assert.match(
      err,
      /^parallax: 3 of B's 4 cases could not be compared.*: gemm "second", gemm "third", gemm "fourth"\.$/m,
    );
    assert.match(err, /not compared: gemm "second", void in A: it is wrong/);
    assert.match(err, /not compared: gemm "third", which A lacks/);
    assert.equal(written[0].case, 'first', 'what was compared is kept');
    assert.equal((await compare([a], [b])).code, 0, 'without a threshold it is a note');
    const back = await compare([b], [a], '-t', '5');
    assert.equal(back.code, 1, 'the own case of the other side');
    assert.match(back.err, /1 of B's 2 cases could not be compared.*: gemm "own"/);
  });
  it('fails where A has the case with other parameters', async () => {
    const other = ofRounds(rounds(1), { case: 'b', parameters: { m: 2 } });
    const { code, err } = await compare([[...named('a'), other]], [named('a', 'b')], '-t', '5');
    assert.equal(code, 1);
    assert.match(err, /1 of B's 2 cases could not be compared/);
  });
  it('says that A is slower before it says that cases are missing', async () => {
    const slow = ofRounds(rounds(0.5), { case: 'a' });
    const { code, err } = await compare([[slow]], [named('a', 'b')], '-t', '5');
    assert.equal(code, 3);
    assert.match(err, /1 of B's 2 cases could not be compared/);
  });
  it('ignores void rows of B, and its rows of another engine', async () => {
    const other = ofRounds(rounds(1), { case: 'a', engine: { isa: 'avx2' } });
    const lost = { ...failed('no'), case: 'b' };
    const { code, err } = await compare(
      [named('a', 'b')],
      [[...named('a'), lost, other]],
      '-t',
      '5',
    );
    assert.equal(code, 0, err);
  });
  it('has nothing to judge if everything is void', async () => {
    const { code } = await compare([[failed('no')]], [[row()]], '-t', '5');
    assert.equal(code, 1);
  });

  it('fails equal builds at most once in twenty, and detects a change of a fifth', () =>
    withFolder((folder) => {
      const normal = generator(11);
      let [wrong, found] = [0, 0];
      const runs = 200;
      for (let i = 0; i < runs; ++i) {
        const base = simulate(normal, {});
        const equal = compareIn(folder, [simulate(normal, {})], [base], '-t', '0');
        wrong += equal.code === 3;
        found +=
          compareIn(folder, [simulate(normal, { speed: 0.8 })], [base], '-t', '5').code === 3;
      }
      // 2.5% by the mean and 2.5% by all cases together, each one-sided.
      assert.ok(wrong <= 0.05 * runs, `${wrong} of ${runs} equal builds failed`);
      assert.ok(found >= 0.9 * runs, `${found} of ${runs} slow builds were found`);
    }));

  it('has intervals of the mean that contain the truth 95 times in a hundred', () =>
    withFolder((folder) => {
      const normal = generator(5);
      const runs = 400;
      let held = 0;
      for (let i = 0; i < runs; ++i) {
        const a = simulate(normal, { speed: 1.1, rounds: 5 });
        const { mean } = compareIn(folder, [a], [simulate(normal, { rounds: 7, machine: 0.02 })]);
        held += mean.low < 1.1 && 1.1 < mean.high;
      }
      assert.ok(held >= 0.9 * runs && held <= 0.99 * runs, `${held} of ${runs}`);
    }));

  it('holds if whole runs are faster or slower, given several on each side', () =>
    withFolder((folder) => {
      const normal = generator(3);
      const runs = 200;
      let [wrong, held] = [0, 0];
      // What a machine does for minutes: no round of a single run shows it, but other runs do.
      const side = () =>
        Array.from({ length: 4 }, () =>
          simulate(normal, { cases: 4, machine: 0.01, speed: Math.exp(0.05 * normal()) }),
        );
      for (let i = 0; i < runs; ++i) {
        const { code, mean } = compareIn(folder, side(), side(), '-t', '0');
        wrong += code === 3;
        held += mean.low < 1 && 1 < mean.high;
      }
      assert.ok(wrong <= 0.05 * runs, `${wrong} of ${runs} equal builds failed`);
      assert.ok(held >= 0.9 * runs && held <= 0.99 * runs, `${held} of ${runs}`);
    }));
});

describe('a long list in compare', () => {
  const long = 'runtime '.repeat(40);

  it('is printed in full: engines', async () => {
    const [one, other] = ['1', '2'].map((end) => row({ engine: { runtime: `${long}${end}` } }));
    const { rows, err } = await compare([[one, other]], [[one, other]]);
    assert.deepEqual(
      rows.filter((each) => each.engineA).map(({ engineA }) => engineA),
      [`avx512 ${long}1 x2`, `avx512 ${long}2 x2`],
    );
    assert.match(err, /engine of A +engine of B/);
  });

  it('is printed in full: differences', async () => {
    const [a, b] = ['1', '2'].map((end) => row({ machine: { name: `${long}${end}` } }));
    const { err } = await compare([[a]], [[b]]);
    assert.match(err, new RegExp(`! The machines differ: ${long}1 in A, ${long}2 in B`));
  });

  it('is printed in full: parameters, with dots in their names', async () => {
    const of = (end) => row({ parameters: { 'model.name': `${long}${end}`, kind: end } });
    const other = row({ case: 'wide' });
    const { err } = await compare([[of(1), other]], [[of(2), other]]);
    assert.match(
      err,
      new RegExp(`square: model\\.name ${long}1 against ${long}2, kind 1 against 2`),
    );
  });

  it('is printed in full: cases that A lacks', async () => {
    const lost = row({ case: `${long}lost` });
    const { code, err } = await compare([[row()]], [[row(), lost]], '--threshold', '5');
    assert.equal(code, 1);
    assert.match(err, new RegExp(`^not compared: gemm "${long}lost", which A lacks$`, 'm'));
    assert.match(err, new RegExp(`no valid figure for them: gemm "${long}lost"\\.$`, 'm'));
  });

  it('says that there are others', async () => {
    const rows = [1, 2, 3, 4, 5, 6].map((i) => row({ case: `case ${i}`, commit: `c${i}` }));
    const { err } = await compare([rows], [rows]);
    assert.match(err, /commit c1 and c2 and c3 and c4 and others$/m);
  });

  it('counts every run in the mean', async () => {
    // Each file has a case of its own; only those of the last files of A differ between rounds.
    const of = (rounds, i) => ofRounds(rounds, { case: `case ${i}` });
    const numbers = Array.from({ length: 70 }, (_, i) => i);
    const a = numbers.map((i) => [of(i < 64 ? [100, 100] : [50, 200], i)]);
    const { mean, err } = await compare(a, [numbers.map((i) => of([100, 100], i))]);
    assert.equal(mean?.cases, 70, err);
    assert.ok(mean.low < 1 && mean.high > 1, `${mean.low} to ${mean.high}`);
  });

  it('has a column for every field, however long its name', () =>
    withFolder((folder) => {
      const names = [`${long}1`, `${long}2`];
      const parameters = Object.fromEntries(names.map((name, i) => [name, i]));
      const file = path.join(folder, 'a.jsonl');
      writeFileSync(file, `${JSON.stringify(row({ parameters }))}\n`);
      const { out } = parallax(['compare', file, file, '--csv', '-']);
      const columns = out.split('\r\n')[0].split(',');
      for (const name of names) assert.ok(columns.includes(`parameters.${name}`), name);
    }));
});
