/* What the core asks of the system it runs on. native/ and wasm/ each implement all of it. */
#ifndef PLX_BASE_PLATFORM_H
#define PLX_BASE_PLATFORM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Monotonic time in nanoseconds from an arbitrary start. */
int64_t plx_platform_now_ns(void);

/* Processors this process may use, at least 1; where its time on them is limited, as many as it has
 * time for, rounded up. */
int plx_platform_cpus(void);

/* Bytes of one data cache of level 1, 2 or 3; 0: not known. */
int64_t plx_platform_cache_bytes(int level);

/* The value of an environment variable, or NULL. */
const char *plx_platform_env(const char *name);

/* The double nearest to a decimal number, whatever the language that the user's system is set to.
 * False when the text is not one as a whole, or nothing finite. */
bool plx_platform_number(const char *text, double *value);

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

/* Gives freed memory back to the system, so that what is taken next lies on other pages. */
void plx_platform_trim(void);

/* Bytes that can still be had, and in all. False where that cannot be told: a system that hands out
 * more than it has. */
bool plx_platform_memory(uint64_t *left, uint64_t *all);

/* Whether threads can be started at all. */
bool plx_platform_has_threads(void);

/* Starts fn(arg) on a new thread. Returns NULL when none can be had. */
typedef struct plx_platform_thread plx_platform_thread;
plx_platform_thread *plx_platform_thread_start(void (*fn)(void *), void *arg);
void plx_platform_thread_join(plx_platform_thread *thread);

/* The processor that the calling thread runs on at this moment; -1: cannot be told. */
int plx_platform_cpu(void);

/* Moves the calling thread at once to a processor it may use that is none of busy [count]; it may
 * be moved on from there as before. Does nothing where there is no such processor or no such call.
 */
void plx_platform_move_off(const int *busy, int count);

/* Sleeps while *word == expected; may wake without cause. */
void plx_platform_wait(atomic_uint *word, unsigned expected);
void plx_platform_wake_all(atomic_uint *word);

/* A hint to the processor inside a spin loop. */
void plx_platform_pause(void);

#endif
