/* parallax train */
#include "command.h"
#include "output.h"
#include "rows.h"
#include "training_data.h"

#include "base/platform.h"
#include "bench/harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t SLICE_NS = 50000000;

typedef struct train_arguments {
    const char *model, *optimizer, *csv;
    long long batch, epochs, rows;
    double rate;
} train_arguments;

typedef struct training {
    train_arguments asked;
    plx_ctx *ctx;
    training_data data;
    plx_model *model;
    plx_trainer *trainer;
    plx_trainer_options options;
    output out;
    progress progress;
    plx_progress at;
    int64_t train_ns;
    plx_metrics held_out;
    int64_t *confusion; /* [outputs, outputs], or NULL */
} training;

static int fail(const training *t) {
    return report(EXIT_FAILED, "%s", plx_message(t->ctx));
}

static const char *default_model(const training *t, char *text, size_t size) {
    if (!t->data.real || t->data.loss == PLX_LOSS_CROSS_ENTROPY) return t->data.model;
    /* A table has as many inputs as it has. */
    snprintf(text, size, "mlp:%lld-64-64-64-64-1", (long long)t->data.inputs);
    return text;
}

static int choose_optimizer(training *t) {
    static const plx_optimizer_kind kinds[] = {PLX_SGD, PLX_ADAM, PLX_ADAMW};
    const char *name = t->asked.optimizer ? t->asked.optimizer : "adam";
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; ++i) {
        if (strcmp(plx_optimizer_name(kinds[i]), name) != 0) continue;
        t->options.optimizer = plx_optimizer_default(kinds[i]);
        if (t->asked.rate > 0) t->options.optimizer.rate = t->asked.rate;
        return EXIT_DONE;
    }
    return wrong_usage("train", "--optimizer is sgd, adam or adamw, not \"%s\".", name);
}

static int64_t default_epochs(const training *t) {
    if (arguments.quick) return t->data.epochs / 5;
    return arguments.full ? t->data.epochs * 2 : t->data.epochs;
}

/* The trainer takes the data's widths on trust. */
static int check_widths(const training *t, const char *model) {
    const int64_t inputs = plx_model_input(t->model, 0).dims[0];
    const plx_port last = plx_model_output(t->model, 0);
    const int64_t outputs = last.dims[last.rank - 1];
    if (inputs == t->data.inputs && outputs == t->data.outputs) return EXIT_DONE;
    return report(EXIT_FAILED,
                  "model \"%s\" has %lld inputs and %lld outputs, but %s has %lld and %lld: write "
                  "mlp:%lld-...-%lld.",
                  model, (long long)inputs, (long long)outputs, t->data.name,
                  (long long)t->data.inputs, (long long)t->data.outputs, (long long)t->data.inputs,
                  (long long)t->data.outputs);
}

/* Model and trainer, from the arguments and what suits the data. */
static int prepare(training *t) {
    char name[64];
    const char *model = t->asked.model ? t->asked.model : default_model(t, name, sizeof name);
    if (plx_model_from_name(t->ctx, model, (uint64_t)arguments.seed, &t->model) != PLX_OK)
        return fail(t);
    t->options = plx_trainer_default();
    t->options.loss = t->data.loss;
    t->options.batch = t->asked.batch ? t->asked.batch : t->data.batch;
    if (!t->asked.batch && t->options.batch > t->data.train.n) t->options.batch = t->data.train.n;
    t->options.epochs = t->asked.epochs ? t->asked.epochs : default_epochs(t);
    t->options.shuffle = true;
    t->options.seed = (uint64_t)arguments.seed;
    int code = check_widths(t, model);
    if (code == EXIT_DONE) code = choose_optimizer(t);
    if (code != EXIT_DONE) return code;
    if (plx_trainer_new(t->model, &t->options, &t->data.train, &t->trainer) != PLX_OK)
        return fail(t);
    if (t->data.loss == PLX_LOSS_CROSS_ENTROPY)
        t->confusion = calloc((size_t)(t->data.outputs * t->data.outputs), sizeof *t->confusion);
    FILE *to = output_tables(&t->out);
    const plx_ctx_info info = plx_ctx_get_info(t->ctx);
    fprintf(to, "%s: %lld rows to train on, %lld held out (%s); %s, batch %lld, %s, %d thread%s\n",
            t->data.name, (long long)t->data.train.n, (long long)t->data.test.n,
            t->data.real ? t->data.source : "synthetic", model, (long long)t->options.batch,
            info.isa, info.threads, info.threads == 1 ? "" : "s");
    return EXIT_DONE;
}

