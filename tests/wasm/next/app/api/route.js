/** On the server: ?tier=simd forces a tier. */
import { load } from 'parallax-nn';

export const dynamic = 'force-dynamic';

export async function GET(request) {
  const tier = new URL(request.url).searchParams.get('tier');
  try {
    const plx = await load({ threads: 2, ...(tier ? { tier } : {}) });
    const outputs = await plx.model('mlp:2-8-1:tanh', { seed: 7 }).predict([[0, 1]]);
    const { tier: got, threads, isa } = await plx.ready();
    plx.dispose();
    return Response.json({ value: { tier: got, threads, isa, length: outputs.length } });
  } catch (error) {
    return Response.json({ error: String(error) });
  }
}
