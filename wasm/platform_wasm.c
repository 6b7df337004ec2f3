/* The platform interface on a JavaScript engine. The core runs in a worker, where waiting on memory
 * is allowed; in a module without threads nothing ever waits. */
#include "platform_wasm.h"

#include "base/platform.h"

#include <emscripten/em_js.h>
#include <emscripten/heap.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef __EMSCRIPTEN_PTHREADS__
#include <emscripten/threading.h>
#include <pthread.h>
#endif

/* Not emscripten_get_now: with threads it adds the time origin, which loses the digits below a
 * quarter of a microsecond. */
// clang-format off
EM_JS(double, plx__performance_now, (void), { return performance.now(); })
EM_JS(double, plx__number, (const char *text), {
    let decimal = "";
    for (let code; (code = HEAPU8[text++]); ) decimal += String.fromCharCode(code);
    return /^[-+.\\deE]+$/.test(decimal) ? Number(decimal) : NaN;
})
// clang-format on

/* The JavaScript engine's own function: that of the C library needs 128-bit arithmetic and several
 * kilobytes. */
bool plx_platform_number(const char *text, double *value) {
    *value = plx__number(text);
    return *value - *value == 0;
}

static int platform_cpus; /* 0: unknown */

void plx__platform_set_cpus(int cpus) {
    platform_cpus = cpus;
}

int64_t plx_platform_now_ns(void) {
    return (int64_t)(plx__performance_now() * 1e6);
}

/* Browsers do not reveal it. */
int64_t plx_platform_cache_bytes(int level) {
    (void)level;
    return 0;
}

int plx_platform_cpu(void) {
    return -1;
}

void plx_platform_move_off(const int *busy, int count) {
    (void)busy;
    (void)count;
}

/* A page has no environment. */
const char *plx_platform_env(const char *name) {
    (void)name;
    return NULL;
}

/* An engine that has loaded a module supports every opcode in it, so what is linked can run. */
uint32_t plx_platform_cpu_features(void) {
    return PLX_CPU_WASM128 | PLX_CPU_WASM_RELAXED;
}

void *plx_platform_alloc(size_t bytes) {
    if (bytes > SIZE_MAX - 63) return NULL;
    return aligned_alloc(64, (bytes + 63) & ~(size_t)63);
}

void plx_platform_free(void *memory) {
    free(memory);
}

/* A module's memory never shrinks. */
void plx_platform_trim(void) {}

/* Free memory: what malloc holds, and what lies beyond it. A module with threads has memory of
 * fixed size; without threads, it grows up to a limit. */
bool plx_platform_memory(uint64_t *left, uint64_t *all) {
#ifdef __EMSCRIPTEN_PTHREADS__
    enum { PAGE_BYTES = 65536 };
    *all = (uint64_t)__builtin_wasm_memory_size(0) * PAGE_BYTES;
#else
    *all = emscripten_get_heap_max();
#endif
    *left = *all - (uintptr_t)sbrk(0) + (uint64_t)mallinfo().fordblks;
    return true;
}

void plx_platform_pause(void) {
    __asm__ volatile("" ::: "memory");
}

#ifdef __EMSCRIPTEN_PTHREADS__

struct plx_platform_thread {
    pthread_t handle;
    void (*fn)(void *);
    void *arg;
};

static void *thread_main(void *arg) {
    plx_platform_thread *thread = arg;
    thread->fn(thread->arg);
    return NULL;
}

int plx_platform_cpus(void) {
    return platform_cpus > 0 ? platform_cpus : emscripten_num_logical_cores();
}

bool plx_platform_has_threads(void) {
    return true;
}

plx_platform_thread *plx_platform_thread_start(void (*fn)(void *), void *arg) {
    plx_platform_thread *thread = malloc(sizeof *thread);
    if (!thread) return NULL;
    thread->fn = fn;
    thread->arg = arg;
    /* Fails, because of the link options, if no spawned worker is free: waiting would hang. */
    if (pthread_create(&thread->handle, NULL, thread_main, thread) != 0) {
        free(thread);
        return NULL;
    }
    return thread;
}

void plx_platform_thread_join(plx_platform_thread *thread) {
    pthread_join(thread->handle, NULL);
    free(thread);
}

void plx_platform_wait(atomic_uint *word, unsigned expected) {
    __builtin_wasm_memory_atomic_wait32((int *)word, (int)expected, -1);
}

void plx_platform_wake_all(atomic_uint *word) {
    __builtin_wasm_memory_atomic_notify((int *)word, UINT32_MAX);
}

#else

int plx_platform_cpus(void) {
    return 1;
}

bool plx_platform_has_threads(void) {
    return false;
}

plx_platform_thread *plx_platform_thread_start(void (*fn)(void *), void *arg) {
    (void)fn;
    (void)arg;
    return NULL;
}

void plx_platform_thread_join(plx_platform_thread *thread) {
    (void)thread;
}

void plx_platform_wait(atomic_uint *word, unsigned expected) {
    (void)word;
    (void)expected;
}

void plx_platform_wake_all(atomic_uint *word) {
    (void)word;
}

#endif
