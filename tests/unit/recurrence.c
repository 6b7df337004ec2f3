/* LSTM and GRU against their formulas in double precision, with masks, in both directions;
 * sequences in two halves; layers of them; and refusals. */
#include "check.h"

#include "nn/weights.h"

#include <math.h>
#include <string.h>

enum { BATCH = 3, TIME = 5, WIDTH = 4, UNITS = 7, GATES = 4 * UNITS };

/* Operands in the order of the builders; third: c0, or the recurrent bias. */
typedef struct operands {
    double x[BATCH][TIME][WIDTH], w[WIDTH][GATES], r[UNITS][GATES], bias[GATES];
    double h0[BATCH][UNITS], third[BATCH * GATES], mask[BATCH][TIME];
} operands;

typedef struct kind {
    const char *name;
    bool lstm, reset_after, reverse;
} kind;

static const kind kinds[] = {
    {"lstm", true, false, false},
    {"lstm reverse", true, false, true},
    {"gru", false, false, false},
    {"gru reverse", false, false, true},
    {"gru, reset after", false, true, false},
    {"gru, reset after, reverse", false, true, true},
};

static void fill(plx_rng *rng, size_t count, double *values, double scale) {
    for (size_t i = 0; i < count; ++i)
        values[i] = (double)(float)(scale * (2 * plx_rng_uniform(rng) - 1));
}

#define FILL(field, scale) fill(&rng, sizeof o->field / sizeof(double), (double *)o->field, scale)

static void make(operands *o) {
    plx_rng rng = plx_rng_new(11, 0);
    FILL(x, 1);
    FILL(w, 0.1);
    FILL(r, 0.1);
    FILL(bias, 0.1);
    FILL(h0, 1);
    FILL(third, 1);
    FILL(mask, 1); /* half of the steps count */
}

/* ---- The formulas ---------------------------------------------------------------------------- */

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

/* Column j of x w + bias, and of h r, where gates columns make a row of the weights. */
static double own_part(const operands *o, int b, int t, int j) {
    double sum = o->bias[j];
    for (int i = 0; i < WIDTH; ++i) sum += o->x[b][t][i] * o->w[i][j];
    return sum;
}

static double state_part(const operands *o, const double *h, int j) {
    double sum = 0;
    for (int i = 0; i < UNITS; ++i) sum += h[i] * o->r[i][j];
    return sum;
}

static void lstm_step(const operands *o, int b, int t, double *h, double *c) {
    double p[GATES];
    for (int j = 0; j < GATES; ++j) p[j] = own_part(o, b, t, j) + state_part(o, h, j);
    for (int j = 0; j < UNITS; ++j) {
        c[j] = sigmoid(p[UNITS + j]) * c[j] + sigmoid(p[j]) * tanh(p[2 * UNITS + j]);
        h[j] = sigmoid(p[3 * UNITS + j]) * tanh(c[j]);
    }
}

static void gru_step(const operands *o, bool after, int b, int t, double *h) {
    double z[UNITS], r[UNITS], reset[UNITS], n[UNITS];
    for (int j = 0; j < UNITS; ++j) {
        const int k = UNITS + j;
        z[j] = sigmoid(own_part(o, b, t, j) + state_part(o, h, j) + o->third[j]);
        r[j] = sigmoid(own_part(o, b, t, k) + state_part(o, h, k) + o->third[k]);
        reset[j] = r[j] * h[j];
    }
    for (int j = 0; j < UNITS; ++j) {
        const int k = 2 * UNITS + j;
        n[j] = tanh(own_part(o, b, t, k) + (after ? r[j] * (state_part(o, h, k) + o->third[k])
                                                  : state_part(o, reset, k) + o->third[k]));
    }
    for (int j = 0; j < UNITS; ++j) h[j] = (1 - z[j]) * n[j] + z[j] * h[j];
}

static void expect(const operands *o, const kind *k, double y[BATCH][TIME][UNITS],
                   double cell[BATCH][UNITS]) {
    for (int b = 0; b < BATCH; ++b) {
        double h[UNITS], *c = cell[b];
        memcpy(h, o->h0[b], sizeof h);
        memcpy(c, o->third + b * UNITS, sizeof h);
        for (int s = 0; s < TIME; ++s) {
            const int t = k->reverse ? TIME - 1 - s : s;
            if (o->mask[b][t] > 0 && k->lstm) lstm_step(o, b, t, h, c);
            if (o->mask[b][t] > 0 && !k->lstm) gru_step(o, k->reset_after, b, t, h);
            memcpy(y[b][t], h, sizeof h);
        }
    }
}

