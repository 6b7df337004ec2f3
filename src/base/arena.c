#include "base/arena.h"

#include "base/platform.h"

#include <stdalign.h>
#include <string.h>

enum { ALIGNMENT = alignof(max_align_t), BLOCK = 8192 };

struct plx__arena_block {
    struct plx__arena_block *below;
    size_t used, size;
    alignas(ALIGNMENT) char bytes[];
};

void *plx__arena_take(plx__arena *arena, size_t bytes) {
    bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct plx__arena_block *top = arena->top;
    if (!top || top->size - top->used < bytes) {
        const size_t size = bytes > BLOCK ? bytes : BLOCK;
        top = plx_platform_alloc(sizeof *top + size);
        if (!top) return NULL;
        *top = (struct plx__arena_block){.below = arena->top, .size = size};
        arena->top = top;
    }
    top->used += bytes;
    return top->bytes + top->used - bytes;
}

const char *plx__arena_text(plx__arena *arena, const char *text) {
    const size_t bytes = strlen(text) + 1;
    char *copy = plx__arena_take(arena, bytes);
    if (copy) memcpy(copy, text, bytes);
    return copy;
}

void plx__arena_free(plx__arena *arena) {
    while (arena->top) {
        struct plx__arena_block *top = arena->top;
        arena->top = top->below;
        plx_platform_free(top);
    }
}
