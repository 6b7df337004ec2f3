/** Which commit rows name: the scripts' own, and that of the native build. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { commit } from '../../bench/peers/provenance.mjs';

const buildInfo = fileURLToPath(new URL('../../scripts/cmake/build_info.cmake', import.meta.url));
const ROWS = 'bench/results/rows.jsonl';
const SOURCE = 'source.c';

describe('the commit that rows name', () => {
  let tree;
  const put = (name, text) => writeFileSync(path.join(tree, name), text);
  const git = (...args) => execFileSync('git', ['-C', tree, ...args], { encoding: 'utf8' });
  before(() => {
    tree = mkdtempSync(path.join(tmpdir(), 'provenance-'));
    mkdirSync(path.join(tree, 'bench/results'), { recursive: true });
    git('init', '--quiet');
    put(ROWS, 'old');
    put(SOURCE, 'old');
    git('add', '.');
    const author = ['-c', 'user.name=a', '-c', 'user.email=a@example.org'];
    git(...author, '-c', 'commit.gpgsign=false', 'commit', '--quiet', '--message', 'first');
  });
  after(() => rmSync(tree, { recursive: true }));

  const built = () => {
    const output = path.join(tree, 'build_info.h');
    const given = { SOURCE: tree, OUTPUT: output, COMPILER: 'test' };
    const definitions = Object.entries(given).map(([name, value]) => `-D${name}=${value}`);
    execFileSync('cmake', [...definitions, '-P', buildInfo]);
    return readFileSync(output, 'utf8').match(/PLX_BUILD_COMMIT "(.*)"/)[1];
  };
  const named = () => {
    const name = commit(tree);
    assert.equal(built(), name);
    return name;
  };

  it('is of a changed tree where sources changed, not where rows did', () => {
    const head = git('rev-parse', '--short=12', 'HEAD').trim();
    assert.equal(named(), head);
    put(ROWS, 'new');
    assert.equal(named(), head);
    put(SOURCE, 'new');
    assert.equal(named(), `${head}-changed`);
  });

  it('is unknown without a repository', () => {
    const none = mkdtempSync(path.join(tmpdir(), 'provenance-'));
    assert.equal(commit(none), 'unknown');
    rmSync(none, { recursive: true });
  });
});
