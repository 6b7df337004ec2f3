/* Settings of the platform that exports.c makes before the core starts. */
#ifndef PLX_PLATFORM_WASM_H
#define PLX_PLATFORM_WASM_H

/* Sets how many threads can run at once: the workers spawned beforehand, and the caller. A browser
 * starts a worker only when the spawning thread returns to its event loop, so no more can be added
 * later. */
void plx__platform_set_cpus(int cpus);

#endif
