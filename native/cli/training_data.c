#include "training_data.h"

#include "read_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool failed(plx_ctx *ctx, char *message, size_t bytes, const char *what) {
    snprintf(message, bytes, "%s%s%s", what, *what ? ": " : "", plx_message(ctx));
    return false;
}

bool training_data_mnist(plx_ctx *ctx, uint64_t seed, training_data *out, char *message,
                         size_t message_bytes) {
    *out = (training_data){.name = "mnist",
                           .model = "mlp:784-200-10",
                           .loss = PLX_LOSS_CROSS_ENTROPY,
                           .batch = 64,
                           .epochs = 20,
                           .real = true};
    switch (digits_load(ctx, &out->files, message, message_bytes)) {
    case DIGITS_FAILED: return false;
    case DIGITS_UNNAMED:
        snprintf(message, message_bytes,
                 "training on mnist needs its files: set PARALLAX_DATA to the folder with "
                 "t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte (.gz or not).");
        return false;
    case DIGITS_FOUND: break;
    }
    snprintf(out->source, sizeof out->source, "%s", out->files.digits.source);
    plx_digits *d = &out->digits;
    if (plx_digits_new(ctx, &out->files.digits, seed, d) != PLX_OK)
        return failed(ctx, message, message_bytes, "");
    out->train = (plx_dataset){.n = d->train, .inputs = {d->x_train}, .targets = {d->labels_train}};
    out->test = (plx_dataset){.n = d->test, .inputs = {d->x_test}, .targets = {d->labels_test}};
    out->inputs = d->pixels;
    out->outputs = d->classes;
    return true;
}

/* The table of a CSV file; csv->values is the caller's to free. */
static bool read_table(plx_ctx *ctx, const char *name, plx_csv *csv, char *message,
                       size_t message_bytes) {
    char *bytes;
    size_t size;
    if (!read_file(name, &bytes, &size, message, message_bytes)) return false;
    const plx_status status = plx_csv_parse(ctx, bytes, size, csv);
    free(bytes);
    if (status != PLX_OK) return failed(ctx, message, message_bytes, name);
    if (csv->columns >= 2) return true;
    snprintf(message, message_bytes,
             "\"%s\" has %lld column: it needs inputs and, last, the target.", name,
             (long long)csv->columns);
    plx_csv_free(csv);
    return false;
}

static bool split(plx_ctx *ctx, const plx_real *table, int64_t rows, int64_t inputs, uint64_t seed,
                  training_data *out, char *message, size_t message_bytes) {
    plx_regression *r = &out->regression;
    if (plx_regression_new(ctx, table, rows, inputs, seed, r) != PLX_OK)
        return failed(ctx, message, message_bytes, "");
    out->train = (plx_dataset){.n = r->train, .inputs = {r->x_train}, .targets = {r->y_train}};
    out->test = (plx_dataset){.n = r->test, .inputs = {r->x_test}, .targets = {r->y_test}};
    out->inputs = inputs;
    out->outputs = 1;
    out->target_scale = r->target_scale;
    return true;
}

bool training_data_interp5d(plx_ctx *ctx, int64_t rows, const char *csv_name, uint64_t seed,
                            training_data *out, char *message, size_t message_bytes) {
    *out = (training_data){.name = "interp5d",
                           .model = "mlp:5-64-64-64-64-1",
                           .loss = PLX_LOSS_MSE,
                           .batch = 256,
                           .epochs = 50,
                           .real = csv_name != NULL};
    if (csv_name) {
        plx_csv csv;
        if (!read_table(ctx, csv_name, &csv, message, message_bytes)) return false;
        const char *slash = strrchr(csv_name, '/');
        snprintf(out->source, sizeof out->source, "%s", slash ? slash + 1 : csv_name);
        const bool ok =
            split(ctx, csv.values, csv.rows, csv.columns - 1, seed, out, message, message_bytes);
        plx_csv_free(&csv);
        return ok;
    }
    snprintf(out->source, sizeof out->source, "interp5d");
    plx_real *table = malloc((size_t)rows * 6 * sizeof *table);
    if (!table) {
        snprintf(message, message_bytes, "there is not enough memory for %lld rows.",
                 (long long)rows);
        return false;
    }
    plx_interp5d_table(rows, seed, table);
    out->noise_floor = PLX_INTERP5D_NOISE;
    const bool ok = split(ctx, table, rows, 5, seed, out, message, message_bytes);
    free(table);
    return ok;
}

void training_data_free(training_data *data) {
    plx_digits_free(&data->digits);
    plx_regression_free(&data->regression);
    digits_free(&data->files);
    *data = (training_data){0};
}
