/* Memory with guarded ends: a block ends (or starts) at a page that must not be touched, and the
 * rest of its own pages is filled with NaN of a known pattern. Where pages cannot be protected
 * (WebAssembly) only the NaN guards: a value read past the end spoils the result. */
#ifndef PLX_TESTS_GUARDED_H
#define PLX_TESTS_GUARDED_H

#include "parallax.h"

enum { PLX_GUARDED_BLOCKS = 8 };

typedef struct plx_guards {
    char *mapping[PLX_GUARDED_BLOCKS]; /* a protected page, the block's pages, a protected page */
    size_t page;
    char *data[PLX_GUARDED_BLOCKS]; /* the blocks that were handed out */
    size_t bytes[PLX_GUARDED_BLOCKS];
    int count;
    bool at_end; /* blocks end at a protected page; otherwise they start after one */
} plx_guards;

/* Returns false if there is no memory. */
bool plx_guards_open(plx_guards *guards);
void plx_guards_close(plx_guards *guards);

/* Takes back all blocks. */
void plx_guards_reset(plx_guards *guards, bool at_end);

/* Returns n values (at most 1 MiB, and at most PLX_GUARDED_BLOCKS blocks), each the NaN that
 * plx_guards_untouched recognises. */
plx_real *plx_guards_take(plx_guards *guards, int64_t n);
bool plx_guards_untouched(const plx_real *value);

/* Whether everything around the blocks is unchanged. */
bool plx_guards_intact(const plx_guards *guards);

/* Calls fn(arg); returns false if it touched forbidden memory. */
bool plx_guards_run(void (*fn)(void *arg), void *arg);

#endif
