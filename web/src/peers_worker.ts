/** One peer, in a worker of its own: its page stays usable, and what it does stays apart. */
import { expose } from 'comlink';
import {
  browserPeers,
  hostEngines,
  type PeerStart,
  peerMakers,
} from '../../bench/peers/for_page.mjs';

const host = hostEngines(peerMakers);

/** Gives this worker what its library may use, before that is loaded. */
function limit(key: string, { threads }: PeerStart): void {
  /* Some make as many threads as there seem to be processors. */
  Object.defineProperty(Object.getPrototypeOf(navigator), 'hardwareConcurrency', {
    get: () => threads,
  });
  /* Without shared memory they do without the threads that the policy of the page forbids. */
  if (browserPeers.find((peer) => peer.key === key)?.makesScripts)
    Reflect.deleteProperty(globalThis, 'SharedArrayBuffer');
}

expose((operation: string, key: string, ...rest: unknown[]) => {
  if (operation === 'start') limit(key, rest[1] as PeerStart);
  return host[operation]?.(key, ...rest);
});
