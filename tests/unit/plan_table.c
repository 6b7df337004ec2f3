/* A plan as a table: an executor that runs the steps of the table in its own memory gets the
 * bits of plx_plan_run. */
#include "base/sizes.h"
#include "bench/network.h"
#include "ops/op.h"
#include "random_graph.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_INPUTS = 1024, RUNS = 3 };

/* ---- A second executor: knows the ops by name and the table, and nothing of the plan --------- */

typedef struct executor {
    plx_ctx *ctx;
    plx_plan_table table;
    void **data; /* slabs of its own, by buffer */
    void *workspace;
    uint64_t runs;
} executor;

static const plx_op *op_named(const char *name) {
    int count;
    const plx_op *const *ops = plx__ops(&count);
    for (int i = 0; i < count; ++i)
        if (!strcmp(ops[i]->name, name)) return ops[i];
    return NULL;
}

/* Values of steps, those that are kept included. */
static bool is_own(const plx_buffer *buffer) {
    return buffer->kind == PLX_BUFFER_SLAB || buffer->kind == PLX_BUFFER_KEPT;
}

static bool open_executor(plx_ctx *ctx, plx_plan *plan, executor *e) {
    *e = (executor){.ctx = ctx};
    if (plx_plan_describe(plan, &e->table) != PLX_OK) return false;
    e->data = calloc((size_t)e->table.buffers_count + 1, sizeof *e->data);
    for (int i = 0; i < e->table.buffers_count; ++i) {
        const plx_buffer *buffer = &e->table.buffers[i];
        e->data[i] = buffer->data;
        if (!is_own(buffer)) continue;
        e->data[i] = aligned_alloc(256, (size_t)plx__round_up(buffer->bytes, 256));
        memset(e->data[i], 0xff, (size_t)buffer->bytes);
    }
    int64_t most = 0;
    for (int i = 0; i < e->table.steps_count; ++i)
        most = plx__most(most, e->table.steps[i].workspace);
    e->workspace = aligned_alloc(256, (size_t)plx__round_up(most, 256) + 256);
    return true;
}

static void close_executor(executor *e) {
    for (int i = 0; e->data && i < e->table.buffers_count; ++i)
        if (is_own(&e->table.buffers[i])) free(e->data[i]);
    free(e->data);
    free(e->workspace);
}

static plx__operand operand_of(const executor *e, const plx_operand *from, void **slot) {
    plx__operand operand = {.slot = slot, .dtype = from->dtype, .rank = from->rank};
    memcpy(operand.dims, from->dims, sizeof operand.dims);
    operand.size = plx__product(from->rank, from->dims);
    *slot = from->buffer < 0 ? NULL : (char *)e->data[from->buffer] + from->offset;
    return operand;
}

static plx__attrs attrs_of(const plx_op *op, const plx_step *step) {
    plx__attrs attrs = {.rank = step->output.rank, .object = step->optimizer};
    memcpy(attrs.dims, step->output.dims, sizeof attrs.dims);
    for (int i = 0; i < step->attributes_count; ++i) {
        const plx_attribute *given = &step->attributes[i];
        plx__attribute own;
        if (!plx__attribute_named(op->attrs, given->name, strlen(given->name), &own)) continue;
        memcpy((char *)&attrs + 8 * own.place,
               given->whole ? (const void *)given->whole : (const void *)given->real,
               8 * (size_t)own.count);
    }
    return attrs;
}

static plx_status run_step(executor *e, const plx_step *from) {
    static void *slots[MOST_INPUTS + 1];
    static plx__operand operands[MOST_INPUTS];
    const plx_op *op = op_named(from->op);
    if (!op || from->inputs_count > MOST_INPUTS) return PLX_ERR_UNSUPPORTED;
    plx__step step = {.op = op,
                      .attrs = attrs_of(op, from),
                      .in_count = from->inputs_count,
                      .in = operands,
                      .threads = from->threads,
                      .workspace = e->workspace,
                      .number = &e->runs};
    for (int k = 0; k < from->inputs_count; ++k)
        operands[k] = operand_of(e, &from->inputs[k], &slots[k]);
    step.out = operand_of(e, &from->output, &slots[MOST_INPUTS]);
    return op->run(e->ctx, &step);
}

static plx_status run_table(executor *e) {
    plx_status status = PLX_OK;
    for (int i = 0; i < e->table.steps_count && status == PLX_OK; ++i)
        if (!e->runs || !e->table.steps[i].once) status = run_step(e, &e->table.steps[i]);
    e->runs += 1;
    return status;
}

static const plx_real *output_of(const executor *e, int i) {
    assert(e->table.outputs);
    const plx_operand *output = &e->table.outputs[i];
    return output->buffer < 0 ? NULL : (void *)((char *)e->data[output->buffer] + output->offset);
}

/* ---- What the table promises ----------------------------------------------------------------- */