/* ---- The operations -------------------------------------------------------------------------- */

static plx_node tensor_of(plx_check *t, plx_graph *graph, plx_ctx *ctx, int rank,
                          const int64_t *dims, int64_t row, const double *values) {
    plx_tensor *tensor = NULL;
    CHECK(t, plx_tensor_new(ctx, PLX_DTYPE_REAL, rank, dims, &tensor) == PLX_OK, "%s",
          plx_message(ctx));
    plx_real *data = plx_tensor_data(tensor);
    const int64_t columns = dims[rank - 1];
    for (int64_t i = 0; i < plx_tensor_size(tensor); ++i)
        data[i] = (plx_real)values[i / columns * row + i % columns];
    const plx_node node = plx_parameter(graph, NULL, tensor);
    plx_tensor_free(tensor);
    return node;
}

#define D(...) ((const int64_t[]){__VA_ARGS__})
#define TENSOR(rank, dims, row, values)                                                            \
    tensor_of(t, graph, ctx, rank, dims, row, (const double *)(values))

/* The errors of 11 products of numbers up to 0.1, 12 eps of their sum, pass through slopes below 1
 * and 5 steps, each of which passes on at most 0.7 of them and keeps those of the cell: below 100
 * eps. */
static void matches(plx_check *t, plx_ctx *ctx, const operands *o, const kind *k) {
    const double eps = sizeof(plx_real) == sizeof(double) ? 1e-15 : 1.2e-7;
    const int64_t gates = (k->lstm ? 4 : 3) * UNITS;
    double y[BATCH][TIME][UNITS], cell[BATCH][UNITS];
    plx_graph *graph = NULL;
    plx_plan *plan = NULL;
    plx_graph_new(ctx, &graph);
    const plx_node x = TENSOR(3, D(BATCH, TIME, WIDTH), WIDTH, o->x);
    const plx_node w = TENSOR(2, D(WIDTH, gates), GATES, o->w);
    const plx_node r = TENSOR(2, D(UNITS, gates), GATES, o->r);
    const plx_node bias = TENSOR(1, D(gates), 0, o->bias);
    const plx_node h0 = TENSOR(2, D(BATCH, UNITS), UNITS, o->h0);
    const plx_node mask = TENSOR(2, D(BATCH, TIME), TIME, o->mask);
    plx_node results[2] = {plx_none(), plx_none()};
    if (k->lstm) {
        const plx_node c0 = TENSOR(2, D(BATCH, UNITS), UNITS, o->third);
        results[0] = plx_lstm(graph, x, w, r, bias, h0, c0, mask, k->reverse, &results[1]);
    } else {
        const plx_node own = TENSOR(1, D(gates), 0, o->third);
        results[0] = plx_gru(graph, x, w, r, bias, own, h0, mask, k->reverse, k->reset_after);
    }
    plx_status status = plx_compile(graph, k->lstm ? 2 : 1, results, NULL, &plan);
    if (status == PLX_OK) status = plx_plan_run(plan);
    if (CHECK(t, status == PLX_OK, "%s: %s", k->name, plx_message(ctx))) {
        expect(o, k, y, cell);
        const plx_real *found = plx_plan_output(plan, results[0]);
        double worst = 0;
        for (int i = 0; i < BATCH * TIME * UNITS; ++i)
            worst = fmax(worst, fabs((double)found[i] - (&y[0][0][0])[i]));
        for (int i = 0; k->lstm && i < BATCH * UNITS; ++i)
            worst =
                fmax(worst, fabs((double)plx_plan_output(plan, results[1])[i] - (&cell[0][0])[i]));
        CHECK(t, worst < 100 * eps, "%s: off by %g", k->name, worst);
    }
    plx_plan_free(plan);
    plx_graph_free(graph);
}

/* The second half continues from the state and the cell that the first one leaves, to the last bit.
 */
