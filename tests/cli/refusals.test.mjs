/** Bad input: one clear sentence, a non-zero exit code, and nothing half-written. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { parallax, withFolder } from './support.mjs';

/** Arguments that commands need besides options. */
const operands = {
  explain: ['mlp:7-3'],
  train: ['interp5d'],
  compare: ['missing.jsonl', 'b.jsonl'],
};

/** Exit code, arguments, and the required sentence. */
const wrong = [
  [2, [], null],
  [2, ['fly'], /no command "fly".*bench/],
  [2, ['bench', '--fast'], /--fast: unknown option/],
  [2, ['bench', 'sorting'], /suite "sorting".*gemm, mlp/],
  [2, ['bench', '--threads', '-1'], /--threads must be from 1 to 128.*-1/],
  [2, ['bench', '--threads', 'many'], /many/],
  [2, ['bench', '--seed', '-4'], /--seed must be 0 or more, not -4/],
  [2, ['bench', '--quick', '--full'], /cannot be combined/],
  [2, ['bench', '--gemm', 'mkl'], /--gemm must be builtin, cblas or auto, not "mkl"/],
  [2, ['bench', '--isa', 'sse2', '--reproducible'], /cannot be combined/],
  [2, ['bench', '--seconds', '-1'], /--seconds must be from 0/],
  [2, ['bench', 'gemm', '--isa', 'mmx'], /no ISA "mmx".*scalar/],
  [2, ['bench', 'gemm', '--quick', '--cases', 'nothing'], /no case matched "nothing"; --list /],
  [2, ['bench', 'gemm', '--rounds', '33'], /--rounds must be from 0 to 32, not 33/],
  [2, ['train', 'interp5d', '--batch', '1e3'], /invalid numeric value; numbers are written as /],
  [2, ['bench', 'gemm', '--json', 'x', '--csv', 'x'], /both name "x"/],
  [1, ['bench', 'gemm', '--json', 'no/such/folder/x'], /cannot write.*No such file/],
  [1, ['info', '--csv', '.'], /cannot write/],
  [1, ['bench', 'gemm', '--tables', 'no/such/folder/x'], /cannot write "no.*No such file/],
  [1, ['bench', 'gemm', '--tables', '.'], /cannot write ".*it is a folder/],
  [2, ['bench', 'gemm', '--tables', '-'], /--tables needs a file/],
  [2, ['bench', 'gemm', '--tables', 'x', '--json', 'x'], /--tables and --json both name "x"/],
  ...(existsSync('/dev/full')
    ? [[1, ['info', '--json', '/dev/full'], /writing "\/dev\/full" failed: No space/]]
    : []),
  ...['0', '65', '-1'].flatMap((text) => [
    [
      2,
      ['bench', 'gemm', '--repeat', text],
      new RegExp(`--repeat must be from 1 to 64, not ${text}`),
    ],
    [2, ['train', 'interp5d', '--repeat', text], new RegExp(`--repeat must be.*not ${text}`)],
  ]),
  [2, ['bench', 'gemm', '--repeat', 'often'], /often/],
  [2, ['bench', '--list', 'sorting'], /suite "sorting".*gemm, mlp/],
  [
    2,
    ['explain', 'clip-nano', '--training', '--loss', 'mse'],
    /clip-nano trains with its own loss/,
  ],
  [2, ['explain', 'mlp:7-3', '--loss', 'mse'], /--loss needs --training/],
  // What would be ignored beside a list.
  ...[['extra'], ['--without', 'nope'], ['--batch', '64'], ['--training'], ['--seed', '3']].map(
    (more) => [
      2,
      ['explain', '--passes', ...more],
      /explain: --passes lists the passes, and takes/,
    ],
  ),
  ...[['--steps', '5'], ['--quick'], ['--json', 'x']].map((more) => [
    2,
    ['train', ...more],
    /train: these options need a TASK; parallax train lists the tasks/,
  ]),
  [
    2,
    ['bench', 'inference', '--quick', '--cases', 'bert-nano, batch 128'],
    /no case matched "bert-nano, batch 128"/,
  ],
  [2, ['info', 'more'], /takes no arguments/],
  [2, ['train', 'cifar'], /no task "cifar"; the tasks are mnist, interp5d, gpt2-nano/],
  [2, ['train', 'mnist', 'interp5d'], /one task, but also got "interp5d"/],
  [2, ['train', 'mnist', '--csv', 'a.csv'], /--csv and --rows only go with interp5d/],
  [2, ['train', 'vit-nano', '--data', 'a.txt'], /--data only goes with gpt2-nano/],
  [2, ['train', 'gpt2-nano', '--steps', '0'], /--steps must be 1 or more, not 0/],
  [
    2,
    ['train', 'gpt2-nano', '--schedule', 'spiral'],
    /--schedule.*cosine.*one-cycle, not "spiral"/,
  ],
  [2, ['train', 'gpt2-nano', '--clip', '-1'], /--clip.*not -1/],
  [2, ['train', 'gpt2-nano', '--weight-decay', '-1'], /--weight-decay.*not -1/],
  [2, ['train', 'gpt2-nano', '--label-smoothing', '1'], /--label-smoothing.*not 1/],
  [2, ['train', 'gpt2-nano', '--accumulate', '0'], /--accumulate must be from 1/],
  [2, ['train', 'gpt2-nano', '--warmup', '-1'], /--warmup must be 0 or more/],
  [2, ['train', 'gpt2-nano', '--patience', '0'], /--patience must be from 1/],
  [
    2,
    ['train', 'gpt2-nano', '--model', 'gpt9-nano'],
    /"gpt9-nano".*no such model; there are gpt2-/,
  ],
  [2, ['train', 'gpt2-nano', '--model', 'gpt2-nano:colour=3'], /no setting "colour".*width/],
  [2, ['train', 'gpt2-nano', '--model', 'gpt2-nano:heads=5'], /5 heads.*width 128/],
  [2, ['train', 'gpt2-nano', '--model', 'gpt2-nano:layers=0'], /layers is "0".*from 1/],
  [2, ['train', 'gpt2-nano', '--model', 'mlp:7-3'], /mlp:7-3/],
  [2, ['train', 'vit-nano', '--model', 'gpt2-nano'], /"gpt2-nano".*32 x 32 x 3/],
  [2, ['train', 'vit-nano', '--quick', '--batch', '999999'], /batch is 999999 for \d+ samples/],
  [1, ['train', 'gpt2-nano', '--data', 'missing.txt'], /cannot read "missing.txt"/],
  [1, ['train', 'gpt2-nano', '--data', process.execPath], /is not a UTF-8 text: byte \d+ is 0x/],
  [1, ['train', 'mnist'], /PARALLAX_DATA/],
  [2, ['train', 'interp5d', '--batch', '0'], /--batch must be 1 or more, not 0/],
  [2, ['train', 'interp5d', '--epochs', '0'], /--epochs must be from 1/],
  [2, ['train', 'interp5d', '--rate', '0'], /--rate must be a finite number above 0/],
  [2, ['train', 'interp5d', '--rows', '4'], /--rows must be from 5/],
  [2, ['train', 'interp5d', '--rows', '0'], /--rows must be from 5/],
  [2, ['verify', '--gemm', 'cblas'], /checks the built-in kernels/],
  [2, ['train', 'interp5d', '--batch', '9999', '--rows', '100'], /batch.*9999.*80/],
  [2, ['train', 'interp5d', '--rows', '50', '--model', 'mlp:3-1'], /3 inputs.*interp5d has 5/],
  [2, ['train', 'interp5d', '--rows', '50', '--model', 'cnn'], /cnn/],
  [2, ['train', 'interp5d', '--optimizer', 'adamax'], /sgd, adam, adamw.*not "adamax"/],
  [1, ['train', 'interp5d', '--optimizer', 'sgd', '--rate', '1e6'], /step \d+/],
  [1, ['train', 'interp5d', '--csv', 'missing.csv'], /cannot read "missing.csv"/],
  [2, ['explain'], /name a model/],
  [2, ['explain', 'resnet'], /resnet/],
  [2, ['explain', 'mlp:7'], /"mlp:7": an mlp has 2 to 64 widths.*:ACTIVATION$/m],
  [2, ['explain', 'mlp:7-3:rel'], /no activation "rel"; there are linear, relu, .*softsign$/m],
  [2, ['explain', 'gpt2-nano:heads=5'], /5 heads.*width 128/],
  [2, ['explain', 'gpt2-nano:depth=5'], /no setting "depth"/],
  [2, ['explain', 'gpt2-nano:width'], /"width".*key=value/],
  [
    2,
    ['explain', 'gpt2-nano', '--loss', 'hinge'],
    /one of mse, crossentropy, own, binarycrossentropy, mae, huber, not "hinge"/,
  ],
  [2, ['explain', 'gpt2-nano', '--training', '--loss', 'own'], /no loss of its own/],
  [2, ['explain', 'mlp:7-3', '--without', 'fusion'], /no pass "fusion".*dead_code, fold, fuse/],
  [2, ['explain', 'mlp:7-3', '--alignment', '48'], /alignment is 48;.*power of two/],
  [2, ['explain', 'mlp:7-3', '--largest-buffer', '100'], /buffer is 100 bytes.*multiple of.*64/],
  [
    1,
    ['explain', 'mlp:7-30', '--largest-buffer', '64'],
    /needs \d+ bytes; the largest buffer has 64/,
  ],
  [2, ['explain', 'mlp:7-3', '--batch', '0'], /--batch must be from 1 to 1000000000, not 0/],
  [1, ['explain', 'mlp:7000-3', '--batch', '1000000000'], /no memory for 1000000000 rows/],
  [2, ['compare', 'a.jsonl'], /two result files/],
  [2, ['compare', 'a.jsonl', 'b.jsonl', 'c.jsonl'], /also got "c.jsonl".*--with/],
  [2, ['compare', 'a.jsonl', '--with'], /one file before --with and one after it/],
  [2, ['compare', '--with', 'a.jsonl', 'b.jsonl'], /one file before --with/],
  [
    2,
    ['compare', 'a', '--with', 'b', '--with', 'c'],
    /--with separates the two sides and may be given only once/,
  ],
  ...['five', '-1', '100', 'nan', '5%'].map((text) => [
    2,
    ['compare', 'a', 'b', '--threshold', text],
    new RegExp(`--threshold must be a percentage of speed from 0 to below 100, not "${text}"`),
  ]),
  [1, ['compare', 'missing.jsonl', 'b.jsonl'], /cannot read "missing.jsonl"/],
  [2, ['verify', '--isa', 'mmx'], /no ISA "mmx"/],
  [2, ['info', '--threads', '129'], /--threads must be from 1 to 128/],
  [2, ['bench', '--gemm', 'auto', '--reproducible'], /--gemm auto and --reproducible cannot/],
  [2, ['train', 'interp5d', '--csv', 'a.csv', '--rows', '9'], /--csv and --rows cannot be comb/],
  // A missing value is a mistake of the script that built the command line.
  ...['info', 'bench', 'explain', 'verify', 'train', 'compare'].flatMap((command) => [
    [2, [command, '--json='], /--json has an empty value/],
    [2, [command, '--json', ''], /--json has an empty value/],
  ]),
  [2, ['bench', '--csv='], /--csv has an empty value/],
  [2, ['bench', '--tables='], /--tables has an empty value/],
  [2, ['bench', '--isa='], /--isa has an empty value/],
  [2, ['bench', '--cases='], /--cases has an empty value/],
  [2, ['train', 'gpt2-nano', '--model='], /--model has an empty value/],
  [2, ['compare', 'a', 'b', '--threshold', ''], /--threshold has an empty value/],
  // Outputs must be different files.
  [2, ['bench', 'gemm', '--json', 'x', '--csv', './x'], /--json and --csv both name "x"/],
  [2, ['bench', 'gemm', '--json', 'x', '--csv', 'x.part'], /--json and --csv both name "x"/],
  [2, ['bench', 'gemm', '--tables', './x.part', '--json', 'x'], /both name/],
  [2, ['info', '--json', '-', '--csv', '-'], /both name "-"/],
  [2, ['compare', 'a', 'b', '--json', './b'], /".\/b", where --json would write, is an input file/],
  [2, ['compare', 'a', 'b.part', '--csv', 'b'], /"b", where --csv would write, is an input file/],
  [2, ['train', 'interp5d', '--csv', 'a', '--json', './a'], /where --json would write/],
  [2, ['train', 'gpt2-nano', '--data', 'a', '--json', 'a'], /where --json would write/],
  ...['bench', 'explain', 'verify', 'train', 'compare'].map((command) => [
    1,
    [command, ...(operands[command] ?? []), '--json', 'no/such/folder/x'],
    /cannot write "no\/such\/folder\/x": No such file/,
  ]),
];

/** One line of error; a hint at --help may follow. */
function assertSentence(err, pattern) {
  if (!pattern) return;
  assert.match(err, pattern);
  const lines = err.trimEnd().split('\n');
  assert.match(lines[0], /^parallax/);
  assert.ok(lines.length <= 2, err);
  if (lines.length === 2) assert.match(lines[1], /--help$/);
}

describe('refuses', () => {
  for (const [code, args, pattern] of wrong) {
    it(`parallax ${args.join(' ')}`, () =>
      withFolder((folder) => {
        const result = parallax(args, { cwd: folder });
        assert.equal(result.code, code, result.err);
        assertSentence(result.err, pattern);
        assert.deepEqual(readdirSync(folder), [], 'nothing was written');
      }));
  }
});

it('says where the name of a kernel target comes from', () => {
  const { code, err } = parallax(['info'], { env: { PARALLAX_ISA: 'foo' } });
  assert.equal(code, 2);
  assertSentence(err, /there is no ISA "foo" \(from PARALLAX_ISA\); this machine runs: /);
});

it('refuses names longer than the system allows, and says why', () => {
  const long = 'a/'.repeat(3000);
  for (const args of [
    ['info', '--json', long],
    ['compare', long, 'b'],
    ['train', 'interp5d', '--csv', long],
  ]) {
    const { code, err } = parallax(args);
    assert.equal(code, 1);
    assertSentence(err, /: File name too long\.$/m);
  }
});

it('refuses before the work begins if its file of rows cannot be written', () =>
  withFolder((folder) => {
    writeFileSync(path.join(folder, 'parallax-results'), '');
    const { code, err } = parallax(['bench', 'gemm', '--quick'], { cwd: folder });
    assert.equal(code, 1);
    assertSentence(err, /cannot write "parallax-results\/bench-.*": Not a directory/);
    assert.deepEqual(readdirSync(folder), ['parallax-results']);
  }));

describe('refuses the text', () => {
  const sixty = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01234567';
  const texts = [
    ['that is too short for its context', 'a short text', [], /12 characters; \d+ are needed/],
    [
      'with more characters than the vocabulary',
      sixty.repeat(40),
      ['--model', 'gpt2-nano:vocabulary=10'],
      /vocabulary of 10.*tokens.*0 to 59/,
    ],
    ['that is none', Buffer.from([0x61, 0x62, 0xff, 0x63]), [], /byte 2 is 0xff/],
    ['that ends within a character', Buffer.from([0x61, 0xc3]), [], /byte 1 is 0xc3/],
    ['for a batch that is larger', sixty.repeat(40), ['--batch', '5000'], /batch is 5000 for \d+/],
  ];
  for (const [name, text, more, pattern] of texts) {
    it(name, () =>
      withFolder((folder) => {
        writeFileSync(path.join(folder, 'a.txt'), text);
        const args = ['train', 'gpt2-nano', '--data', 'a.txt', ...more];
        const { code, err } = parallax(args, { cwd: folder });
        assert.equal(code, 1);
        assertSentence(err, pattern);
      }),
    );
  }
});

/** A copy with another checksum. */
function damaged(gzip) {
  gzip[gzip.length - 8] ^= 1;
  return gzip;
}

describe('refuses the table', () => {
  const tables = [
    ['with a bad cell', '1,2\n3,4\n5,six\n7,8\n9,10\n', /line 3.*"six"|"six".*line 3/],
    ['with a NaN', '1,2\n3,nan\n5,6\n7,8\n9,10\n', /line 2/],
    ['with a short row', '1,2\n3\n5,6\n7,8\n9,10\n', /line 2/],
    ['of one column', '1\n2\n3\n4\n5\n6\n', /1 column/],
    [
      'with commas within numbers',
      '"1,5","2,5"\n'.repeat(6),
      /line 1, column 1: "1,5" has a comma/,
    ],
    ['in UTF-16', Buffer.from('\ufeff1,2\n3,4\n', 'utf16le'), /byte order mark of UTF-16/],
    [
      'in UTF-16 without its mark',
      Buffer.from('1,2\n', 'utf16le'),
      /line 1, column 1: there is a zero byte/,
    ],
    ['with an empty cell', 'a,b\n1,2\n3,\n', /line 3, column 2: the cell is empty/],
    ['of four rows', '1,2\n3,4\n5,6\n7,8\n', /4 rows with 1 input; at least 5/],
    [
      'with bytes behind its gzip data',
      Buffer.concat([gzipSync('1,2\n'), Buffer.from('3,4\n')]),
      /cannot read "table.csv": other bytes follow its gzip data/,
    ],
    [
      'with half a gzip file behind another',
      Buffer.concat([gzipSync('1,2\n'), gzipSync('3,4\n').subarray(0, 12)]),
      /its gzip data is truncated/,
    ],
    ['with damaged gzip data', damaged(gzipSync('1,2\n')), /its gzip data is damaged/],
    ['without rows', 'a,b\n', /csv: there are no rows of numbers, only column names/],
    ['with a short row', '1,2\n3\n', /line 2, column 2: the row has 1 cell, but line 1 has 2/],
    [
      'with names in Latin-1',
      Buffer.from('a,b\xfc\n1,2\n', 'latin1'),
      /line 1, column 2: .* UTF-8/,
    ],
    ['that begins with missing values', 'NA,n/a\n1,2\n', /line 1, column 1: "NA" marks/],
    ['that is empty', '', /"table.csv"|table.csv/],
  ];
  for (const [name, text, pattern] of tables) {
    it(name, () =>
      withFolder((folder) => {
        writeFileSync(path.join(folder, 'table.csv'), text);
        const args = ['train', 'interp5d', '--csv', 'table.csv'];
        const { code, err } = parallax(args, { cwd: folder });
        assert.equal(code, 1);
        assertSentence(err, pattern);
      }),
    );
  }
});

/** An IDX file of n images of 2 x 2, or of n labels. */
function idx(dims, bytes) {
  const header = Buffer.alloc(4 + 4 * dims.length);
  header.set([0, 0, 8, dims.length]);
  dims.forEach((size, i) => {
    header.writeUInt32BE(size, 4 + 4 * i);
  });
  return Buffer.concat([header, Buffer.from(bytes)]);
}

describe('refuses images', () => {
  const images = idx([10, 2, 2], Array(40).fill(7));
  const labels = idx([10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const cases = [
    ['that are missing', {}, /has t10k-images-idx3-ubyte/],
    ['truncated', { images: images.subarray(0, 30), labels }, /truncated/],
    [
      'that claim 4 billion',
      { images: idx([0xffffffff, 28, 28], []), labels },
      /promises 3367254359280 values/,
    ],
    ['in another format', { images: Buffer.from('GIF89a....'), labels }, /images-idx3/],
    ['in damaged gzip', { imagesGz: gzipSync(images).subarray(0, 25), labels }, /gzip/],
    ['with too few labels', { images, labels: idx([9], Array(9).fill(1)) }, /10.*9|9.*10/],
  ];
  for (const [name, files, pattern] of cases) {
    it(name, () =>
      withFolder((folder) => {
        const data = path.join(folder, 'mnist');
        mkdirSync(data);
        const write = (file, bytes) => bytes && writeFileSync(path.join(data, file), bytes);
        write('t10k-images-idx3-ubyte', files.images);
        write('t10k-images-idx3-ubyte.gz', files.imagesGz);
        write('t10k-labels-idx1-ubyte', files.labels);
        const { code, err } = parallax(['train', 'mnist'], { env: { PARALLAX_DATA: folder } });
        assert.equal(code, 1);
        assertSentence(err, pattern);
      }),
    );
  }
});

it('refuses a file that is named twice on one side', () =>
  withFolder((folder) => {
    writeFileSync(path.join(folder, 'a.jsonl'), '');
    const args = ['compare', 'a.jsonl', './a.jsonl', '--with', 'b.jsonl'];
    const { code, err } = parallax(args, { cwd: folder });
    assert.equal(code, 2);
    assertSentence(err, /"\.\/a\.jsonl" is named twice on one side/);
  }));

describe('refuses result files', () => {
  const files = [
    ['of another schema', '{"schema": "other-2"}\n', /line 1.*"other-2".*parallax-results-1/],
    ['that are not JSON', '\nhello\n', /line 2.*not JSON/],
    ['of lists', '[1]\n', /line 1.*not a JSON object/],
    ['without rows', '\n\n', /no rows/],
    ['without samples', '{"schema": "parallax-results-1", "suite": "a"}\n', /no "case"/],
  ];
  for (const [name, text, pattern] of files) {
    it(name, () =>
      withFolder((folder) => {
        writeFileSync(path.join(folder, 'a.jsonl'), text);
        const { code, err } = parallax(['compare', 'a.jsonl', 'a.jsonl'], { cwd: folder });
        assert.equal(code, 1);
        assertSentence(err, pattern);
      }),
    );
  }
});