static int64_t bytes_of(const plx_operand *operand) {
    return plx__product(operand->rank, operand->dims) * (int64_t)plx__element_bytes(operand->dtype);
}

static bool is_within(const plx_plan_table *table, const plx_operand *operand) {
    return operand->buffer < table->buffers_count && operand->offset >= 0 &&
           operand->offset + bytes_of(operand) <= table->buffers[operand->buffer].bytes;
}

static bool overlaps(const plx_operand *a, const plx_operand *b) {
    return a->buffer == b->buffer && a->offset < b->offset + bytes_of(b) &&
           b->offset < a->offset + bytes_of(a);
}

static void check_table(plx_check *t, const plx_plan_table *table, const plx_plan_options *options,
                        const char *what) {
    for (int i = 0; i < table->buffers_count; ++i)
        CHECK(t, !options->largest_buffer || table->buffers[i].bytes <= options->largest_buffer,
              "%s: buffer %d has %lld bytes", what, i, (long long)table->buffers[i].bytes);
    for (int s = 0; s < table->steps_count; ++s) {
        const plx_step *step = &table->steps[s];
        const plx_operand *out = &step->output;
        bool ok =
            out->buffer < 0 || (is_within(table, out) && out->offset % options->alignment == 0);
        for (int k = 0; k < step->inputs_count; ++k) {
            const plx_operand *in = &step->inputs[k];
            const bool in_place = in->offset == out->offset && bytes_of(in) == bytes_of(out);
            ok = ok && in->buffer >= 0 && is_within(table, in) &&
                 (out->buffer < 0 || !overlaps(in, out) || in_place);
        }
        CHECK(t, ok, "%s: step %d, %s, has an operand out of place", what, s, step->op);
    }
}

/* The smallest limit that every buffer of the table meets, if each value had a slab to itself. */
static int64_t least_limit(const plx_plan_table *table, int64_t alignment) {
    int64_t most = 1;
    for (int i = 0; i < table->buffers_count; ++i)
        if (table->buffers[i].kind != PLX_BUFFER_SLAB)
            most = plx__most(most, table->buffers[i].bytes);
    for (int s = 0; s < table->steps_count; ++s)
        most = plx__most(most, bytes_of(&table->steps[s].output));
    return plx__round_up(most, alignment);
}

static int slabs_of(const plx_plan_table *table) {
    int slabs = 0;
    for (int i = 0; i < table->buffers_count; ++i)
        slabs += table->buffers[i].kind == PLX_BUFFER_SLAB;
    return slabs;
}

/* ---- Models ---------------------------------------------------------------------------------- */

static plx_network_options options_of(const char *model, bool training) {
    return (plx_network_options){.model = model,
                                 .batch = 2,
                                 .training = training,
                                 .loss = PLX_LOSS_CROSS_ENTROPY,
                                 .seed = 5,
                                 .plan = plx_plan_default()};
}

static void check_weights(plx_check *t, const plx_network *a, const plx_network *b,
                          const char *what) {
    const plx_weights *left = plx_model_weights(a->model), *right = plx_model_weights(b->model);
    for (int i = 0; i < plx_weights_count(left); ++i) {
        const char *name;
        plx_tensor *x = plx_weights_at(left, i, &name, NULL);
        plx_tensor *y = plx_weights_at(right, i, NULL, NULL);
        CHECK(t,
              !memcmp(plx_tensor_data(x), plx_tensor_data(y),
                      (size_t)plx_tensor_size(x) * sizeof(plx_real)),
              "%s: weight %s has other bits", what, name);
    }
}

/* One network runs its plan, the other its table. */
static void compare_networks(plx_check *t, plx_ctx *ctx, const plx_network_options *options,
                             const char *what) {
    plx_network own, other;
    executor e = {0};
    plx_status status = plx_network_open(ctx, options, &own);
    const plx_status second = plx_network_open(ctx, options, &other);
    if (CHECK(t, status == PLX_OK && second == PLX_OK && open_executor(ctx, other.plan, &e),
              "%s: %s", what, plx_message(ctx))) {
        check_table(t, &e.table, &options->plan, what);
        status = plx_network_run(&own, RUNS);
        for (int i = 0; i < RUNS && status == PLX_OK; ++i) status = run_table(&e);
        CHECK(t, status == PLX_OK, "%s: %s", what, plx_message(ctx));
        const plx_operand *result = &e.table.outputs[0];
        CHECK(t, !memcmp(plx_network_result(&own), output_of(&e, 0), (size_t)bytes_of(result)),
              "%s: other bits", what);
        check_weights(t, &own, &other, what);
    }
    close_executor(&e);
    plx_network_free(&own);
    plx_network_free(&other);
}

