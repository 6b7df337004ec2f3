/* An arena for many small objects with the same lifetime. They never move. */
#ifndef PLX_BASE_ARENA_H
#define PLX_BASE_ARENA_H

#include <stddef.h>

/* An arena of all zeros is empty. */
typedef struct plx__arena {
    struct plx__arena_block *top;
} plx__arena;

/* Aligned for any type; NULL when memory is short. */
void *plx__arena_take(plx__arena *arena, size_t bytes);
/* Copies text into the arena; NULL when memory is short. */
const char *plx__arena_text(plx__arena *arena, const char *text);

void plx__arena_free(plx__arena *arena);

#endif
