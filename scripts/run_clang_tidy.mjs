// clang-tidy over the compile database, one process per core, and each source file once: the other
// variants of a file differ in flags only. Prints the findings and exits with 1 if there are any.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import process from 'node:process';

const build = process.argv[2] ?? 'build/release';
const database = JSON.parse(readFileSync(path.join(build, 'compile_commands.json'), 'utf8'));
const entries = new Map();
for (const entry of database) {
  const file = path.resolve(entry.directory, entry.file);
  // Of the targets of the kernels, the vector code is worth more than the scalar.
  if (!entries.has(file) || entry.command.includes('PLX_TARGET=avx2')) entries.set(file, entry);
}
const folder = path.join(build, 'tidy');
mkdirSync(folder, { recursive: true });
writeFileSync(path.join(folder, 'compile_commands.json'), JSON.stringify([...entries.values()]));
const files = [...entries.keys()].sort();
const program = process.env.CLANG_TIDY || 'clang-tidy';

let failed = 0;
function check(file) {
  return new Promise((resolve) => {
    const child = spawn(program, ['--quiet', '-p', folder, file], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    child.on('error', (error) => {
      output += `${error.message}\n`;
      resolve({ code: 127, output });
    });
    child.on('close', (code) => resolve({ code, output }));
  });
}

const queue = files.values();
async function work() {
  for (const file of queue) {
    const { code, output } = await check(file);
    if (code === 0 && !output.trim()) continue;
    failed += 1;
    process.stdout.write(`${file}\n${output}\n`);
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, work));
console.log(`${files.length} files, ${failed} with findings`);
process.exitCode = failed > 0 ? 1 : 0;
