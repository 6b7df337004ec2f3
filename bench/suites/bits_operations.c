/* The bits of every operation with a gradient rule, and of its gradients, over all samples of the
 * table. */
#include "bench/suites/bits_operations.h"

#include "bench/suites/sample_graph.h"

#include <string.h>

enum { STREAM = 980 };

typedef struct hash {
    uint64_t value;
    double count;
} hash;

/* FNV-1a over 32-bit words; all NaNs count as one. */
static void add_values(hash *h, plx_dtype dtype, int64_t n, const void *values) {
    for (int64_t i = 0; i < n; ++i) {
        uint32_t word;
        double whole;
        plx__decode(dtype, 1, (const char *)values + (size_t)i * plx__element_bytes(dtype), &whole);
        if (!plx__is_fractional(dtype)) {
            word = (uint32_t)(int32_t)whole;
        } else {
            const float value = (float)whole;
            memcpy(&word, &value, sizeof word);
            if (value != value) word = 0x7fc00000;
        }
        for (int byte = 0; byte < 4; ++byte)
            h->value = (h->value ^ (word >> 8 * byte & 0xff)) * 1099511628211u;
    }
    h->count += (double)n;
}

static void add_node(hash *h, const plx_sample_graph *g, const plx_plan *plan, plx_node node) {
    const int64_t *dims = NULL;
    const int rank = plx_node_shape(g->graph, node, &dims);
    const plx_dtype dtype = plx_node_dtype(g->graph, node);
    add_values(h, dtype, plx__product(rank, dims), plx_plan_output_as(plan, node, dtype));
}

/* The value, and the gradients if there is a rule. */
static plx_status hash_sample(plx_sample_graph *g, hash *h) {
    plx_node grads[PLX__SAMPLE_INPUTS], outputs[PLX__SAMPLE_INPUTS + 2] = {g->y};
    int wanted = 0, count = 1;
    const bool rule = g->loss.id >= 0;
    if (rule) {
        PLX_TRY(plx__sample_graph_gradients(g, grads, &wanted));
        for (int k = 0; k < g->sample->inputs_count; ++k)
            if (grads[k].id >= 0) outputs[count++] = grads[k];
        /* Run but not hashed: some ops leave by-products for their gradients. */
        outputs[count] = g->loss;
    }
    plx_plan *plan = NULL;
    plx_status status = plx_compile(g->graph, count + rule, outputs, NULL, &plan);
    if (status == PLX_OK) status = plx_plan_run(plan);
    for (int i = 0; status == PLX_OK && i < count; ++i) add_node(h, g, plan, outputs[i]);
    plx_plan_free(plan);
    return status;
}

static plx_status slice_operations(plx_bench *bench, plx_case *c, int64_t slice_ns, bool *done) {
    hash h = {.value = 14695981039346656037u};
    plx_rng rng = plx_rng_new(plx__bench_options(bench)->seed, STREAM);
    plx_status status = PLX_OK;
    int count;
    const plx_op *const *ops = plx__ops(&count);
    (void)slice_ns;
    for (int i = 0; i < count && status == PLX_OK; ++i) {
        const char *text = ops[i]->samples;
        plx__sample sample;
        const unsigned none = PLX__OP_LEAF | PLX__OP_EFFECT | PLX__OP_BUFFER | PLX__OP_NO_GRADIENT;
        if (ops[i]->flags & none) continue;
        while (status == PLX_OK && text && plx__sample_read(ops[i], &text, &sample)) {
            plx_sample_graph g;
            status = plx__sample_graph_open(plx__bench_ctx(bench), ops[i], &sample, &rng, &g);
            if (status == PLX_OK) status = hash_sample(&g, &h);
            plx__sample_graph_close(&g);
        }
    }
    if (status == PLX_OK) {
        plx__case_record(c, 0, h.count);
        plx__case_bits(c, h.value, h.count);
    }
    *done = true;
    return status;
}

void plx__bits_operations(plx_bench *bench, int group) {
    plx_case *c = plx__bench_add(bench, group, "every operation and gradient");
    if (!c) return;
    c->slice = slice_operations;
    plx__case_once(bench, c, 2e10);
    plx__case_metric(c, "values", "numbers", "none", false, PLX_METRIC_OWN, 1);
}
