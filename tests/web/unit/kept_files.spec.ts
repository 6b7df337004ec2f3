/** Which files of a build the service worker keeps. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from '@playwright/test';
import { keptFiles } from '../../../web/kept_files.js';

test('all that the page may need at once, with a revision where the name has none', () => {
  const folder = mkdtempSync(join(tmpdir(), 'parallax-kept-'));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const files = [
    'index.html',
    'manifest.webmanifest',
    'assets/index-AbC.js',
    'assets/engine-XyZ.wasm',
    '_headers',
    'THIRD_PARTY_NOTICES.md',
    'THIRD_PARTY_NOTICES_digits.txt',
    'api/index.html',
    'data/mnist/digits-images-idx3-ubyte.gz',
    'peers/onnxruntime-web-1.0.0/ort.wasm',
    'results/native.jsonl',
    'service_worker.js',
  ];
  for (const path of files) write(path, path);
  const first = keptFiles(folder);
  expect(first.map(({ url }) => url)).toEqual([
    'assets/engine-XyZ.wasm',
    'assets/index-AbC.js',
    'index.html',
    'manifest.webmanifest',
  ]);
  expect(first.map(({ revision }) => typeof revision)).toEqual([
    'object',
    'object',
    'string',
    'string',
  ]);
  write('index.html', 'changed');
  const second = keptFiles(folder);
  const changed = second.filter(({ revision }, i) => revision !== first[i]?.revision);
  expect(changed.map(({ url }) => url)).toEqual(['index.html']);
  rmSync(folder, { recursive: true });
});
