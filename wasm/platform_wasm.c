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
/* Where args points: every argument in turn, aligned to its size. Bytes are kept as characters, so
 * that a text is cut where C cuts it. */
EM_JS(void, plx__format_js, (char *text, size_t bytes, const char *format, const void *args), {
    const next = (Type) => {
        const at = (args + Type.BYTES_PER_ELEMENT - 1) & -Type.BYTES_PER_ELEMENT;
        args = at + Type.BYTES_PER_ELEMENT;
        return new Type(HEAPU8.buffer, at, 1)[0];
    };
    const read = (at, most) => {
        let found = "";
        while (found.length < most && HEAPU8[at]) found += String.fromCharCode(HEAPU8[at++]);
        return found;
    };
    /* C rounds a tie to the even digit, and JavaScript up. A hundred digits show every tie. */
    const general = (value, precision) => {
        const sign = HEAPU8[args - 1] >> 7 ? "-" : "";
        if (!isFinite(value)) return sign + (value == value ? "inf" : "nan");
        const kept = precision > 1 ? precision + 1 : 1;
        const digits = Math.abs(value).toExponential(100);
        const tie = /^[02468][.]?50*e/.test(digits.slice(kept - 1));
        const [mantissa, power] =
            tie ? [digits.slice(0, kept), digits.split("e")[1]] : Math.abs(value).toExponential(precision - 1).split("e");
        return sign + (power < -4 || power >= precision
            ? +mantissa + "e" + power[0] + power.slice(1).padStart(2, "0")
            : +(mantissa + "e" + power));
    };
    const made = read(format, Infinity).replace(
        /%0?([0-9]*)[.]?([0-9]+|[*])?(?:ll)?(.)/g,
        (all, width, precision, kind) => {
            if (precision == "*") precision = next(Int32Array);
            const wide = all.includes("ll");
            if (kind == "s") return read(next(Uint32Array), precision ?? Infinity);
            if (kind == "c") return String.fromCharCode(next(Int32Array));
            if (kind == "g") return general(next(Float64Array), +(precision ?? 6));
            const signed = kind == "d";
            return next(wide ? (signed ? BigInt64Array : BigUint64Array) : signed ? Int32Array : Uint32Array)
                .toString(kind == "x" ? 16 : 10).padStart(width, "0");
        }
    );
    let i = 0;
    for (; i < bytes - 1 && i < made.length; i++) HEAPU8[text + i] = made.charCodeAt(i);
    if (bytes) HEAPU8[text + i] = 0;
})
// clang-format on

/* Formatting by the C library would add seven kilobytes to a compressed module. */
void plx_platform_format(char *text, size_t bytes, const char *format, va_list args) {
    plx__format_js(text, bytes, format, args);
}

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
