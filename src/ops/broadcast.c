#include "ops/broadcast.h"

#include <assert.h>

static int64_t aligned_dim(int rank, const int64_t *dims, int out_rank, int axis) {
    const int own = axis - (out_rank - rank);
    return own < 0 ? 1 : dims[own];
}

/* Whether a loop around the last one merely continues it for every operand. */
static bool continues(const plx__broadcast *loops, const int64_t *strides) {
    const int last = loops->rank - 1;
    bool same = last >= 0;
    for (int k = 0; k < loops->count && same; ++k)
        same = strides[k] == loops->strides[k][last] * loops->dims[last];
    return same;
}

static plx__broadcast loops_of(const plx__operand *out, int count, const plx__operand *in) {
    assert(count <= PLX__BROADCAST_MOST);
    plx__broadcast loops = {.count = count};
    int64_t next[PLX__BROADCAST_MOST] = {1, 1, 1};
    for (int axis = out->rank - 1; axis >= 0; --axis) {
        int64_t strides[PLX__BROADCAST_MOST];
        for (int k = 0; k < count; ++k) {
            const int64_t dim = aligned_dim(in[k].rank, in[k].dims, out->rank, axis);
            strides[k] = dim == 1 ? 0 : next[k];
            next[k] *= dim;
        }
        if (out->dims[axis] == 1) continue;
        if (continues(&loops, strides)) {
            loops.dims[loops.rank - 1] *= out->dims[axis];
            continue;
        }
        loops.dims[loops.rank] = out->dims[axis];
        for (int k = 0; k < count; ++k) loops.strides[k][loops.rank] = strides[k];
        loops.rank += 1;
    }
    if (!loops.rank) loops = (plx__broadcast){.rank = 1, .count = count, .dims = {1}};
    return loops;
}

typedef struct run_job {
    plx__broadcast loops;
    plx__broadcast_piece piece;
    const void *arg;
} run_job;

static void run_rows(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const run_job *job = arg;
    const plx__broadcast *loops = &job->loops;
    const int64_t n = loops->dims[0];
    for (int64_t row = begin; row < end; ++row) {
        int64_t from[PLX__BROADCAST_MOST] = {0}, left = row;
        for (int i = 1; i < loops->rank; ++i) {
            const int64_t index = left % loops->dims[i];
            left /= loops->dims[i];
            for (int k = 0; k < loops->count; ++k) from[k] += index * loops->strides[k][i];
        }
        job->piece(job->arg, loops, n, from, row * n);
    }
}

/* Splits the innermost loop into pieces when it is the only one. */
static void run_flat(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const run_job *job = arg;
    int64_t from[PLX__BROADCAST_MOST];
    for (int k = 0; k < job->loops.count; ++k) from[k] = begin * job->loops.strides[k][0];
    job->piece(job->arg, &job->loops, end - begin, from, begin);
}

void plx__broadcast_run(plx_ctx *ctx, const plx__step *step, int count, plx__broadcast_piece piece,
                        const void *arg) {
    if (!step->out.size) return;
    run_job job = {loops_of(&step->out, count, step->in), piece, arg};
    const int64_t n = job.loops.dims[0];
    assert(n > 0);
    const int64_t rows = step->out.size / n;
    ctx->method = rows == 1 ? "elements" : "rows";
    if (rows == 1)
        plx__parallel_for(ctx->pool, step->threads, n, plx__grain(n, 1, step->threads), run_flat,
                          &job);
    else
        plx__parallel_for(ctx->pool, step->threads, rows, plx__grain(rows, n, step->threads),
                          run_rows, &job);
}

/* Broadcasts the shape of node with that of x. */
static plx_status widen(plx_graph *graph, plx__node *node, const plx__node *x) {
    const plx__node so_far = *node;
    if (x->rank > node->rank) node->rank = x->rank;
    for (int axis = 0; axis < node->rank; ++axis) {
        const int64_t da = aligned_dim(so_far.rank, so_far.dims, node->rank, axis);
        const int64_t db = aligned_dim(x->rank, x->dims, node->rank, axis);
        if (da != db && da != 1 && db != 1) {
            char left[96], right[96];
            return plx__graph_fail(
                graph, PLX_ERR_SHAPE,
                "%s: shapes %s and %s do not broadcast: sizes %lld and %lld must be equal, or one "
                "of them 1",
                node->op->name, plx__shape_text(so_far.rank, so_far.dims, left, 96),
                plx__shape_text(x->rank, x->dims, right, 96), (long long)da, (long long)db);
        }
        node->dims[axis] = da == 1 ? db : da;
    }
    return PLX_OK;
}

plx_status plx__infer_broadcast(plx_graph *graph, plx__node *node) {
    plx__copy_shape(node, plx__input_of(graph, node, 0));
    for (int k = 1; k < node->inputs_count; ++k)
        PLX_TRY(widen(graph, node, plx__input_of(graph, node, k)));
    return PLX_OK;
}

int32_t plx__sum_like(plx_graph *graph, int32_t g, int32_t like) {
    if (g < 0) return -1;
    const plx__node from = *graph->nodes[g], to = *graph->nodes[like];
    const int extra = from.rank - to.rank;
    int64_t mask = 0, dropped = 0;
    for (int axis = 0; axis < from.rank; ++axis) {
        if (axis < extra)
            dropped |= 1 << axis;
        else if (to.dims[axis - extra] == from.dims[axis])
            continue;
        mask |= 1 << axis;
    }
    if (!mask) return g;
    const plx__attrs attrs = {.sum = {.axes = mask, .dropped = dropped, .factor = 1}};
    return PLX__EMIT1(graph, &plx__op_sum_to, g, &attrs);
}
