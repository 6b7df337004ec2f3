/* Sizes beyond 32 bits: offsets are 64-bit throughout. Pages of the array that are never written
 * take no memory. */
#include "check.h"

#include <string.h>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/mman.h>
#endif

enum { TAIL = 40 };
static const int64_t size = ((int64_t)1 << 31) + 1000;

#if defined(MAP_ANONYMOUS) && !defined(__EMSCRIPTEN__)

static void *sparse(size_t bytes) {
#ifdef MAP_NORESERVE
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
#else
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
#endif
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static void check_ends(plx_check *t, plx_ctx *ctx, plx_real *values) {
    plx_graph *graph = NULL;
    plx_plan *plan = NULL;
    if (!CHECK(t, plx_graph_new(ctx, &graph) == PLX_OK, "%s", plx_message(ctx))) return;
    const plx_node x = plx_input(graph, "x", PLX_DTYPE_REAL, 1, &size);
    /* A view of the tail, of every 2^26th element, and of the tail in reverse. */
    const plx_node tail = plx_slice(graph, x, 0, size - TAIL, size, 1);
    const plx_node far = plx_slice(graph, x, 0, 999, size, (int64_t)1 << 26);
    const plx_node back = plx_slice(graph, x, 0, size - 1, size - TAIL - 1, -1);
    const plx_node outputs[] = {plx_reduce_sum(graph, tail, PLX_ALL_AXES), far, back};
    plx_status status = plx_compile(graph, 3, outputs, NULL, &plan);
    if (status == PLX_OK) status = plx_plan_bind(plan, x, values);
    if (status == PLX_OK) status = plx_plan_run(plan);
    if (CHECK(t, status == PLX_OK && plan, "%s", plx_message(ctx))) {
        for (int i = 0; i < TAIL; ++i) values[size - TAIL + i] = (plx_real)(i + 1);
        values[999 + ((int64_t)1 << 31)] = 7; /* the very last element */
        CHECK(t, plx_plan_run(plan) == PLX_OK, "%s", plx_message(ctx));
        const int expected = TAIL * (TAIL + 1) / 2 - TAIL + 7;
        const double sum = (double)plx_plan_output(plan, outputs[0])[0];
        CHECK(t, sum == expected, "the tail sums to %g", sum);
        const int64_t *dims = NULL;
        const int rank = plx_node_shape(graph, far, &dims);
        CHECK(t, rank == 1 && dims[0] == 33, "%lld strides of 2^26", (long long)dims[0]);
        const plx_real *strides = plx_plan_output(plan, far),
                       *reversed = plx_plan_output(plan, back);
        CHECK(t, strides[32] == 7 && strides[31] == 0, "element 2^31 + 999 is %g",
              (double)strides[32]);
        CHECK(t, reversed[0] == 7 && reversed[1] == TAIL - 1, "in reverse it starts with %g, %g",
              (double)reversed[0], (double)reversed[1]);
    }
    plx_plan_free(plan);
    plx_graph_free(graph);
}

void plx_test_unit_large(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    const size_t bytes = (size_t)size * sizeof(plx_real);
    plx_real *values = sparse(bytes);
    CHECK(t, values != NULL, "no addresses for %lld elements", (long long)size);
    if (ctx && values) {
        check_ends(t, ctx, values);
        munmap(values, bytes);
    }
    plx_ctx_free(ctx);
}

#else

/* With 32-bit addresses, such an array is refused before memory is allocated. */
void plx_test_unit_large(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    plx_tensor *tensor = NULL;
    if (!ctx) return;
    CHECK(t, plx_tensor_new(ctx, PLX_DTYPE_REAL, 1, &size, &tensor) == PLX_ERR_MEMORY,
          "a tensor of %lld elements was made", (long long)size);
    CHECK(t, strstr(plx_message(ctx), "2147484648"), "%s", plx_message(ctx));
    plx_ctx_free(ctx);
}

#endif
