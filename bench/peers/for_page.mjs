// What the page (web/) uses of this folder; for_page.d.mts has the types.
export { browserPackages, browserPeers } from './browser_peers.mjs';
export { cases, metric } from './cases.mjs';
export { parallaxEngine } from './engine_parallax.mjs';
export { measureGroup, separateEngines } from './groups.mjs';
export { hostEngines, hostedEngine } from './hosted.mjs';
export { lengths } from './measure.mjs';
export { makeData } from './peer_data.mjs';
export { peerMakers } from './peer_makers.mjs';
export { speed, toRows } from './peer_rows.mjs';
export { summarise } from './statistics.mjs';
