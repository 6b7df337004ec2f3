// What `cmake --install` installs, used as another project would use it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parallax } from './support.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const build = path.join(root, 'build/release');
const folder = mkdtempSync(path.join(tmpdir(), 'install-'));
const tree = path.join(folder, 'moved');
const sources = path.join(folder, 'sources');

function run(program, args, env = {}) {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    cwd: folder,
    timeout: 60_000,
  });
  assert.equal(status, 0, `${program} ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

const cache = readFileSync(path.join(build, 'CMakeCache.txt'), 'utf8');
const cached = (name) => new RegExp(`^${name}:[A-Z]+=(.*)$`, 'm').exec(cache)?.[1];
const version = ['MAJOR', 'MINOR', 'PATCH'].map((part) => cached(`CMAKE_CACHE_${part}_VERSION`));
const found = path.join(build, 'CMakeFiles', version.join('.'), 'CMakeCCompiler.cmake');
const compiler = /CMAKE_C_COMPILER "(.*)"/.exec(readFileSync(found, 'utf8'))[1];
const strict = ['-std=c17', '-Wall', '-Wextra', '-Wpedantic', '-Werror'];
const libraries = () => path.join(tree, cached('CMAKE_INSTALL_LIBDIR'));

function checkExample(program) {
  const shared = { LD_LIBRARY_PATH: libraries(), DYLD_LIBRARY_PATH: libraries() };
  const lines = run(program, [], shared).trim().split('\n');
  assert.equal(lines.length, 21);
  assert.match(lines[19], /^epoch 20: loss 0\.00/);
  assert.match(lines[20], /^the larger of 0\.3 and 0\.8: 0\.[78]\d$/);
}

describe('the installed tree', () => {
  before(() => {
    const first = path.join(folder, 'first');
    run('cmake', ['--install', build, '--prefix', first]);
    renameSync(first, tree);
    cpSync(path.join(root, 'tests/install'), sources, { recursive: true });
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const [name, kind] of [
    ['parallax', 'shared'],
    ['parallax-static', 'static'],
  ]) {
    it(`has the ${kind} library for pkg-config`, () => {
      const flags = run('pkg-config', ['--cflags', '--libs', name], {
        PKG_CONFIG_PATH: path.join(libraries(), 'pkgconfig'),
      });
      const program = path.join(folder, `by-pkg-config-${kind}`);
      const source = path.join(sources, 'example.c');
      run(compiler, [...strict, source, ...flags.trim().split(/\s+/), '-o', program]);
      checkExample(program);
    });
  }

  it('has both libraries for CMake', () => {
    const project = path.join(folder, 'project');
    run('cmake', [
      ...['-S', sources, '-B', project, `-DCMAKE_PREFIX_PATH=${tree}`],
      `-DCMAKE_C_COMPILER=${compiler}`,
    ]);
    run('cmake', ['--build', project]);
    checkExample(path.join(project, 'example_shared'));
    checkExample(path.join(project, 'example_static'));
  });

  it('runs the part of the example that the README shows', () => {
    const readme = readFileSync(path.join(root, 'native/README.md'), 'utf8');
    const bare = (text) => text.split('\n').map((line) => line.replace(/\s*\/[/*].*/, '').trim());
    const [, shown] = /```c\n(.*?)```/s.exec(readme);
    const program = bare(readFileSync(path.join(sources, 'example.c'), 'utf8'));
    assert.deepEqual(
      bare(shown).filter((line) => !program.includes(line)),
      [],
    );
  });

  it('has headers that compile on their own, in C and in C++', () => {
    const include = path.join(tree, 'include');
    // The operations of a plan, where parallax.h says that they are.
    assert.deepEqual(readdirSync(path.join(tree, 'share/doc/parallax')).sort(), [
      'attrs.def',
      'ops.def',
    ]);
    const headers = readdirSync(include).filter((name) => name.endsWith('.h'));
    assert.deepEqual(headers, [
      'parallax.h',
      'parallax_files.h',
      'parallax_learn.h',
      'parallax_native.h',
      'parallax_nn.h',
      'parallax_onnx.h',
    ]);
    for (const header of headers) {
      const file = path.join(include, header);
      run(compiler, [...strict, '-fsyntax-only', '-x', 'c', file]);
      run(compiler, ['-std=c++17', ...strict.slice(1), '-fsyntax-only', '-x', 'c++', file]);
    }
  });

  it('has the command, and a man page that agrees with --help', () => {
    assert.match(run(path.join(tree, 'bin/parallax'), ['--version']), /^parallax \d/);
    const page = readFileSync(path.join(tree, 'share/man/man1/parallax.1'), 'utf8');
    const words = (text) =>
      text
        .replace(/\\&|\\/g, '')
        .split(/\s+/)
        .join(' ');
    const { out } = parallax(['--help']);
    assert.ok(words(page).includes(words(out)));
    const commands = [...out.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name);
    assert.equal(commands.length, 8);
    for (const name of commands) {
      assert.ok(words(page).includes(words(parallax([name, '--help']).out)), name);
    }
  });

  it('is rejected if it exports other functions than its headers declare', () => {
    const given = (headers) =>
      spawnSync('cmake', [
        ...[`-DNM=${cached('CMAKE_NM')}`, `-DHEADERS=${headers.join(';')}`],
        `-DLIBRARY=${path.join(libraries(), `libparallax.${process.platform === 'darwin' ? 'dylib' : 'so'}`)}`,
        `-DARCHIVE=${path.join(libraries(), 'libparallax.a')}`,
        ...['-P', path.join(root, 'scripts/cmake/check_exports.cmake')],
      ]);
    const headers = readdirSync(path.join(tree, 'include')).map((name) =>
      path.join(tree, 'include', name),
    );
    assert.equal(given(headers).status, 0);
    assert.match(
      String(given(headers.filter((name) => !name.includes('native'))).stderr),
      /exports\s+what\s+no\s+header\s+declares:\s+plx_native_cblas/,
    );
    assert.match(
      String(given([...headers, path.join(root, 'src/base/rng.h')]).stderr),
      /does\s+not\s+export\s+what\s+a\s+header\s+declares/,
    );
  });
});
