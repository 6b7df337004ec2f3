// Runs jobs in parallel: a job begins when those named in its `after` have ended and a lane is
// free. The list is in order of priority. Each lane has its share of the cores.

/**
 * Runs all jobs, each {name, after, turn, run}, at most `lanes` at a time; those of the same turn
 * (which may be undefined) one after another. A job that throws ends the run.
 */
export async function runInLanes(jobs, lanes) {
  const names = new Set(jobs.map(({ name }) => name));
  if (names.size < jobs.length) throw new Error('two jobs have the same name');
  for (const { name, after } of jobs) {
    const missing = after.find((other) => !names.has(other));
    if (missing) throw new Error(`${name}: waits for "${missing}", which is not a job of this run`);
  }
  const waiting = new Set(jobs);
  const running = new Map();
  const ended = new Set();
  const canBegin = ({ after, turn }) =>
    after.every((name) => ended.has(name)) &&
    (turn === undefined || [...running.keys()].every((other) => other.turn !== turn));
  const begin = async (job) => {
    await job.run();
    running.delete(job);
    ended.add(job.name);
  };
  while (waiting.size > 0 || running.size > 0) {
    let next = [...waiting].find(canBegin);
    while (next && running.size < lanes) {
      waiting.delete(next);
      running.set(next, begin(next));
      next = [...waiting].find(canBegin);
    }
    if (running.size === 0) {
      const stuck = [...waiting].map(({ name }) => name).join(', ');
      throw new Error(`these jobs wait for each other: ${stuck}`);
    }
    await Promise.race(running.values());
  }
}
