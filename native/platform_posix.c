/* Implements base/platform.h for Linux and macOS. */
#include "base/platform.h"

#include "native/cpu_quota.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#if defined(__APPLE__)
#include <sys/sysctl.h>
#include <xlocale.h>
#endif

#if defined(__linux__)
#include <linux/futex.h>
#include <malloc.h>
#include <sched.h>
#include <sys/syscall.h>
#endif

int64_t plx_platform_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int plx_native_cpus(void) {
#if defined(__linux__)
    cpu_set_t allowed;
    if (!sched_getaffinity(0, sizeof allowed, &allowed)) return CPU_COUNT(&allowed);
#endif
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

int plx_platform_cpus(void) {
    const int cpus = plx_native_cpus();
    const double quota = plx_native_cpu_quota();
    /* Half a CPU is worth one thread, one and a half are worth two. */
    return quota > 0 && quota < cpus ? (int)ceil(quota) : cpus;
}

int64_t plx_platform_cache_bytes(int level) {
    int64_t bytes = 0;
#if defined(__APPLE__)
    static const char *const names[] = {"hw.l1dcachesize", "hw.l2cachesize", "hw.l3cachesize"};
    size_t length = sizeof bytes;
    if (level < 1 || level > 3 || sysctlbyname(names[level - 1], &bytes, &length, NULL, 0) != 0)
        return 0;
#elif defined(_SC_LEVEL1_DCACHE_SIZE)
    static const int names[] = {_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE,
                                _SC_LEVEL3_CACHE_SIZE};
    if (level < 1 || level > 3) return 0;
    bytes = sysconf(names[level - 1]);
#else
    (void)level;
#endif
    return bytes > 0 ? bytes : 0;
}

const char *plx_platform_env(const char *name) {
    return getenv(name);
}

void plx_platform_format(char *text, size_t bytes, const char *format, va_list args) {
    vsnprintf(text, bytes, format, args);
}

bool plx_platform_number(const char *text, double *value) {
    static const char decimal[] = "0123456789+-.eE";
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain) return false;
    char *end;
    const double number = strtod_l(text, &end, plain);
    freelocale(plain);
    *value = number;
    return *text && text[strspn(text, decimal)] == 0 && *end == 0 && number - number == 0;
}

/* Matrices are read with strides of a page or more; with small pages that is a page-table walk per
 * row. */
static void prefer_huge_pages(void *memory, size_t bytes) {
#if defined(MADV_HUGEPAGE)
    /* Only advice: without it results are the same, and come more slowly. */
    (void)madvise(memory, bytes, MADV_HUGEPAGE);
#else
    (void)memory;
    (void)bytes;
#endif
}

void *plx_platform_alloc(size_t bytes) {
    enum { CACHE_LINE = 64, HUGE_PAGE = 1 << 21 };
    void *memory = NULL;
    const bool large = bytes >= HUGE_PAGE;
    if (posix_memalign(&memory, large ? HUGE_PAGE : CACHE_LINE, bytes ? bytes : 1)) return NULL;
    if (large) prefer_huge_pages(memory, bytes);
    return memory;
}

void plx_platform_free(void *memory) {
    free(memory);
}

void plx_platform_trim(void) {
#if defined(__GLIBC__)
    (void)malloc_trim(0);
#endif
}

bool plx_platform_memory(uint64_t *left, uint64_t *all) {
    (void)left;
    (void)all;
    return false;
}

bool plx_platform_has_threads(void) {
    return true;
}

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

plx_platform_thread *plx_platform_thread_start(void (*fn)(void *), void *arg) {
    plx_platform_thread *thread = malloc(sizeof *thread);
    if (!thread) return NULL;
    thread->fn = fn;
    thread->arg = arg;
    if (pthread_create(&thread->handle, NULL, thread_main, thread)) {
        free(thread);
        return NULL;
    }
    return thread;
}

void plx_platform_thread_join(plx_platform_thread *thread) {
    if (!thread) return;
    pthread_join(thread->handle, NULL);
    free(thread);
}

#if defined(__linux__)

int plx_platform_cpu(void) {
    return sched_getcpu();
}

/* Narrows the set of CPUs for a moment, which moves the thread, and then restores it: nothing is
 * pinned, so other programs and the system's own load balancing are not constrained. */
void plx_platform_move_off(const int *busy, int count) {
    cpu_set_t allowed, others;
    if (sched_getaffinity(0, sizeof allowed, &allowed)) return;
    others = allowed;
    for (int i = 0; i < count; ++i)
        if (busy[i] >= 0 && busy[i] < CPU_SETSIZE) CPU_CLR(busy[i], &others);
    if (!CPU_COUNT(&others) || sched_setaffinity(0, sizeof others, &others)) return;
    (void)sched_setaffinity(0, sizeof allowed, &allowed);
}

void plx_platform_wait(atomic_uint *word, unsigned expected) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
}

void plx_platform_wake_all(atomic_uint *word) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1 << 30, NULL, NULL, 0);
}

#else

int plx_platform_cpu(void) {
    return -1;
}

void plx_platform_move_off(const int *busy, int count) {
    (void)busy;
    (void)count;
}

/* One condition for all words: wake-ups are rare, and a wait may return spuriously. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

void plx_platform_wait(atomic_uint *word, unsigned expected) {
    pthread_mutex_lock(&mutex);
    if (atomic_load(word) == expected) pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
}

void plx_platform_wake_all(atomic_uint *word) {
    (void)word;
    pthread_mutex_lock(&mutex);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

#endif

void plx_platform_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}
