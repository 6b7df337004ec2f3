/* Task interp5d: a function of five variables with noise, or the last column of a table. */
#include "parallax_learn.h"

#include "bench/datasets.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 10000, GRID = 25, INPUTS = 5 };

static plx_status no_memory(plx_learning *l, int64_t rows) {
    return plx_fail(l->ctx, PLX_ERR_MEMORY, "interp5d: no memory for %lld rows", (long long)rows);
}

static plx_status split_function(plx_learning *l, plx_regression *data) {
    const int64_t rows = l->options.rows ? l->options.rows : ROWS;
    double *table = plx_alloc((size_t)rows * (INPUTS + 1) * sizeof *table);
    if (!table) return no_memory(l, rows);
    plx_interp5d_table(rows, l->options.seed, table);
    const plx_status status =
        plx_regression_new(l->ctx, table, rows, INPUTS, l->options.seed, data);
    plx_free(table);
    return status;
}

static plx_status open_task(plx_learning *l) {
    static const int epochs[] = {10, 50, 100};
    const plx_csv *table = l->options.table;
    if (table && table->columns < 2)
        return plx_fail(
            l->ctx, PLX_ERR_SHAPE,
            "interp5d: the table has %lld column; it needs inputs and, last, the target",
            (long long)table->columns);
    plx_regression *r = l->state = plx_alloc(sizeof *r);
    if (!r) return plx_fail(l->ctx, PLX_ERR_MEMORY, "interp5d: no memory");
    memset(r, 0, sizeof *r);
    const plx_status status = table ? plx_regression_new(l->ctx, table->values, table->rows,
                                                         table->columns - 1, l->options.seed, r)
                                    : split_function(l, r);
    if (status != PLX_OK) return status;
    l->train = (plx_dataset){.n = r->train, .inputs = {r->x_train}, .targets = {r->y_train}};
    l->test = (plx_dataset){.n = r->test, .inputs = {r->x_test}, .targets = {r->y_test}};
    snprintf(l->model_name, sizeof l->model_name, "mlp:%lld-64-64-64-64-1", (long long)r->inputs);
    l->trainer_options.loss = PLX_LOSS_MSE;
    l->trainer_options.batch = 256;
    l->trainer_options.epochs = epochs[l->options.size];
    l->data = (plx_learning_data){.real = table != NULL,
                                  .source = table ? l->options.source : "interp5d",
                                  .scales = r->scales,
                                  .columns = r->inputs + 1};
    if (table)
        l->data.note = table->names ? "its first line names the columns"
                                    : "its first line is a row of numbers, not of names";
    return PLX_OK;
}

static plx_status evaluate(plx_learning *l) {
    const plx_regression *r = l->state;
    const bool known = !l->options.table, quick = l->options.size == PLX_LEARNING_QUICK;
    plx_metrics metrics;
    const plx_status status = plx_learning_metrics(l, 0, &metrics);
    if (status != PLX_OK) return status;
    /* The noise of a table is unknown. */
    const bool usual = known && (!l->options.rows || l->options.rows >= ROWS);
    plx_learning_record(l, "rmse", "target units", "lower", metrics.rmse * r->target_scale,
                        usual ? (quick ? 3.5 : 1.25) * PLX_INTERP5D_NOISE : NAN);
    plx_learning_record(l, "r2", "1", "higher", metrics.r2, usual ? (quick ? 0.75 : 0.95) : NAN);
    if (known)
        plx_learning_record(l, "noise floor", "target units", "none", PLX_INTERP5D_NOISE, NAN);
    return PLX_OK;
}

/* ---- Exhibits: slices through the function ----------------------------------------------------
 */

static double coordinate(int64_t i) {
    return 2 * (double)i / (GRID - 1) - 1;
}

/* Points of a grid over columns a and b, the others being 0. */
static void fill_points(int a, int b, int64_t i, int64_t j, double *x) {
    for (int c = 0; c < INPUTS; ++c) x[c] = 0;
    x[a] = coordinate(i);
    x[b] = coordinate(j);
}

static plx_status predict_slice(plx_learning *l, int a, int b, plx_real *values) {
    const plx_regression *r = l->state;
    plx_real *points = plx_alloc(sizeof *points * GRID * GRID * INPUTS);
    if (!points) return no_memory(l, (int64_t)GRID * GRID);
    for (int64_t p = 0; p < (int64_t)GRID * GRID; ++p) {
        double x[INPUTS];
        fill_points(a, b, p / GRID, p % GRID, x);
        for (int c = 0; c < INPUTS; ++c)
            points[p * INPUTS + c] = (plx_real)((x[c] - r->scales[2 * c]) / r->scales[2 * c + 1]);
    }
    const plx_dataset data = {.n = (int64_t)GRID * GRID, .inputs = {points}};
    const plx_status status = plx_model_predict(l->model, &data, 0, &values);
    for (int64_t p = 0; status == PLX_OK && p < (int64_t)GRID * GRID; ++p)
        values[p] =
            (plx_real)((double)values[p] * r->scales[2 * INPUTS + 1] + r->scales[2 * INPUTS]);
    plx_free(points);
    return status;
}

static plx_exhibit *show_slice(plx_learning *l, const char *name, int a, int b) {
    static const char *const titles[] = {"x1", "x2", "x3", "x4", "x5"};
    plx_exhibit *shown = plx_learning_show(l, PLX_EXHIBIT_MATRIX, name, 1, GRID, GRID, 1, GRID);
    if (!shown) return NULL;
    shown->row_title = titles[a];
    shown->column_title = titles[b];
    shown->square = true;
    for (int64_t i = 0; i < GRID; ++i)
        snprintf(shown->labels[i], sizeof shown->labels[i], "%.2f", coordinate(i));
    return shown;
}

static plx_status show_slices(plx_learning *l, const char *const names[3], int a, int b) {
    plx_exhibit *learnt = show_slice(l, names[0], a, b), *right = show_slice(l, names[1], a, b);
    plx_exhibit *difference = show_slice(l, names[2], a, b);
    if (!learnt || !right || !difference) return no_memory(l, (int64_t)GRID * GRID);
    const plx_status status = predict_slice(l, a, b, learnt->values);
    for (int64_t p = 0; status == PLX_OK && p < (int64_t)GRID * GRID; ++p) {
        double x[INPUTS];
        fill_points(a, b, p / GRID, p % GRID, x);
        right->values[p] = (plx_real)plx_interp5d_function(x);
        difference->values[p] = learnt->values[p] - right->values[p];
    }
    return status;
}

static plx_status exhibit(plx_learning *l) {
    static const char *const first[] = {"learnt function over x1 and x2",
                                        "true function over x1 and x2",
                                        "learnt less true over x1 and x2"};
    static const char *const second[] = {"learnt function over x3 and x4",
                                         "true function over x3 and x4",
                                         "learnt less true over x3 and x4"};
    if (l->options.table) return PLX_OK;
    const plx_status status = show_slices(l, first, 0, 1);
    return status == PLX_OK ? show_slices(l, second, 2, 3) : status;
}

static void close_task(plx_learning *l) {
    if (l->state) plx_regression_free(l->state);
    plx_free(l->state);
}

const plx_task plx__task_interp5d = {
    .name = "interp5d",
    .description = "A function of five variables with noise, or a table of your own",
    .takes = "table",
    .work = {6.3e9, 3.1e10},
    .open = open_task,
    .evaluate = evaluate,
    .exhibit = exhibit,
    .close = close_task,
};