static int evaluate(training *t) {
    if (t->confusion)
        memset(t->confusion, 0, (size_t)(t->data.outputs * t->data.outputs) * sizeof *t->confusion);
    if (plx_model_evaluate(t->model, 0, t->data.loss, &t->data.test, &t->held_out, t->confusion) ==
        PLX_OK)
        return EXIT_DONE;
    return fail(t);
}

/* ", R^2 0.9": of a target that does not vary there is none. */
static const char *r2_text(const training *t, char *text, size_t size) {
    snprintf(text, size, ", R^2 %.4f", t->held_out.r2);
    return isfinite(t->held_out.r2) ? text : ", no R^2: the target held out does not vary";
}

static void print_epoch(const training *t) {
    char text[32];
    FILE *to = output_tables(&t->out);
    fprintf(to, "epoch %3lld of %lld  loss %.5f  held out: ", (long long)t->at.epoch,
            (long long)t->at.epochs, t->at.epoch_loss);
    if (t->data.loss == PLX_LOSS_CROSS_ENTROPY)
        fprintf(to, "loss %.5f, accuracy %.2f%%", t->held_out.loss, 100 * t->held_out.accuracy);
    else
        fprintf(to, "RMSE %.4f%s", t->held_out.rmse * t->data.target_scale,
                r2_text(t, text, sizeof text));
    fprintf(to, "  %.2f s\n", (double)t->train_ns * 1e-9);
    fflush(to);
}

/* Trains about SLICE_NS, by as many steps as that took before. */
static int slice(training *t, int64_t *steps) {
    const int64_t start = plx_platform_now_ns();
    const int64_t before = t->at.step;
    if (plx_trainer_run(t->trainer, *steps, &t->at) != PLX_OK) return fail(t);
    const int64_t ns = plx_platform_now_ns() - start + 1;
    t->train_ns += ns;
    const double per_slice = (double)(t->at.step - before) * (double)SLICE_NS / (double)ns;
    *steps = per_slice < 1 ? 1 : (int64_t)per_slice;
    return EXIT_DONE;
}

static int train(training *t) {
    int64_t steps = 1, epoch = 0;
    t->progress = progress_start();
    while (!t->at.done && !interrupted()) {
        int code = slice(t, &steps);
        if (code == EXIT_DONE && t->at.epoch > epoch) {
            epoch = t->at.epoch;
            code = evaluate(t);
            progress_clear(&t->progress);
            if (code == EXIT_DONE) print_epoch(t);
        }
        if (code != EXIT_DONE) {
            progress_clear(&t->progress);
            return code;
        }
        progress_show(&t->progress, (double)t->at.step / (double)t->at.steps,
                      "epoch %lld of %lld, step %lld of %lld, loss %.5f",
                      (long long)t->at.epoch + !t->at.done, (long long)t->at.epochs,
                      (long long)t->at.step, (long long)t->at.steps, (double)t->at.loss);
    }
    progress_clear(&t->progress);
    return evaluate(t);
}

static void print_confusion(FILE *to, const training *t) {
    fprintf(to, "\nlabel   predicted\n     ");
    for (int64_t i = 0; i < t->data.outputs; ++i) fprintf(to, "%6lld", (long long)i);
    fputc('\n', to);
    for (int64_t i = 0; i < t->data.outputs; ++i) {
        fprintf(to, "%5lld", (long long)i);
        for (int64_t j = 0; j < t->data.outputs; ++j)
            fprintf(to, "%6lld", (long long)t->confusion[i * t->data.outputs + j]);
        fputc('\n', to);
    }
}

static int64_t samples_seen(const training *t) {
    const int64_t per_epoch = t->at.epochs ? t->at.steps / t->at.epochs : 0;
    const int64_t rest = per_epoch ? t->at.step - t->at.epoch * per_epoch : 0;
    return t->at.epoch * t->data.train.n + rest * t->options.batch;
}

static void print_memory(FILE *to, const training *t) {
    const plx_memory m = plx_trainer_memory(t->trainer);
    fprintf(to,
            "memory (bytes): parameters %lld, gradients %lld, optimizer %lld, activations %lld, "
            "workspace %lld, inputs %lld\n",
            (long long)m.parameters, (long long)m.gradients, (long long)m.optimizer,
            (long long)m.activations, (long long)m.workspace, (long long)m.inputs);
}

