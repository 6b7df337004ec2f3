/* The system functions that the core needs. native/ and wasm/ each implement all of them. */
#ifndef PLX_BASE_PLATFORM_H
#define PLX_BASE_PLATFORM_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Monotonic time in nanoseconds from an arbitrary start. */
int64_t plx_platform_now_ns(void);

/* Number of processors this process may use, at least 1; under a CPU quota, the quota rounded up.
 */
int plx_platform_cpus(void);

/* Bytes of one data cache of level 1, 2 or 3; 0: unknown. */
int64_t plx_platform_cache_bytes(int level);

/* The value of an environment variable, or NULL. */
const char *plx_platform_env(const char *name);

/* Parses a decimal number to the nearest double, independent of the locale. False unless the whole
 * text is a finite number. */
bool plx_platform_number(const char *text, double *value);

/* vsnprintf without a result, for %s, %c, %d, %lld, %llu, %x, %llx and %g, with precision, and
 * width filled with zeros, as tests/unit/format.c lists them. */
void plx_platform_format(char *text, size_t bytes, const char *format, va_list args);

/* Bits of PLX_CPU_* that the processor and the operating system both support. */
uint32_t plx_platform_cpu_features(void);
enum {
    PLX_CPU_SSE2 = 1u << 0,
    PLX_CPU_AVX2_FMA = 1u << 1,
    PLX_CPU_AVX512 = 1u << 2, /* F, BW, DQ, VL */
    PLX_CPU_NEON = 1u << 3,
    PLX_CPU_WASM128 = 1u << 4,
    PLX_CPU_WASM_RELAXED = 1u << 5,
    PLX_CPU_AVX = 1u << 6,
};

/* 64-byte aligned, uninitialised memory, or NULL. Freed by plx_platform_free (NULL allowed). */
void *plx_platform_alloc(size_t bytes);
void plx_platform_free(void *memory);

/* Returns freed memory to the system, so that the next allocation gets new pages. */
void plx_platform_trim(void);

/* Bytes that can still be allocated, and in all. False where that is unknown: on a system that
 * overcommits. */
bool plx_platform_memory(uint64_t *left, uint64_t *all);

/* Whether the platform can start threads at all. */
bool plx_platform_has_threads(void);

/* Starts fn(arg) on a new thread. Returns NULL when no thread is available. */
typedef struct plx_platform_thread plx_platform_thread;
plx_platform_thread *plx_platform_thread_start(void (*fn)(void *), void *arg);
void plx_platform_thread_join(plx_platform_thread *thread);

/* The processor that the calling thread is running on; -1: unknown. */
int plx_platform_cpu(void);

/* Moves the calling thread at once to an allowed processor that is not in busy [count]; the system
 * may move it again later. Does nothing without such a processor or system call. */
void plx_platform_move_off(const int *busy, int count);

/* Sleeps while *word == expected; may wake without cause. */
void plx_platform_wait(atomic_uint *word, unsigned expected);
void plx_platform_wake_all(atomic_uint *word);

/* A hint to the processor inside a spin loop. */
void plx_platform_pause(void);

#endif
