/* Makes one call of a builder with one input, through the functions that JavaScript calls.
 * Arguments: the builder's name, the number of inputs and of numbers, the numbers, then the values
 * of the input. */
#include "border.h"

#include <stdlib.h>
#include <string.h>

const char *plx_js_builder_name(int builder);
int plx_js_graph_node(plx_graph *graph, int builder, int count, const int32_t *inputs, int size,
                      const double *n, int room, int32_t *results);

static int place_of(const char *name) {
    for (int i = 0; plx_js_builder_name(i); i++)
        if (!strcmp(plx_js_builder_name(i), name)) return i;
    return -1;
}

int main(int count, char **given) {
    enum { NAME = 1, INPUTS, NUMBERS, FIRST, MOST = 16 };
    double numbers[MOST], values[MOST];
    const int size = count > FIRST ? atoi(given[NUMBERS]) : 0, n = count - FIRST - size;
    if (n < 1 || n > MOST || size < 0 || size > MOST || atoi(given[INPUTS]) != 1) return 2;
    for (int i = 0; i < size; i++) numbers[i] = atof(given[FIRST + i]);
    for (int i = 0; i < n; i++) values[i] = atof(given[FIRST + size + i]);
    plx_graph *graph = NULL;
    plx_plan *plan = NULL;
    int32_t y = -1;
    if (plx_ctx_new(NULL, &context, NULL, 0) || plx_graph_new(context, &graph)) return 3;
    const plx_node x = plx_input(graph, "x", PLX_DTYPE_REAL, 1, (const int64_t[]){n});
    const int32_t place = plx__js_place(x);
    if (plx_js_graph_node(graph, place_of(given[NAME]), 1, &place, size, numbers, 1, &y)) return 4;
    const plx_node out = plx__js_node(graph, y);
    if (plx_compile(graph, 1, &out, NULL, &plan) || plx_plan_bind(plan, x, values)) return 5;
    if (plx_plan_run(plan)) return 6;
    for (int i = 0; i < n; i++) printf("%g ", plx_plan_output(plan, out)[i]);
    plx_plan_free(plan);
    plx_graph_free(graph);
    plx_ctx_free(context);
    return 0;
}
