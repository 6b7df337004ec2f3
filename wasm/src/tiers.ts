/** Determines which tiers run here, and why the others do not. */
import { simd, threads } from 'wasm-feature-detect';
import type { Downgrade, Tier } from './api.js';
import { told } from './arrays.js';
import { PlxError } from './errors.js';
import { askRelaxed } from './relaxed.js';

/** The tiers, best first. */
export const TIERS: readonly Tier[] = ['relaxed-threads', 'simd-threads', 'simd'];

/** Whether a module of this tier shares its memory among threads. */
export const isThreaded = (tier: Tier): boolean => tier !== 'simd';

/** Whether memory may be shared: in Node, and in pages served with the two headers. */
export function isIsolated(): boolean {
  return (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated ?? true;
}

async function threadsLacking(): Promise<string> {
  if (!isIsolated()) {
    return (
      'this page is not cross-origin isolated, so threads are switched off: serve it with ' +
      'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp'
    );
  }
  if (typeof SharedArrayBuffer === 'undefined') return 'this browser has no SharedArrayBuffer';
  if (!(await threads())) return 'this browser has no WebAssembly threads';
  return '';
}

/**
 * Sends a SharedArrayBuffer through a message channel and checks what arrives. This takes a turn of
 * the event loop, so it runs while a threaded tier starts.
 */
export function sharesMemory(): Promise<boolean> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    const finish = (shares: boolean) => {
      port1.close();
      resolve(shares);
    };
    port1.onmessage = (event: MessageEvent) => finish(event.data instanceof SharedArrayBuffer);
    port1.onmessageerror = () => finish(false);
    try {
      port2.postMessage(new SharedArrayBuffer(1));
    } catch {
      finish(false);
    }
  });
}

/** Returns what a tier lacks here, as a sentence; empty if it can run. */
async function lacking(tier: Tier, reproducible: boolean): Promise<string> {
  if (!(await simd())) return 'this browser has no WebAssembly SIMD';
  if (tier === 'simd') return '';
  const noThreads = await threadsLacking();
  if (noThreads) return noThreads;
  if (tier === 'simd-threads') return '';
  if (reproducible)
    return 'reproducible rules out relaxed SIMD, whose results depend on the machine';
  return askRelaxed().fault;
}

/** A tier to try, and the better ones that were given up. */
export interface Choice {
  tier: Tier;
  downgrades: Downgrade[];
}

/**
 * Returns the best tier that can run, or the forced one. If its start fails, the tiers below it in
 * TIERS can be tried.
 */
export async function chooseTier(forced: Tier | undefined, reproducible: boolean): Promise<Choice> {
  if (forced !== undefined && !TIERS.includes(forced)) {
    throw new PlxError(
      'PLX_ERR_ARGUMENT',
      `load: tier is ${told(forced)}: it must be one of ${TIERS.join(', ')} or fastest`,
    );
  }
  const downgrades: Downgrade[] = [];
  let reason = '';
  for (const tier of forced ? [forced] : TIERS) {
    reason = await lacking(tier, reproducible);
    if (!reason) return { tier, downgrades: downgrades.map((d) => ({ ...d, got: tier })) };
    downgrades.push({ wanted: tier, got: '', reason });
  }
  const none = forced ? `${forced} cannot run` : 'no tier can run';
  throw new PlxError('PLX_ERR_UNSUPPORTED', `load: ${none}: ${reason}`);
}
