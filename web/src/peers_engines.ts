/** The engines that are measured beside each other: that of the page, and each peer in a worker. */

import packages from 'virtual:site-peers';
import { wrap } from 'comlink';
import {
  type BrowserPeer,
  browserPackages,
  type CallEngine,
  type EngineAbout,
  hostedEngine,
  type PackagePlace,
  type PeerEngine,
  parallaxEngine,
} from '../../bench/peers/for_page.mjs';
import type { Runtime } from './runtime.js';
import type { AppState } from './state.js';
import type { Store } from './store.js';

/** What rows say about where they were measured, from a row of the page's engine. */
export interface Origin {
  machine: object;
  commit: string;
  compiler: string;
  runtime: string;
}

/** A slot of a group of engines (bench/peers/groups.mjs). */
export interface Slot {
  what: string;
  start(): Promise<PeerEngine>;
}

/** Longer than it takes to download a peer over a slow line. */
const longestStart = 120_000;

/** One sample of our engine: a single round, as libraries have, so that their turns come soon. */
const sample = { seconds: 0.06, rounds: 1 };

/** The packages of a build by their names, with the size of their files. */
export type SitePackages = Readonly<Record<string, PackagePlace & { bytes: number }>>;

/** Whether the peers were installed when this page was built. */
export const isBuilt = packages !== undefined;

const packagesOf = ({ key }: BrowserPeer) =>
  Object.keys(browserPackages[key] ?? {}).flatMap((name) => {
    const found = packages?.[name];
    return found ? [{ name, ...found }] : [];
  });

/** How much the page loads for a peer. */
export const bytesOf = (peer: BrowserPeer): number =>
  packagesOf(peer).reduce((sum, { bytes }) => sum + bytes, 0);

/** Where a worker finds the packages of a peer. */
const placesOf = (peer: BrowserPeer): Record<string, PackagePlace> =>
  Object.fromEntries(
    packagesOf(peer).map(({ name, at, version }) => [
      name,
      { at: new URL(at, document.baseURI).href, version },
    ]),
  );

/** How many of so many threads a peer gets under the policy of this page. */
export const threadsOf = ({ makesScripts }: BrowserPeer, threads: number): number =>
  makesScripts ? 1 : threads;

/** The page's engine. Ending it is not for those who measure. */
export function ourSlot(runtime: Runtime, store: Store<AppState>, origin: Origin): Slot {
  return {
    what: 'Parallax',
    async start() {
      const { about, ...work } = await parallaxEngine(await runtime.engine(), sample);
      let lost: string | undefined;
      /** A failed call may mean that the engine is gone. */
      const watched =
        <A extends unknown[], R>(call: (...given: A) => Promise<R>) =>
        async (...given: A): Promise<R> => {
          try {
            return await call(...given);
          } catch (error) {
            await runtime.report(error);
            if (store.get().engine.phase === 'lost') lost = 'the engine was lost';
            throw error;
          }
        };
      return {
        ...about,
        open: watched(work.open),
        results: watched(work.results),
        restart: watched(work.restart),
        run: watched(work.run),
        close: watched(work.close),
        kind: 'wasm',
        name: 'parallax',
        label: 'Parallax',
        runtime: origin.runtime,
        compiler: origin.compiler,
        lost: () => lost,
        dispose: () => void work.close().catch(() => undefined),
      };
    },
  };
}

/** A worker that answers calls until it ends, and then says why it did. */
function startWorker(name: string, signal: AbortSignal) {
  const worker = new Worker(new URL('./peers_worker.ts', import.meta.url), {
    type: 'module',
    name,
  });
  let lost: string | undefined;
  let refuse: (error: Error) => void = () => undefined;
  const ended = new Promise<never>((_, reject) => {
    refuse = reject;
  });
  /* Whoever waits for an answer is told. */
  ended.catch(() => undefined);
  const end = (why: string) => {
    if (lost !== undefined) return;
    lost = why;
    worker.terminate();
    refuse(new Error(why));
  };
  worker.addEventListener('error', ({ message }) =>
    end(message ? `${name} stopped: ${message}` : `the worker of ${name} did not load`),
  );
  const cancel = () => end(`${name} was cancelled`);
  if (signal.aborted) cancel();
  signal.addEventListener('abort', cancel);
  const answer = wrap<CallEngine>(worker) as CallEngine;
  const call: CallEngine = (...request) => Promise.race([answer(...request), ended]);
  return { call, end, lost: () => lost };
}

/** A peer whose files are loaded when it starts. */
export function peerSlot(
  peer: BrowserPeer,
  { threads, origin, signal }: { threads: number; origin: Origin; signal: AbortSignal },
): Slot {
  const { key, name, cannot } = peer;
  return {
    what: name,
    async start() {
      const { call, end, lost } = startWorker(name, signal);
      const late = setTimeout(
        () => end(`${name} did not start within ${longestStart / 1000} s`),
        longestStart,
      );
      try {
        const options = { packages: placesOf(peer), threads: threadsOf(peer, threads) };
        const about = (await call('start', key, key, options)) as EngineAbout;
        return {
          ...about,
          ...hostedEngine(key, call),
          ...(cannot ? { cannot } : {}),
          kind: 'wasm',
          name,
          label: name,
          runtime: origin.runtime,
          lost,
          dispose: () => end(`${name} was ended`),
        };
      } catch (error) {
        end(`${name} did not start`);
        throw error;
      } finally {
        clearTimeout(late);
      }
    },
  };
}
