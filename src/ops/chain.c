/* chain: elementwise operations one after another on tiles. */
#include "ops/chain.h"

#ifndef PLX_ENGINE

#include "base/sizes.h"

#include <stddef.h>
#include <string.h>

/* Elements of a tile: few enough that the processor reads ahead from one tile to the next, many
 * enough to hide the calls of the kernels. */
enum { TILE = 512 };

/* By kind, which attrs.def explains. */
#define UNARY(name, from, kink, samples) &plx__op_##name, &plx__op_##name##_grad,
static const plx_op *const kinds[] = {
    &plx__op_add, &plx__op_sub, &plx__op_mul,   &plx__op_div,   &plx__op_max,
    &plx__op_min, &plx__op_pow, &plx__op_prelu, &plx__op_scale, &plx__op_dropout,
#include "kernels/unary.def"
};
#undef UNARY

enum { KINDS = sizeof kinds / sizeof kinds[0], SCALE = 8, DROPOUT, UNARIES };

int plx__chain_kind(const plx_op *op) {
    int kind = KINDS - 1;
    while (kind >= 0 && kinds[kind] != op) kind -= 1;
    return kind;
}

bool plx__chain_is_binary(int64_t kind) {
    return kind < SCALE || (kind >= UNARIES && (kind - UNARIES) % 2);
}

plx__chain_attrs plx__chain_of(const plx_op *op, const plx__attrs *attrs) {
    const int kind = plx__chain_kind(op);
    /* The first attribute of each family that has any. */
    const double alpha = op->attrs ? attrs->unary.alpha : 0;
    return (plx__chain_attrs){.members = 1,
                              .kind = {kind},
                              .b = {kind == DROPOUT ? attrs->dropout.seed : 1},
                              .alpha = {alpha}};
}

/* Whether x has the shape of the last axes of like. */
static bool is_suffix(const plx__node *like, const plx__node *x) {
    const int extra = like->rank - x->rank;
    return extra >= 0 && !memcmp(like->dims + extra, x->dims, (size_t)x->rank * sizeof *x->dims);
}

bool plx__chain_fits(const plx__node *like, int count, const plx__node *const *inputs) {
    const int64_t all = plx__size(like);
    int64_t columns = 0;
    for (int k = 0; k < count; ++k) {
        const int64_t size = plx__size(inputs[k]);
        if (inputs[k]->dtype != PLX_DTYPE_REAL) return false;
        if (size == 1) continue;
        if (!is_suffix(like, inputs[k])) return false;
        if (size == all) continue;
        if (columns && size != columns) return false;
        columns = size;
    }
    return all > 0;
}

/* ---- Run ------------------------------------------------------------------------------------- */

/* Where the kernels are in their table, by kind; those of scale and dropout are called by name. */
#define AT(name) offsetof(plx_kernels, name)
#define UNARY(name, from, kink, samples) AT(name), AT(name##_grad),
static const uint16_t kernel_at[] = {
    AT(add), AT(sub), AT(mul), AT(div), AT(max), AT(min), AT(pow), AT(prelu), 0, 0,
#include "kernels/unary.def"
};
#undef UNARY

typedef void (*binary_kernel)(int64_t n, const plx_real *a, int sa, const plx_real *b, int sb,
                              plx_real *y);
typedef void (*gradient_kernel)(int64_t n, const plx_real *xy, const plx_real *gy, plx_real *gx,
                                plx_real p);
typedef void (*function_kernel)(int64_t n, const plx_real *x, plx_real *y, plx_real p);

/* An operand of a member: element i of the chain's value needs data[i], data[i % columns], data[0],
 * or element i - first of a tile that begins at first. */
typedef struct operand {
    const plx_real *data;
    enum { WHOLE, REPEATED, ONE, VALUE } kind;
} operand;

typedef struct chain_job {
    const plx_kernels *kernels;
    const plx__step *step;
    int64_t columns; /* of inputs that repeat; 1: none do */
} chain_job;

typedef struct member {
    operand in[2];
    plx_real *out; /* NULL: the chain's own */
} member;

static operand operand_of(const chain_job *job, int64_t from, plx_real (*values)[TILE]) {
    if (from < 0) return (operand){values[-1 - from], VALUE};
    const plx__operand *in = &job->step->in[from];
    const bool whole = in->size == job->step->out.size;
    return (operand){*in->slot, whole ? WHOLE : in->size == 1 ? ONE : REPEATED};
}

static const plx_real *at_tile(const chain_job *job, const operand *from, int64_t first) {
    if (from->kind == WHOLE) return from->data + first;
    return from->data + (from->kind == REPEATED ? first % job->columns : 0);
}