static void print_result(const training *t, const char *bits) {
    FILE *to = output_tables(&t->out);
    const double seconds = (double)t->train_ns * 1e-9;
    if (t->confusion) print_confusion(to, t);
    fprintf(to, "\n%lld steps in %.3f s, %.0f samples/s; losses' bits %s\n", (long long)t->at.step,
            seconds, (double)samples_seen(t) / seconds, bits);
    print_memory(to, t);
    if (t->data.loss == PLX_LOSS_CROSS_ENTROPY) {
        fprintf(to, "accuracy on the %lld held out: %.2f%%\n", (long long)t->data.test.n,
                100 * t->held_out.accuracy);
        return;
    }
    fprintf(to, "RMSE on the %lld held out: %.4f", (long long)t->data.test.n,
            t->held_out.rmse * t->data.target_scale);
    if (t->data.noise_floor > 0) fprintf(to, " (the noise alone is %.2f)", t->data.noise_floor);
    char text[32];
    fprintf(to, "%s\n", r2_text(t, text, sizeof text));
}

static bool write_row(training *t, const char *bits, const char *metric, const char *unit,
                      const char *better, double value) {
    cJSON *row = row_of_figure(t->ctx, "train", t->data.name, metric, unit, better, value);
    if (!row) return false;
    row_set(row, "parameters.batch", cJSON_CreateNumber((double)t->options.batch));
    row_set(row, "parameters.epochs", cJSON_CreateNumber((double)t->at.epoch));
    row_set(row, "parameters.rows", cJSON_CreateNumber((double)t->data.train.n));
    row_set(row, "parameters.optimizer",
            cJSON_CreateString(plx_optimizer_name(t->options.optimizer.kind)));
    row_set(row, "parameters.rate", cJSON_CreateNumber(t->options.optimizer.rate));
    row_set(row, "data.kind", cJSON_CreateString(t->data.real ? "real" : "synthetic"));
    row_set(row, "data.seed", cJSON_CreateNumber((double)arguments.seed));
    row_set(row, "data.source", cJSON_CreateString(t->data.source));
    if (*bits) {
        row_set(row, "checks.lossBits", cJSON_CreateString(bits));
        row_set(row, "checks.steps", cJSON_CreateNumber((double)t->at.step));
        row_set(row, "checks.lastLoss", cJSON_CreateNumber(t->at.loss));
    }
    return output_row(&t->out, row);
}

static bool write_rows(training *t, const char *bits) {
    const double seconds = (double)t->train_ns * 1e-9;
    bool ok =
        write_row(t, bits, "training time", "s", "lower", seconds) &&
        write_row(t, bits, "throughput", "samples/s", "higher", (double)samples_seen(t) / seconds);
    if (t->data.loss == PLX_LOSS_CROSS_ENTROPY)
        return ok && write_row(t, bits, "accuracy", "1", "higher", t->held_out.accuracy);
    ok = ok && write_row(t, bits, "rmse", "1", "lower", t->held_out.rmse * t->data.target_scale);
    return ok &&
           (!isfinite(t->held_out.r2) || write_row(t, bits, "r2", "1", "higher", t->held_out.r2));
}

static int finish(training *t) {
    plx_case *losses = calloc(1, sizeof *losses);
    int64_t count;
    const plx_real *values = plx_trainer_losses(t->trainer, &count);
    if (losses && count) plx__case_losses(losses, values, count);
    const char *bits = losses ? losses->checks.loss_bits : "";
    int code = EXIT_DONE;
    if (count) {
        print_result(t, bits);
        if (!write_rows(t, bits)) code = EXIT_FAILED;
    }
    free(losses);
    if (!interrupted()) return code;
    report(code, "stopped after step %lld of %lld.", (long long)t->at.step, (long long)t->at.steps);
    return EXIT_INTERRUPTED;
}

static int load(training *t, const char *name) {
    char message[4352];
    const uint64_t seed = (uint64_t)arguments.seed;
    const int64_t rows = t->asked.rows ? t->asked.rows : 10000;
    const bool ok = !strcmp(name, "mnist")
                        ? training_data_mnist(t->ctx, seed, &t->data, message, sizeof message)
                        : training_data_interp5d(t->ctx, rows, t->asked.csv, seed, &t->data,
                                                 message, sizeof message);
    return ok ? EXIT_DONE : report(EXIT_FAILED, "%s", message);
}

