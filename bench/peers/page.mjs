// The page that scripts/peers drives: an object of engines, called by name.
import { load } from '../../wasm/dist/bench.mjs';

import { browserPackages } from './browser_peers.mjs';
import { parallaxEngine } from './engine_parallax.mjs';
import { hostEngines } from './hosted.mjs';
import { operationsOf } from './parallax_operations.mjs';
import { peerMakers } from './peer_makers.mjs';

async function ours({ tier, threads }) {
  const plx = await load({ tier, threads });
  const engine = await parallaxEngine(plx);
  return { ...engine, about: { ...engine.about, operations: await operationsOf(plx) } };
}

/** {name: {at, version}} of the packages of all peers. */
async function installed() {
  const names = Object.values(browserPackages).flatMap((files) => Object.keys(files));
  const found = names.map(async (name) => {
    const folder = new URL(`node_modules/${name}/`, location.href);
    const { version } = await (await fetch(new URL('package.json', folder))).json();
    return [name, { at: new URL('dist/', folder).href, version }];
  });
  return Object.fromEntries(await Promise.all(found));
}

const packages = await installed();
const onPeers = Object.fromEntries(
  Object.entries(peerMakers).map(([key, make]) => [
    key,
    ({ threads }) => make({ packages, threads }),
  ]),
);

globalThis.peers = hostEngines({ ...onPeers, parallax: ours });