/* Member i on n elements from first on. */
static void run_member(const chain_job *job, const member *m, int i, int64_t first, int64_t n) {
    const plx__chain_attrs *chain = &job->step->attrs.chain;
    const int64_t kind = chain->kind[i];
    const plx_real p = (plx_real)chain->alpha[i], *a = at_tile(job, &m->in[0], first);
    plx_real *y = m->out ? m->out : PLX_OUT(job->step) + first;
    const void *kernel = (const char *)job->kernels + kernel_at[kind];
    if (kind < SCALE) {
        (*(const binary_kernel *)kernel)(n, a, m->in[0].kind != ONE, at_tile(job, &m->in[1], first),
                                         m->in[1].kind != ONE, y);
    } else if (kind == SCALE) {
        job->kernels->scale(n, p, a, y);
    } else if (kind == DROPOUT) {
        plx__drop(job->kernels, job->step, chain->alpha[i], chain->b[i], first, n, a, y);
    } else if (plx__chain_is_binary(kind)) {
        (*(const gradient_kernel *)kernel)(n, a, at_tile(job, &m->in[1], first), y, p);
    } else {
        (*(const function_kernel *)kernel)(n, a, y, p);
    }
}

static void each_row(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const chain_job *job = arg;
    const plx__chain_attrs *chain = &job->step->attrs.chain;
    const int count = (int)chain->members;
    member members[PLX__CHAIN_MOST];
    plx_real values[PLX__CHAIN_MOST - 1][TILE];
    for (int i = 0; i < count; ++i) {
        members[i] = (member){.in = {operand_of(job, chain->a[i], values)},
                              .out = i < count - 1 ? values[i] : NULL};
        if (plx__chain_is_binary(chain->kind[i]))
            members[i].in[1] = operand_of(job, chain->b[i], values);
    }
    for (int64_t at = begin * job->columns, n; at < end * job->columns; at += n) {
        n = plx__least(TILE, end * job->columns - at);
        if (job->columns > 1) n = plx__least(n, job->columns - at % job->columns);
        for (int i = 0; i < count; ++i) run_member(job, &members[i], i, at, n);
    }
}

static plx_status run_chain(plx_ctx *ctx, const plx__step *step) {
    chain_job job = {ctx->kernels, step, 1};
    for (int k = 0; k < step->in_count; ++k)
        if (step->in[k].size != step->out.size && step->in[k].size > 1)
            job.columns = step->in[k].size;
    const int64_t rows = step->out.size / job.columns;
    ctx->method = "tiles";
    plx__parallel_for(ctx->pool, step->threads, rows, plx__grain(rows, job.columns, step->threads),
                      each_row, &job);
    return PLX_OK;
}

/* The shape of the largest input. */
static plx_status infer_chain(plx_graph *graph, plx__node *node) {
    const plx__node *like = plx__input_of(graph, node, 0);
    for (int k = 1; k < node->inputs_count; ++k)
        if (plx__size(plx__input_of(graph, node, k)) > plx__size(like))
            like = plx__input_of(graph, node, k);
    plx__copy_shape(node, like);
    return PLX_OK;
}

static plx__cost cost_chain(const plx_graph *graph, const plx__node *node) {
    const plx__chain_attrs *chain = &node->attrs.chain;
    plx__cost cost = plx__cost_streaming(graph, node, (double)chain->members, 1);
    /* Functions are bound by their arithmetic, as those of unary.c are. */
    double functions = 0;
    for (int i = 0; i < chain->members; ++i) functions += chain->kind[i] >= DROPOUT;
    const double work = functions * 4 * 2 * (double)plx__size(node) * sizeof(plx_real);
    if (work > cost.bytes) cost.weight = work / cost.bytes;
    return cost;
}

static const plx__operand_row takes[] = {{"input", PLX__REALS, PLX__REPEATED}, {NULL, 0, 0}};
static const char samples[] =
    /* relu(a + b) c; a b + c times one value; exp(a) + b; one value and long rows; dropout. */
    "3x5 3x5 3x5 : members 3 kind 0 10 2 a 0 -1 -2 b 1 0 2; "
    "700x33 700x33 33 . : members 3 kind 2 2 0 a 0 2 -1 b 1 3 -2; "
    "3x5000 5000 : members 2 kind 26 0 a 0 -1 b 0 1; "
    "6000 . : members 2 kind 1 8 a 0 -1 b 1 alpha 1 -0.5; "
    "2x3000 : members 2 kind 9 8 a 0 -1 b 7 alpha 0.5 3";

const plx_op plx__op_chain = {
    .name = "chain",
    .operands = takes,
    .flags = PLX__OP_INPLACE | PLX__OP_NO_GRADIENT,
    .infer = infer_chain,
    .cost = cost_chain,
    .run = run_chain,
    .attrs = plx__chain_fields,
    .samples = PLX__TESTED(samples),
};

#endif