static int run(const train_arguments *asked, const char *name) {
    training t = {.asked = *asked};
    if (!output_open(&t.out)) return EXIT_FAILED;
    int code = open_context(&t.ctx, NULL);
    if (code == EXIT_DONE) code = load(&t, name);
    if (code == EXIT_DONE) code = prepare(&t);
    if (code == EXIT_DONE) code = train(&t);
    if (code == EXIT_DONE) code = finish(&t);
    if (!output_close(&t.out, code == EXIT_DONE || code == EXIT_INTERRUPTED)) code = EXIT_FAILED;
    plx_trainer_free(t.trainer);
    plx_model_free(t.model);
    free(t.confusion);
    training_data_free(&t.data);
    plx_ctx_free(t.ctx);
    return code;
}

static int check(const train_arguments *a, const char *name, const char *more) {
    if (!name) return wrong_usage("train", "say what on: mnist or interp5d.");
    if (more) return wrong_usage("train", "takes one name, but also got \"%s\".", more);
    const bool mnist = !strcmp(name, "mnist");
    if (!mnist && strcmp(name, "interp5d") != 0)
        return wrong_usage("train", "there is no data set \"%s\"; there are mnist and interp5d.",
                           name);
    if (mnist && (a->csv || a->rows))
        return wrong_usage("train", "--csv and --rows go with interp5d.");
    if (a->csv && a->rows) return wrong_usage("train", "--csv and --rows exclude each other.");
    return EXIT_DONE;
}

static int check_numbers(const train_arguments *a, bool batch, bool epochs, bool rate, bool rows) {
    if (rows && (a->rows < 5 || a->rows > 10000000))
        return wrong_usage("train", "--rows must be from 5 to 10000000, not %lld.", a->rows);
    if (batch && a->batch < 1)
        return wrong_usage("train", "--batch must be 1 or more, not %lld.", a->batch);
    if (epochs && (a->epochs < 1 || a->epochs > 1000000))
        return wrong_usage("train", "--epochs must be from 1 to 1000000, not %lld.", a->epochs);
    if (rate && !(a->rate > 0 && isfinite(a->rate)))
        return wrong_usage("train", "--rate must be a finite number above 0, not %g.", a->rate);
    return EXIT_DONE;
}

int cmd_train(int argc, const char **argv) {
    /* So that a 0 that was asked for can be told from none. */
    enum { NONE = -1000000007 };
    train_arguments a = {.batch = NONE, .epochs = NONE, .rate = NONE, .rows = NONE};
    const struct poptOption options[] = {
        {"model", 'm', POPT_ARG_STRING, &a.model, 0, "as \"mlp:784-200-10\"", "NAME"},
        {"epochs", 'e', POPT_ARG_LONGLONG, &a.epochs, 0, "passes over the data", "N"},
        {"batch", 'b', POPT_ARG_LONGLONG, &a.batch, 0, "rows per step", "N"},
        {"optimizer", 0, POPT_ARG_STRING, &a.optimizer, 0, "(default: adam)", "sgd|adam|adamw"},
        {"rate", 0, POPT_ARG_DOUBLE, &a.rate, 0, "learning rate (default: the optimizer's)", "X"},
        {"rows", 0, POPT_ARG_LONGLONG, &a.rows, 0, "interp5d: of the function (default: 10000)",
         "N"},
        {"csv", 0, POPT_ARG_STRING, &a.csv, 0,
         "interp5d: train on this table instead; the last column is the target", "FILE"},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, size_options, 0,
         "How much, unless --epochs says (a fifth, or twice the usual):", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, machine_options, 0, "Machine:", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, json_option, 0, "Output:", NULL},
        POPT_AUTOHELP POPT_TABLEEND};
    int code;
    poptContext parsed = parse_arguments(
        argc, argv, options, "[OPTIONS] mnist | interp5d",
        "Trains on 80% of the data and tests on the rest. mnist: the 10,000 images that\n"
        "PARALLAX_DATA has, 784-200-10. interp5d: a function of five variables with noise, or a\n"
        "table of your own.",
        &code);
    if (!parsed) return code;
    const char *name = poptGetArg(parsed);
    const bool batch = a.batch != NONE, epochs = a.epochs != NONE, rate = a.rate != NONE;
    const bool rows = a.rows != NONE;
    code = check_numbers(&a, batch, epochs, rate, rows);
    if (!rows) a.rows = 0;
    if (code == EXIT_DONE) code = check(&a, name, poptPeekArg(parsed));
    if (!batch) a.batch = 0;
    if (!epochs) a.epochs = 0;
    if (!rate) a.rate = 0;
    if (code == EXIT_DONE) {
        catch_interrupts();
        code = run(&a, name);
    }
    poptFreeContext(parsed);
    return code;
}
