#include "base/alloc.h"

#include "base/platform.h"

plx_status plx__alloc(plx__message *message, const char *what, int64_t bytes, void **out) {
    uint64_t left = 0, all = 0;
    const uint64_t needed = bytes > 0 ? (uint64_t)bytes : 1;
    const bool known = plx_platform_memory(&left, &all);
    void *memory = NULL;
    if (needed <= SIZE_MAX && (!known || needed <= left))
        memory = plx_platform_alloc((size_t)needed);
    if (!memory && known)
        return plx__fail(message, PLX_ERR_MEMORY,
                         "%s: %llu bytes are needed; of %llu bytes of memory %llu are free%s", what,
                         (unsigned long long)needed, (unsigned long long)all,
                         (unsigned long long)left, needed <= left ? ", but not in one piece" : "");
    if (!memory)
        return plx__fail(message, PLX_ERR_MEMORY, "%s: no memory for %llu bytes", what,
                         (unsigned long long)needed);
    *out = memory;
    return PLX_OK;
}

void *plx_alloc(size_t bytes) {
    return plx_platform_alloc(bytes);
}

void plx_free(void *memory) {
    plx_platform_free(memory);
}