static void continues(plx_check *t, plx_ctx *ctx, const operands *o) {
    enum { FIRST = 3 };
    plx_graph *graph = NULL;
    plx_plan *plan = NULL;
    plx_graph_new(ctx, &graph);
    const plx_node x = TENSOR(3, D(BATCH, TIME, WIDTH), WIDTH, o->x);
    const plx_node w = TENSOR(2, D(WIDTH, GATES), GATES, o->w);
    const plx_node r = TENSOR(2, D(UNITS, GATES), GATES, o->r);
    const plx_node n = plx_none();
    plx_node cell, ys[2];
    ys[0] = plx_lstm(graph, x, w, r, n, n, n, n, false, NULL);
    const plx_node first =
        plx_lstm(graph, plx_slice(graph, x, 1, 0, FIRST, 1), w, r, n, n, n, n, false, &cell);
    const plx_node h =
        plx_reshape(graph, plx_slice(graph, first, 1, FIRST - 1, FIRST, 1), 2, D(BATCH, UNITS));
    ys[1] =
        plx_lstm(graph, plx_slice(graph, x, 1, FIRST, TIME, 1), w, r, n, h, cell, n, false, NULL);
    plx_status status = plx_compile(graph, 2, ys, NULL, &plan);
    if (status == PLX_OK) status = plx_plan_run(plan);
    if (CHECK(t, status == PLX_OK, "%s", plx_message(ctx)))
        for (int b = 0; b < BATCH; ++b)
            CHECK(t,
                  !memcmp(plx_plan_output(plan, ys[0]) + (b * TIME + FIRST) * UNITS,
                          plx_plan_output(plan, ys[1]) + b * (TIME - FIRST) * UNITS,
                          (TIME - FIRST) * UNITS * sizeof(plx_real)),
                  "sample %d continues with other bits", b);
    plx_plan_free(plan);
    plx_graph_free(graph);
}

/* ---- Layers ---------------------------------------------------------------------------------- */

static const plx_weights *weights_of(plx_check *t, plx_ctx *ctx, const plx_layer *layer,
                                     plx_model **model) {
    plx_status status = plx_model_new(ctx, 2, D(6, 20), 3, model);
    if (status == PLX_OK) status = plx_model_add(*model, layer);
    CHECK(t, status == PLX_OK, "%s", plx_message(ctx));
    return plx_model_weights(*model);
}

/* Rows of length 1 at right angles: products of them err by what rounding 17 rows in turn leaves.
 */
static void begins_orthogonal(plx_check *t, const plx_weights *weights, const char *name) {
    plx_tensor *r = plx_weights_find(weights, name);
    if (!CHECK(t, r != NULL, "no weight %s", name)) return;
    const int64_t rows = plx_tensor_dims(r)[0], columns = plx_tensor_dims(r)[1];
    const plx_real *data = plx_tensor_data(r);
    double worst = 0;
    for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j <= i; ++j) {
            double sum = 0;
            for (int64_t k = 0; k < columns; ++k)
                sum += (double)data[i * columns + k] * (double)data[j * columns + k];
            worst = fmax(worst, fabs(sum - (i == j)));
        }
    CHECK(t, worst < 1e-5, "%s: products of rows differ by %g", name, worst);
}

static void begins_like_keras(plx_check *t, plx_ctx *ctx) {
    enum { N = 17 };
    plx_model *model = NULL;
    const plx_layer lstm = {.kind = PLX_LAYER_LSTM, .units = N, .l2 = 0.5};
    const plx_weights *w = weights_of(t, ctx, &lstm, &model);
    begins_orthogonal(t, w, "lstm_1.recurrent_weight");
    plx_tensor *bias = plx_weights_find(w, "lstm_1.bias");
    for (int i = 0; bias && i < 4 * N; ++i)
        CHECK(t, ((plx_real *)plx_tensor_data(bias))[i] == (i >= N && i < 2 * N), "bias %d", i);
    plx_tensor *kernel = plx_weights_find(w, "lstm_1.weight");
    double largest = 0; /* Glorot's limit is sqrt(6 / (20 + 68)) */
    for (int i = 0; kernel && i < 20 * 4 * N; ++i)
        largest = fmax(largest, fabs((double)((plx_real *)plx_tensor_data(kernel))[i]));
    CHECK(t, largest > 0.25 && largest < 0.2612, "the kernel begins within %g", largest);
    for (int i = 0; i < w->count; ++i)
        CHECK(t, w->list[i].l2 == (w->list[i].tensor == kernel ? 0.5 : 0), "penalty of %s",
              w->list[i].name);
    plx_model_free(model);
    const plx_layer gru = {.kind = PLX_LAYER_GRU, .units = N, .frozen = true};
    const plx_layer both = {.kind = PLX_LAYER_BIDIRECTIONAL, .layers = &gru, .layers_count = 1};
    model = NULL;
    w = weights_of(t, ctx, &both, &model);
    begins_orthogonal(t, w, "bidirectional_1.backward.recurrent_weight");
    CHECK(t, w->count == 8, "%d weights", w->count);
    for (int i = 0; i < w->count; ++i)
        CHECK(t, w->list[i].frozen, "%s is not frozen", w->list[i].name);
    plx_model_free(model);
}

