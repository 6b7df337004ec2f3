// Builds and runs the tests, as much in parallel as the cores allow, and adds up the results.
// Called by scripts/test, which sets up the tools and checks the arguments.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { addCounts, closing, noCounts, sentence } from './test_counts.mjs';
import { Job, logs } from './test_job.mjs';
import { chooseJobs } from './test_jobs.mjs';
import { runInLanes } from './test_lanes.mjs';

process.chdir(path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..'));
mkdirSync(logs, { recursive: true });
const options = process.argv.slice(2);
const cores = availableParallelism();
// Two lanes, each with half of the cores: most thread tests take two cores, and would only wait in
// more lanes.
const lanes = Math.min(cores, 2);
const started = Date.now();

const ended = new Map();

/**
 * Runs a job of the table. A job whose required build failed fails, too, and runs only if it can
 * say more.
 */
async function runJob({ name, after, despite, body }) {
  const job = new Job(name, Math.floor(cores / lanes));
  const broken = after.filter((other) => ended.get(other).problems.length > 0);
  for (const other of broken) job.fail(`${other} failed`);
  try {
    if (broken.length === 0 || despite) await body(job);
  } catch (error) {
    job.fail(error.message);
  }
  job.close();
  ended.set(name, job);
}

/**
 * Seconds of CPU time that child processes which have ended used, if the system reports it
 * (proc(5)).
 */
function processorSeconds() {
  if (!existsSync('/proc/self/stat')) return undefined;
  const fields = readFileSync('/proc/self/stat', 'utf8').replace(/.*\) /, '').split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

const jobs = chooseJobs(options);
await runInLanes(
  jobs.map((job) => ({ ...job, run: () => runJob(job) })),
  lanes,
);

console.log('');
const total = noCounts();
for (const tier of new Set(jobs.map((job) => job.tier))) {
  const counts = noCounts();
  for (const job of jobs.filter((each) => each.tier === tier))
    addCounts(counts, ended.get(job.name).counts);
  addCounts(total, counts);
  if (tier !== 'builds' || counts.failed > 0) console.log(`${tier}: ${sentence(counts)}`);
}
for (const [name, { problems, log }] of ended) {
  if (problems.length > 0) console.log(`${name} failed: see ${log}`);
}
const [wall, processor] = [(Date.now() - started) / 1000, processorSeconds()];
const share = processor ? `, ${processor.toFixed(0)} s of CPU time` : '';
console.log(`${wall.toFixed(0)} s${share}`);
const { lines, ok } = closing(total, options);
for (const line of lines) console.log(line);
process.exitCode = ok ? 0 : 1;
