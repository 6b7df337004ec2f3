/* Memory for many small things that live equally long. None of it moves. */
#ifndef PLX_BASE_ARENA_H
#define PLX_BASE_ARENA_H

#include <stddef.h>

/* All zero: an empty arena. */
typedef struct plx__arena {
    struct plx__arena_block *top;
} plx__arena;

/* Aligned for any type; NULL when memory is short. */
void *plx__arena_take(plx__arena *arena, size_t bytes);
/* A copy of text. */
const char *plx__arena_text(plx__arena *arena, const char *text);

void plx__arena_free(plx__arena *arena);

#endif