/* More rows than columns: the columns are at right angles. */
static void begins_tall(plx_check *t, plx_ctx *ctx) {
    plx_tensor *tensor = NULL;
    plx_rng rng = plx_rng_new(5, 0);
    plx_tensor_new(ctx, PLX_DTYPE_REAL, 2, D(9, 2), &tensor);
    CHECK(t, plx_tensor_init(tensor, PLX_INIT_ORTHOGONAL, 0, &rng) == PLX_OK, "%s",
          plx_message(ctx));
    const plx_real *x = plx_tensor_data(tensor);
    double across = 0, along = 0;
    for (int i = 0; i < 9; ++i) {
        across += (double)x[2 * i] * (double)x[2 * i + 1];
        along += (double)x[2 * i] * (double)x[2 * i];
    }
    CHECK(t, fabs(across) < 1e-6 && fabs(along - 1) < 1e-6, "%g across, %g along", across, along);
    plx_tensor_free(tensor);
}

/* ---- Refusals -------------------------------------------------------------------------------- */

static const plx_layer dense = {.kind = PLX_LAYER_DENSE, .units = 2};
static const plx_layer no_units = {.kind = PLX_LAYER_GRU};

static const struct {
    plx_layer layer;
    const char *sentence;
} wrong_layers[] = {
    {{.kind = PLX_LAYER_LSTM}, "lstm_1: units must be from 1 to 2147483647, not 0"},
    {{.kind = PLX_LAYER_LSTM, .units = 2049}, "lstm_1: units must be from 1 to 2048, not 2049"},
    {{.kind = PLX_LAYER_GRU, .units = 2, .rate = 1}, "gru_1: rate must be 0 to below 1, not 1"},
    {{.kind = PLX_LAYER_BIDIRECTIONAL}, "at least one layer inside, not 0"},
    {{.kind = PLX_LAYER_BIDIRECTIONAL, .layers = &dense, .layers_count = 1},
     "bidirectional_1: it takes one layer, lstm or gru; it has 1, the first a dense"},
    {{.kind = PLX_LAYER_BIDIRECTIONAL, .layers = &no_units, .layers_count = 1},
     "bidirectional_1: forward: units must be from 1"},
    {{.kind = PLX_LAYER_CONV1D, .units = 2}, "conv1d_1: size must be from 1"},
    {{.kind = PLX_LAYER_CONV1D, .units = 2, .size = {3, 2}},
     "conv1d_1: windows of sequences have one size, stride and dilation, not 3 and 2"},
    {{.kind = PLX_LAYER_CONV1D, .units = 2, .size = {3, 3}, .causal = true, .same = true},
     "conv1d_1: only a conv1d can be causal, without same"},
    {{.kind = PLX_LAYER_CONV1D, .units = 2, .size = {9, 9}}, "conv1d_1: conv2d: "},
    {{.kind = PLX_LAYER_MAX_POOL1D, .causal = true}, "max_pool1d_1: only a conv1d can be causal"},
    {{.kind = PLX_LAYER_AVG_POOL1D, .size = {9, 9}}, "avg_pool1d_1: avg_pool2d: a window of 9"},
    {{.kind = PLX_LAYER_MAX_POOL2D}, "takes samples [height, width, channels], not [6, 20]"},
};

