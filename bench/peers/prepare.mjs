// Sets up and builds what the measurement needs; all output goes to a log, of which a
// failure shows the end.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const TAIL = 40;

function step(root, title, command) {
  process.stderr.write(`peers: ${title}\n`);
  const log = join(root, 'build/logs/peers.log');
  mkdirSync(join(root, 'build/logs'), { recursive: true });
  const script = `set -e; if [ -r .toolchain/env.sh ]; then . .toolchain/env.sh; fi; ${command}`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  writeFileSync(log, stdout + stderr);
  if (status === 0) return;
  process.stderr.write(`${(stdout + stderr).trimEnd().split('\n').slice(-TAIL).join('\n')}\n`);
  throw new Error(`${title} failed; the whole output is in build/logs/peers.log.`);
}

export function prepare(root, { native, browser, chosen }) {
  step(root, 'setting up', 'scripts/setup --play');
  if (native || chosen.some(isNetwork))
    step(
      root,
      'building the native engines',
      'cmake --preset release && cmake --build --preset release --target parallax_peer',
    );
  if (browser)
    step(
      root,
      'building the package',
      'cmake --preset wasm && cmake --build --preset wasm --target engines && npm run build -w wasm',
    );
}

const isNetwork = ({ kind }) => kind === 'train' || kind === 'predict';

/**
 * A network's case with the operations of an iteration, and a model's with its manifest: the weights
 * in order, inputs and outputs.
 */
export function described(root, item) {
  if (!isNetwork(item)) return item;
  const { kind, model, batch, loss } = item;
  const program = join(root, 'build/release/parallax_peer');
  const words = ['describe', kind, model, String(batch), loss ?? 'none'];
  const { status, stdout, stderr } = spawnSync(program, words, {
    encoding: 'utf8',
    maxBuffer: 2 ** 24,
  });
  if (status !== 0) throw new Error(stderr.trim());
  const { work, ...manifest } = JSON.parse(stdout);
  return { ...item, work, ...(item.suite === 'models' && { manifest }) };
}

/** The browser that scripts/setup found. */
export function chromium(root) {
  const { stdout } = spawnSync('bash', ['-c', '. .toolchain/env.sh; echo "$PARALLAX_CHROMIUM"'], {
    cwd: root,
    encoding: 'utf8',
  });
  return stdout.trim();
}