/* With large alignment and the smallest possible slabs; smaller ones are refused. */
static void check_small_slabs(plx_check *t, plx_ctx *ctx, plx_network_options options,
                              const char *what) {
    plx_network network;
    plx_plan_table table = {0};
    plx_status status = plx_network_open(ctx, &options, &network);
    if (status == PLX_OK) status = plx_plan_describe(network.plan, &table);
    CHECK(t, status == PLX_OK && slabs_of(&table) <= 1, "%s: %s", what, plx_message(ctx));
    options.plan.alignment = 256;
    const int64_t limit = least_limit(&table, 256);
    plx_network_free(&network);
    options.plan.largest_buffer = limit;
    compare_networks(t, ctx, &options, what);
    options.plan.largest_buffer = limit - 256;
    char number[32];
    snprintf(number, sizeof number, "%lld", (long long)(limit - 256));
    CHECK(t,
          plx_network_open(ctx, &options, &network) == (limit > 256 ? PLX_ERR_MEMORY : PLX_OK) &&
              (limit == 256 || strstr(plx_message(ctx), number)),
          "%s: slabs that are too small: %s", what, plx_message(ctx));
    plx_network_free(&network);
}

static void check_model(plx_check *t, plx_ctx *ctx, const char *model) {
    for (int training = 0; training < 2; ++training) {
        char what[96];
        snprintf(what, sizeof what, "%s, %s", model, training ? "training" : "prediction");
        plx_network_options options = options_of(model, training);
        options.plan.alignment = 64;
        compare_networks(t, ctx, &options, what);
        check_small_slabs(t, ctx, options, what);
    }
}

/* ---- Random graphs --------------------------------------------------------------------------- */

static void check_random(plx_check *t, plx_ctx *ctx, uint64_t seed, plx_plan_options options) {
    plx_random_graph g[2];
    plx_plan *plans[2] = {NULL};
    executor e = {0};
    char what[64];
    snprintf(what, sizeof what, "graph %d, passes %d, slabs of %d", (int)seed, options.passes,
             (int)options.largest_buffer);
    bool ok = true;
    for (int i = 0; i < 2; ++i) {
        ok = plx_random_open(t, ctx, seed, &g[i]) && ok;
        if (!ok) continue;
        plx_status status =
            plx_compile(g[i].graph, g[i].outputs_count, g[i].outputs, &options, &plans[i]);
        if (status == PLX_OK) status = plx_random_bind(&g[i], plans[i]);
        ok = CHECK(t, status == PLX_OK, "%s: %s", what, plx_message(ctx)) && ok;
    }
    if (ok && CHECK(t, open_executor(ctx, plans[1], &e), "%s", plx_message(ctx))) {
        check_table(t, &e.table, &options, what);
        CHECK(t, !options.largest_buffer || slabs_of(&e.table) > 1, "%s: one slab", what);
        plx_status status = PLX_OK;
        for (int i = 0; i < RUNS && status == PLX_OK; ++i) status = plx_plan_run(plans[0]);
        for (int i = 0; i < RUNS && status == PLX_OK; ++i) status = run_table(&e);
        CHECK(t, status == PLX_OK, "%s: %s", what, plx_message(ctx));
        const plx_real *values[2][PLX_RANDOM_OUTPUTS];
        for (int k = 0; k < g[0].outputs_count; ++k) {
            values[0][k] = plx_plan_output(plans[0], g[0].outputs[k]);
            values[1][k] = output_of(&e, k);
        }
        plx_random_same(t, &g[0], &g[1], values[0], values[1], what);
    }
    close_executor(&e);
    for (int i = 0; i < 2; ++i) {
        plx_plan_free(plans[i]);
        plx_random_close(&g[i]);
    }
}

/* All of them in the build that is shipped; elsewhere, where they would take minutes, a small one.
 */
static void check_families(plx_check *t, plx_ctx *ctx) {
    int families = 0;
    char model[64];
    if (!PLX_AS_SHIPPED) check_model(t, ctx, "gpt2-nano:layers=1,width=32,heads=2,context=16");
    for (int i = 0; PLX_AS_SHIPPED && plx_model_name(i, model, sizeof model); ++i) {
        if (!strstr(model, "-nano")) continue;
        check_model(t, ctx, model);
        families += 1;
    }
    CHECK(t, !PLX_AS_SHIPPED || families >= 6, "%d families of models", families);
}

void plx_test_unit_plan_table(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 2);
    if (!ctx) return;
    for (uint64_t seed = 0; seed < 24; ++seed) {
        const int passes = seed % 3 ? PLX_PASS_ALL : (int)(seed / 3) * 2 % (PLX_PASS_ALL + 1);
        check_random(
            t, ctx, seed,
            (plx_plan_options){.passes = passes, .alignment = 64, .constant_parameters = seed & 1});
        check_random(t, ctx, seed,
                     (plx_plan_options){.passes = passes,
                                        .alignment = 256,
                                        .largest_buffer = 256 * (int64_t)sizeof(plx_real)});
    }
    check_model(t, ctx, "mlp:20-16-5");
    check_families(t, ctx);
    plx_ctx_free(ctx);
}
