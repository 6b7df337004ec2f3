#include "kernels/guarded.h"

#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A byte of the pattern: 0xffffffff is a NaN as a float, and eight such bytes as a double. */
enum { PATTERN = 0xff, BLOCK_BYTES = 1 << 20, MARGIN = 4096 };

static size_t mapping_bytes(const plx_guards *guards) {
    return BLOCK_BYTES + 2 * guards->page;
}

bool plx_guards_open(plx_guards *guards) {
    memset(guards, 0, sizeof *guards);
    guards->page = (size_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < PLX_GUARDED_BLOCKS; ++i) {
        char *mapping = mmap(NULL, mapping_bytes(guards), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (mapping == MAP_FAILED) {
            plx_guards_close(guards);
            return false;
        }
        guards->mapping[i] = mapping;
        memset(mapping, PATTERN, mapping_bytes(guards));
        mprotect(mapping, guards->page, PROT_NONE);
        mprotect(mapping + guards->page + BLOCK_BYTES, guards->page, PROT_NONE);
    }
    return true;
}

void plx_guards_close(plx_guards *guards) {
    for (int i = 0; i < PLX_GUARDED_BLOCKS; ++i)
        if (guards->mapping[i]) munmap(guards->mapping[i], mapping_bytes(guards));
    memset(guards, 0, sizeof *guards);
}

void plx_guards_reset(plx_guards *guards, bool at_end) {
    guards->at_end = at_end;
    guards->count = 0;
}

/* Start of the margin of block i: before or after the block, away from the protected page. */
static char *margin(const plx_guards *guards, int i) {
    return guards->at_end ? guards->data[i] - MARGIN : guards->data[i] + guards->bytes[i];
}

static bool has_margin(const plx_guards *guards, int i) {
    return guards->bytes[i] + MARGIN <= BLOCK_BYTES;
}

plx_real *plx_guards_take(plx_guards *guards, int64_t n) {
    const int i = guards->count++;
    const size_t bytes = (size_t)n * sizeof(plx_real);
    if (i >= PLX_GUARDED_BLOCKS || bytes > BLOCK_BYTES) return NULL;
    char *first = guards->mapping[i] + guards->page;
    guards->bytes[i] = bytes;
    guards->data[i] = guards->at_end ? first + BLOCK_BYTES - bytes : first;
    memset(guards->data[i], PATTERN, bytes);
    if (has_margin(guards, i)) memset(margin(guards, i), PATTERN, MARGIN);
    return (plx_real *)(void *)guards->data[i];
}

bool plx_guards_untouched(const plx_real *value) {
    plx_real pattern;
    memset(&pattern, PATTERN, sizeof pattern);
    return !memcmp(value, &pattern, sizeof pattern);
}

bool plx_guards_intact(const plx_guards *guards) {
    for (int i = 0; i < guards->count; ++i) {
        const char *bytes = margin(guards, i);
        for (int k = 0; has_margin(guards, i) && k < MARGIN; ++k)
            if ((unsigned char)bytes[k] != PATTERN) return false;
    }
    return true;
}

static sigjmp_buf back;

static void on_fault(int number) {
    (void)number;
    siglongjmp(back, 1);
}

bool plx_guards_run(void (*fn)(void *arg), void *arg) {
    struct sigaction action, old_segv, old_bus;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_fault;
    sigaction(SIGSEGV, &action, &old_segv);
    sigaction(SIGBUS, &action, &old_bus); /* sent by macOS */
    const bool held = !sigsetjmp(back, 1);
    if (held) fn(arg);
    sigaction(SIGSEGV, &old_segv, NULL);
    sigaction(SIGBUS, &old_bus, NULL);
    return held;
}
