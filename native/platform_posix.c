/* base/platform.h for Linux and macOS. */
#include "base/platform.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#endif

int64_t plx_platform_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int plx_platform_cpus(void) {
#if defined(__linux__)
    cpu_set_t allowed;
    if (!sched_getaffinity(0, sizeof allowed, &allowed)) return CPU_COUNT(&allowed);
#endif
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

const char *plx_platform_env(const char *name) {
    return getenv(name);
}

void *plx_platform_alloc(size_t bytes) {
    void *memory = NULL;
    return posix_memalign(&memory, 64, bytes ? bytes : 1) ? NULL : memory;
}

void plx_platform_free(void *memory) {
    free(memory);
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

void plx_platform_wait(atomic_uint *word, unsigned expected) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
}

void plx_platform_wake_all(atomic_uint *word) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1 << 30, NULL, NULL, 0);
}

#else

/* One condition for all words: wake-ups are rare, and a wait may return without cause. */
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