static void refuses_layers(plx_check *t, plx_ctx *ctx) {
    for (size_t i = 0; i < sizeof wrong_layers / sizeof *wrong_layers; ++i) {
        plx_model *model = NULL;
        plx_model_new(ctx, 2, D(6, 20), 3, &model);
        const plx_status status = plx_model_add(model, &wrong_layers[i].layer);
        CHECK(t,
              status != PLX_OK && strstr(plx_message(ctx), wrong_layers[i].sentence) &&
                  !plx_model_layers(model) && !plx_weights_count(plx_model_weights(model)),
              "layer %d: %s, \"%s\" lacks \"%s\"", (int)i, plx_status_name(status),
              plx_message(ctx), wrong_layers[i].sentence);
        plx_model_free(model);
    }
}

/* Shapes of x, w, r, h0 and mask of an lstm; of rank 0: not given. */
static const struct {
    int64_t x[3], w[2], r[2], h0[2], mask[2];
    const char *sentence;
} wrong_shapes[] = {
    {{2, 0, 4},
     {4, 8},
     {2, 8},
     {0},
     {0},
     "lstm: 0 steps of 2 units; there must be at least 1 step, and 1 to 2048 units"},
    {{2, 3, 5}, {4, 8}, {2, 8}, {0}, {0}, "dense: inner sizes differ, 5 vs 4; they must be equal"},
    {{2, 3, 4},
     {4, 8},
     {3, 12},
     {0},
     {0},
     "lstm: w has 8 columns, and r has 3 rows of 12; both must have 4 columns for each row of r"},
    {{2, 3, 4}, {4, 9}, {2, 9}, {0}, {0}, "lstm: w has 9 columns, and r has 2 rows of 9"},
    {{2, 3, 4},
     {4, 0},
     {0, 0},
     {0},
     {0},
     "lstm: 3 steps of 0 units; there must be at least 1 step, and 1 to 2048 units"},
    {{2, 3, 4}, {4, 8196}, {2049, 8196}, {0}, {0}, "lstm: 3 steps of 2049 units; there must be"},
    {{2, 3, 4},
     {4, 8},
     {2, 8},
     {3, 2},
     {0},
     "lstm: h0 has shape [3, 2]; it must be [batch, units]"},
    {{2, 3, 4},
     {4, 8},
     {2, 8},
     {0},
     {2, 4},
     "lstm: mask has shape [2, 4]; it must be [batch, time] or [batch, time, 1]"},
    {{1, (int64_t)(SIZE_MAX / 4 / sizeof(double)), 1},
     {1, 4},
     {1, 4},
     {0},
     {0},
     "more than memory can hold"},
};

static void refuses_shapes(plx_check *t, plx_ctx *ctx) {
    for (size_t i = 0; i < sizeof wrong_shapes / sizeof *wrong_shapes; ++i) {
        plx_graph *graph = NULL;
        plx_graph_new(ctx, &graph);
#define INPUT(rank, dims) plx_input(graph, NULL, PLX_DTYPE_REAL, rank, wrong_shapes[i].dims)
        const plx_node none = plx_none();
        const plx_node h0 = wrong_shapes[i].h0[0] ? INPUT(2, h0) : none;
        const plx_node mask = wrong_shapes[i].mask[0] ? INPUT(2, mask) : none;
        plx_node cell = {7};
        const plx_node y = plx_lstm(graph, INPUT(3, x), INPUT(2, w), INPUT(2, r), none, h0, none,
                                    mask, false, &cell);
        CHECK(t,
              y.id < 0 && cell.id < 0 && plx_graph_status(graph) != PLX_OK &&
                  strstr(plx_message(ctx), wrong_shapes[i].sentence),
              "shapes %d: \"%s\" lacks \"%s\"", (int)i, plx_message(ctx), wrong_shapes[i].sentence);
        plx_graph_free(graph);
    }
}

void plx_test_unit_recurrent(plx_check *t) {
    static operands o;
    make(&o);
    for (int i = 0; plx_isa_name(i); ++i) {
        plx_ctx *ctx = plx_check_context(t, plx_isa_name(i), 1);
        if (!ctx) continue;
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; ++k) matches(t, ctx, &o, &kinds[k]);
        continues(t, ctx, &o);
        plx_ctx_free(ctx);
    }
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    if (!ctx) return;
    begins_like_keras(t, ctx);
    begins_tall(t, ctx);
    refuses_layers(t, ctx);
    refuses_shapes(t, ctx);
    plx_ctx_free(ctx);
}
