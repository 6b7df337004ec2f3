/* Builders of attention and related ops. */
#include "graph/graph.h"

#include "parallax.h"

plx_node plx_attention(plx_graph *graph, plx_node q, plx_node k, plx_node v, plx_node mask,
                       const plx_attention_options *options) {
    if (!plx__given(graph, "attention", "options", options)) return plx_none();
    const int64_t kv_heads = options->kv_heads ? options->kv_heads : options->heads;
    const int64_t *dims = NULL;
    const int rank = plx_node_shape(graph, q, &dims);
    plx__attrs attrs = {.attention = {.heads = options->heads,
                                      .kv_heads = kv_heads,
                                      .causal = options->causal,
                                      .scale = options->scale}};
    plx__attrs sums = {.rank = 3};
    if (options->heads < 1 || kv_heads < 1) {
        const bool own = options->heads < 1;
        plx__graph_fail(graph, PLX_ERR_ARGUMENT, "attention: %s is %lld; it must be %s",
                        own ? "heads" : "kv_heads", (long long)(own ? options->heads : kv_heads),
                        own ? "at least 1" : "at least 1, or 0 for as many as heads");
        return plx_none();
    }
    if (options->heads % kv_heads) {
        plx__graph_fail(graph, PLX_ERR_SHAPE,
                        "attention: %lld key heads do not divide %lld query heads",
                        (long long)kv_heads, (long long)options->heads);
        return plx_none();
    }
    if (!(options->scale > -1e30 && options->scale < 1e30)) {
        plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                        "attention: scale is %g; it must be above -1e30 and below 1e30",
                        options->scale);
        return plx_none();
    }
    if (rank == 3) {
        sums.dims[0] = dims[0];
        sums.dims[1] = options->heads;
        sums.dims[2] = dims[1];
        if (options->scale == 0)
            attrs.attention.scale = 1 / plx_math_sqrt((double)dims[2] / (double)options->heads);
    }
    const plx_node buffer = plx__build(graph, &plx__op_buffer, 0, NULL, &sums);
    const plx_node inputs[] = {q, k, v, buffer, mask};
    return plx__build(graph, &plx__op_attention, mask.id < 0 ? 4 : 5, inputs, &attrs);
}

plx_node plx_rope(plx_graph *graph, plx_node x, int64_t heads, double base, int64_t first) {
    const int64_t *dims = NULL;
    const int rank = plx_node_shape(graph, x, &dims);
    if (!(base > 0 && base < 1e30) || heads < 1 || first < 0 || first > ((int64_t)1 << 31)) {
        plx__graph_fail(graph, PLX_ERR_ARGUMENT,
                        "rope: base is %g, heads %lld, first %lld; base must be above 0 and "
                        "below 1e30, heads at least 1, positions 0 to 2^31",
                        base, (long long)heads, (long long)first);
        return plx_none();
    }
    plx__attrs table = {.rope_table = {.first = first, .base = base}};
    if (rank == 3) {
        table.rope_table.length = dims[1];
        table.rope_table.width = dims[2] / heads;
    }
    const plx_node angles = plx__build(graph, &plx__op_rope_table, 0, NULL, &table);
    const plx__attrs attrs = {.rope = {.heads = heads}};
    return plx__build2(graph, &plx__op_rope, x, angles, &attrs);
}

static plx_node gated(plx_graph *graph, const char *name, plx_activation activation, plx_node gate,
                      plx_node up) {
    if (PLX__NAMES_OPERANDS &&
        (!plx__are_reals(graph, name, "gate", gate) || !plx__are_reals(graph, name, "up", up)))
        return plx_none();
    const plx__attrs attrs = {.gated = {activation}};
    return plx__build2(graph, &plx__op_gated, gate, up, &attrs);
}

plx_node plx_swiglu(plx_graph *graph, plx_node gate, plx_node up) {
    return gated(graph, "swiglu", PLX_SILU, gate, up);
}

plx_node plx_geglu(plx_graph *graph, plx_node gate, plx_node up) {
    return gated(graph, "geglu", PLX_GELU, gate, up);
}
