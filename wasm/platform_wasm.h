/* What exports.c tells the platform before the core starts. */
#ifndef PLX_PLATFORM_WASM_H
#define PLX_PLATFORM_WASM_H

/* Threads that can run at once: the workers spawned beforehand and the caller. A browser starts a
 * worker only when the spawning thread returns to its event loop, so more cannot be had later. */
void plx__platform_set_cpus(int cpus);

#endif
