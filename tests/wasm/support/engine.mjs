import { load } from 'parallax-nn';
import { load as loadBench } from 'parallax-nn/bench';

/** Runs body with an engine, and disposes of it afterwards. */
export const withEngine = (options, body) => during(load(options), body);

/** Does the same with an engine that has tasks and suites. */
export const withBench = (options, body) => during(loadBench(options), body);

async function during(loading, body) {
  const plx = await loading;
  try {
    return await body(plx);
  } finally {
    plx.dispose();
  }
}
