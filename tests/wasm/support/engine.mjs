import { load } from 'parallax-nn';

/** Runs body with an engine that ends with it. */
export async function withEngine(options, body) {
  const plx = await load(options);
  try {
    return await body(plx);
  } finally {
    plx.dispose();
  }
}
