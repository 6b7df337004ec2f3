/* parallax train */
#include "training.h"

#include "base/platform.h"
#include "bench/harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t SLICE_NS = 50000000;

typedef struct train_arguments {
    const char *model, *optimizer, *schedule, *csv, *text;
    long long batch, epochs, steps, rows, accumulate, patience, warmup;
    double rate, clip, weight_decay, label_smoothing;
} train_arguments;

/* So that a 0 that was asked for can be told from none. */
enum { NONE = -1000000007 };

static bool given(double value) {
    return value != NONE;
}

static int fail(const training *t) {
    return report(EXIT_FAILED, "%s", plx_message(t->ctx));
}

/* ---- Before ---------------------------------------------------------------------------------- */

/* The best of a few looks at a few milliseconds of pure arithmetic each. */
static double measure_peak(plx_ctx *ctx) {
    int64_t rounds = 1000;
    double best = 0;
    for (int look = 0; look < 5;) {
        const int64_t start = plx_platform_now_ns();
        const double operations = plx_peak(ctx, 0, rounds);
        const int64_t ns = plx_platform_now_ns() - start;
        if (ns < 2000000) {
            rounds *= 2;
            continue;
        }
        best = fmax(best, operations / (double)ns);
        look += 1;
    }
    return best;
}

static int task_number(const char *name) {
    for (int i = 0; plx_learning_task(i); ++i)
        if (!strcmp(plx_learning_task(i), name)) return i;
    return -1;
}

/* With a file it may be that one which does not fit. */
static int refuse(const training *t, plx_status status) {
    const plx_learning_options *o = &t->options;
    const bool digits = !strcmp(plx_learning_task_takes(task_number(t->task)), "digits");
    return o->text || o->table || digits ? fail(t) : report_status(t->ctx, status);
}

static int load(training *t, const train_arguments *a) {
    char message[4352];
    const char *takes = plx_learning_task_takes(task_number(t->task));
    bool ok = true;
    if (!strcmp(takes, "digits"))
        ok = training_data_digits(t->ctx, &t->data, &t->options, message, sizeof message);
    else if (a->text)
        ok = training_data_text(&t->data, a->text, &t->options, message, sizeof message);
    else if (a->csv)
        ok = training_data_table(t->ctx, &t->data, a->csv, &t->options, message, sizeof message);
    return ok ? EXIT_DONE : report(EXIT_FAILED, "%s", message);
}

static int prepare(training *t) {
    const plx_status status = plx_learning_named(t->ctx, t->task, &t->options, &t->learning);
    if (status != PLX_OK) return refuse(t, status);
    t->recipe = plx_learning_recipe(t->learning);
    t->about = plx_learning_about(t->learning);
    t->peak = measure_peak(t->ctx);
    FILE *to = output_tables(&t->out);
    const plx_ctx_info info = plx_ctx_get_info(t->ctx);
    const char *source = t->about.source ? t->about.source : "";
    fprintf(to,
            "%s: %lld %s to train on, %lld held out (%s%s%s); %s, batch %lld, %s, %d thread%s\n",
            t->task, (long long)t->about.train, t->about.tokens ? "windows" : "rows",
            (long long)t->about.test, t->about.real ? "" : "synthetic",
            !t->about.real && *source ? ": " : "", source, plx_learning_model_name(t->learning),
            (long long)t->recipe.batch, info.isa, info.threads, info.threads == 1 ? "" : "s");
    if (*t->about.note) fprintf(to, "%s: %s\n", source, t->about.note);
    return EXIT_DONE;
}

/* ---- Training -------------------------------------------------------------------------------- */

static int evaluate(training *t) {
    return plx_learning_evaluate(t->learning) == PLX_OK ? EXIT_DONE : fail(t);
}

/* By its own words an epoch at a time, or by steps. */
static bool counts_epochs(const training *t) {
    return !t->recipe.steps;
}

static void print_epoch(const training *t) {
    FILE *to = output_tables(&t->out);
    char *text = measures_text(t, false);
    fprintf(to, "epoch %3lld of %lld  loss %.5f  held out: %s  %.2f s\n", (long long)t->at.epoch,
            (long long)t->at.epochs, t->at.epoch_loss, text, (double)t->train_ns * 1e-9);
    free(text);
    fflush(to);
}

static void print_step(const training *t) {
    FILE *to = output_tables(&t->out);
    fprintf(to, "step %6lld of %lld  loss %.5f  %.2f s\n", (long long)t->at.step,
            (long long)t->at.steps, (double)t->at.loss, (double)t->train_ns * 1e-9);
    fflush(to);
}

/* Trains about SLICE_NS, by as many steps as that took before. */
static int slice(training *t, int64_t *steps) {
    const int64_t start = plx_platform_now_ns(), before = t->at.step;
    plx_trainer *trainer = plx_learning_trainer(t->learning);
    const plx_status status = plx_trainer_run(trainer, *steps, &t->at);
    const int64_t ns = plx_platform_now_ns() - start + 1;
    t->train_ns += ns;
    if (status == PLX_ERR_DIVERGED) {
        t->diverged = true;
        snprintf(t->divergence, sizeof t->divergence, "%s", plx_message(t->ctx));
        return EXIT_DONE;
    }
    if (status != PLX_OK) return fail(t);
    const double per_slice = (double)(t->at.step - before) * (double)SLICE_NS / (double)ns;
    *steps = per_slice < 1 ? 1 : (int64_t)per_slice;
    return EXIT_DONE;
}

static void show_progress(training *t) {
    const double seconds = (double)t->train_ns * 1e-9, samples = training_samples(t);
    const double gflops = training_gflops(t);
    char epoch[64] = "", tokens[48] = "";
    if (counts_epochs(t))
        snprintf(epoch, sizeof epoch, "epoch %lld of %lld, ", (long long)t->at.epoch + !t->at.done,
                 (long long)t->at.epochs);
    if (t->about.tokens)
        snprintf(tokens, sizeof tokens, "%.0f tokens/s, ",
                 samples * (double)t->about.tokens / seconds);
    progress_show(&t->progress, (double)t->at.step / (double)t->at.steps,
                  "%sstep %lld of %lld, loss %.5f, %.0f samples/s, %s%.1f GFLOP/s (%.0f%% of peak)",
                  epoch, (long long)t->at.step, (long long)t->at.steps, (double)t->at.loss,
                  samples / seconds, tokens, gflops, 100 * gflops / t->peak);
}

/* Lines that stay: one for each epoch, or for each tenth of the steps. */
static int mark(training *t, int64_t *marks) {
    const int64_t now = counts_epochs(t) ? t->at.epoch
                        : t->at.steps    ? 10 * t->at.step / t->at.steps
                                         : 0;
    if (now <= *marks) return EXIT_DONE;
    *marks = now;
    int code = EXIT_DONE;
    if (counts_epochs(t)) code = evaluate(t);
    progress_clear(&t->progress);
    if (code != EXIT_DONE) return code;
    if (counts_epochs(t))
        print_epoch(t);
    else
        print_step(t);
    return EXIT_DONE;
}

static int train(training *t) {
    int64_t steps = 1, marks = 0;
    int code = EXIT_DONE;
    t->progress = progress_start();
    while (code == EXIT_DONE && !t->at.done && !t->diverged && !interrupted()) {
        code = slice(t, &steps);
        if (code == EXIT_DONE && !t->diverged) code = mark(t, &marks);
        if (code == EXIT_DONE && !t->diverged) show_progress(t);
    }
    progress_clear(&t->progress);
    return code;
}

/* ---- After ----------------------------------------------------------------------------------- */

static int show(training *t) {
    plx_case *losses = calloc(1, sizeof *losses);
    int64_t count;
    const plx_real *values = plx_trainer_losses(plx_learning_trainer(t->learning), &count);
    if (!losses || !count) {
        free(losses);
        return EXIT_DONE;
    }
    plx__case_losses(losses, values, count);
    int code = evaluate(t);
    if (code == EXIT_DONE && plx_learning_exhibit(t->learning) != PLX_OK) code = fail(t);
    if (code == EXIT_DONE) {
        print_result(t, losses->checks.loss_bits);
        if (!write_training_rows(t, losses->checks.loss_bits)) code = EXIT_FAILED;
    }
    free(losses);
    return code;
}

static int finish(training *t) {
    const int code = show(t);
    if (t->diverged) return report(EXIT_FAILED, "%s", t->divergence);
    if (!interrupted()) return code;
    report(code, "stopped after step %lld of %lld.", (long long)t->at.step, (long long)t->at.steps);
    return EXIT_INTERRUPTED;
}

static plx_learning_size size_asked(void) {
    return arguments.quick  ? PLX_LEARNING_QUICK
           : arguments.full ? PLX_LEARNING_FULL
                            : PLX_LEARNING_DEFAULT;
}

/* 0 where the library reads "as the task has it" becomes below 0, "none". */
static double or_none(double value) {
    return !given(value) ? 0 : value > 0 ? value : -1;
}

static int64_t count_of(long long value) {
    return value == NONE ? 0 : value;
}

/* ", sgd, adam" and so on. */
static const char optimizers[] =
#define PLX_OPTIMIZER(NAME, name, rate, beta1, beta2, epsilon, weight_decay) ", " name
#include "parallax.def"
    ;
static const char schedules[] =
#define PLX_SCHEDULE(NAME, name, about) ", " name
#include "parallax.def"
    ;

static int run(const train_arguments *a, const char *task) {
    training t = {.task = task,
                  .options = {
                      .model = a->model,
                      .size = size_asked(),
                      .seed = (uint64_t)arguments.seed,
                      .rows = count_of(a->rows),
                      .steps = count_of(a->steps),
                      .epochs = count_of(a->epochs),
                      .batch = count_of(a->batch),
                      .accumulate = count_of(a->accumulate),
                      .patience = count_of(a->patience),
                      .optimizer = a->optimizer,
                      .schedule = a->schedule,
                      .rate = given(a->rate) ? a->rate : 0,
                      .warmup = (int64_t)or_none((double)a->warmup),
                      .clip = or_none(a->clip),
                      .weight_decay = or_none(a->weight_decay),
                      .label_smoothing = or_none(a->label_smoothing),
                  }};
    if (!output_open(&t.out)) return EXIT_FAILED;
    int code = open_context(&t.ctx);
    if (code == EXIT_DONE) code = load(&t, a);
    if (code == EXIT_DONE) code = prepare(&t);
    if (code == EXIT_DONE) code = train(&t);
    if (code == EXIT_DONE) code = finish(&t);
    const bool keep = code == EXIT_DONE || code == EXIT_INTERRUPTED || (t.diverged && t.at.step);
    if (!output_close(&t.out, keep)) code = EXIT_FAILED;
    plx_learning_free(t.learning);
    training_data_free(&t.data);
    plx_ctx_free(t.ctx);
    return code;
}

/* ---- Arguments ------------------------------------------------------------------------------- */

static void list_tasks(FILE *to) {
    for (int i = 0; plx_learning_task(i); ++i)
        fprintf(to, "%-17s %s\n", plx_learning_task(i), plx_learning_task_description(i));
}

/* Names of tasks between commas; takes: only of those that learn from it (NULL: all). Free it. */
static char *task_names(const char *takes) {
    char *text = NULL;
    for (int i = 0; plx_learning_task(i); ++i)
        if (!takes || !strcmp(plx_learning_task_takes(i), takes))
            text_add(&text, "%s%s", text ? ", " : "", plx_learning_task(i));
    return text;
}

/* "OPTIONS go with TASK, TASK." */
static int wrong_task(const char *what, const char *takes) {
    char *known = task_names(takes);
    wrong_usage("train", "%s with %s.", what, known);
    free(known);
    return EXIT_USAGE;
}

static int check_name(const char *option, const char *value, const char *(*name)(int)) {
    char *known = NULL;
    bool found = !value;
    for (int i = 0; name(i) && !found; ++i) {
        found = !strcmp(name(i), value);
        text_add(&known, "%s%s", i ? ", " : "", name(i));
    }
    if (!found) wrong_usage("train", "--%s is one of %s, not \"%s\".", option, known, value);
    free(known);
    return found ? EXIT_DONE : EXIT_USAGE;
}

static const char *optimizer_name(int i) {
    return plx_optimizer_name((plx_optimizer_kind)i);
}

static const char *schedule_name(int i) {
    return plx_schedule_name((plx_schedule_kind)i);
}

static int check_task(const train_arguments *a, const char *name, const char *more) {
    if (more) return wrong_usage("train", "takes one task, but also got \"%s\".", more);
    const int task = task_number(name);
    if (task < 0) {
        char *known = task_names(NULL);
        wrong_usage("train", "there is no task \"%s\"; there are %s.", name, known);
        free(known);
        return EXIT_USAGE;
    }
    const char *takes = plx_learning_task_takes(task);
    if ((a->csv || a->rows != NONE) && strcmp(takes, "table") != 0)
        return wrong_task("--csv and --rows go", "table");
    if (a->text && strcmp(takes, "text") != 0) return wrong_task("--data goes", "text");
    if (a->csv && a->rows != NONE)
        return wrong_usage("train", "--csv and --rows cannot be combined: a table has its rows.");
    const char *const read[] = {a->csv, a->text};
    int code = check_outputs("train", 2, read);
    if (code == EXIT_DONE) code = check_name("optimizer", a->optimizer, optimizer_name);
    return code == EXIT_DONE ? check_name("schedule", a->schedule, schedule_name) : code;
}

static int check_count(const char *name, long long value, long long least, long long most) {
    if (value == NONE || (value >= least && value <= most)) return EXIT_DONE;
    if (most == INT32_MAX && value < least)
        return wrong_usage("train", "--%s must be %lld or more, not %lld.", name, least, value);
    return wrong_usage("train", "--%s must be from %lld to %lld, not %lld.", name, least, most,
                       value);
}

static int check_counts(const train_arguments *a) {
    const struct {
        const char *name;
        long long value, least, most;
    } counts[] = {
        {"rows", a->rows, 5, 10000000},          {"batch", a->batch, 1, INT32_MAX},
        {"epochs", a->epochs, 1, 1000000},       {"steps", a->steps, 1, INT32_MAX},
        {"accumulate", a->accumulate, 1, 65536}, {"patience", a->patience, 1, 1000000},
        {"warmup", a->warmup, 0, INT32_MAX},
    };
    int code = EXIT_DONE;
    for (size_t i = 0; i < sizeof counts / sizeof *counts && code == EXIT_DONE; ++i)
        code = check_count(counts[i].name, counts[i].value, counts[i].least, counts[i].most);
    return code;
}

static int check_numbers(const train_arguments *a) {
    const int code = check_counts(a);
    if (code != EXIT_DONE) return code;
    if (given(a->rate) && !(a->rate > 0 && isfinite(a->rate)))
        return wrong_usage("train", "--rate must be a finite number above 0, not %g.", a->rate);
    if (given(a->clip) && !(a->clip >= 0 && isfinite(a->clip)))
        return wrong_usage("train", "--clip must be a finite number, 0 or more, not %g.", a->clip);
    if (given(a->weight_decay) && !(a->weight_decay >= 0 && isfinite(a->weight_decay)))
        return wrong_usage("train", "--weight-decay must be a finite number, 0 or more, not %g.",
                           a->weight_decay);
    if (given(a->label_smoothing) && !(a->label_smoothing >= 0 && a->label_smoothing < 1))
        return wrong_usage("train", "--label-smoothing must be from 0 to below 1, not %g.",
                           a->label_smoothing);
    return EXIT_DONE;
}

int cmd_train(int argc, const char **argv) {
    train_arguments a = {.batch = NONE,
                         .epochs = NONE,
                         .steps = NONE,
                         .rows = NONE,
                         .accumulate = NONE,
                         .patience = NONE,
                         .warmup = NONE,
                         .rate = NONE,
                         .clip = NONE,
                         .weight_decay = NONE,
                         .label_smoothing = NONE};
    struct poptOption data[] = {
        {"data", 0, POPT_ARG_STRING, &a.text, 0,
         "tasks of texts: learn the characters of this text instead", "FILE"},
        {"rows", 0, POPT_ARG_LONGLONG, &a.rows, 0,
         "interp5d: rows of the function (default: 10000)", "N"},
        {"csv", 0, POPT_ARG_STRING, &a.csv, 0,
         "interp5d: train on this table of numbers instead (commas between cells, or semicolons "
         "and decimal commas); the last column is the target",
         "FILE"},
        POPT_TABLEEND};
    struct poptOption recipe[] = {
        {"steps", 0, POPT_ARG_LONGLONG, &a.steps, 0, "steps of the optimizer", "N"},
        {"epochs", 'e', POPT_ARG_LONGLONG, &a.epochs, 0, "passes over the data", "N"},
        {"batch", 'b', POPT_ARG_LONGLONG, &a.batch, 0, "samples per step", "N"},
        {"accumulate", 0, POPT_ARG_LONGLONG, &a.accumulate, 0,
         "batches whose gradients make one step", "N"},
        {"optimizer", 0, POPT_ARG_STRING, &a.optimizer, 0, &optimizers[sizeof ", " - 1], "NAME"},
        {"rate", 0, POPT_ARG_DOUBLE, &a.rate, 0, "learning rate, the highest of the schedule", "X"},
        {"schedule", 0, POPT_ARG_STRING, &a.schedule, 0, &schedules[sizeof ", " - 1], "NAME"},
        {"warmup", 0, POPT_ARG_LONGLONG, &a.warmup, 0, "steps in which the rate grows", "N"},
        {"clip", 0, POPT_ARG_DOUBLE, &a.clip, 0, "largest norm of all gradients together (0: any)",
         "X"},
        {"weight-decay", 0, POPT_ARG_DOUBLE, &a.weight_decay, 0,
         "decay of the weights, in the way of the optimizer", "X"},
        {"label-smoothing", 0, POPT_ARG_DOUBLE, &a.label_smoothing, 0,
         "probability that is spread over all classes, 0 to below 1", "X"},
        {"patience", 0, POPT_ARG_LONGLONG, &a.patience, 0,
         "stop after so many epochs without progress on a tenth of the training data", "N"},
        POPT_TABLEEND};
    const struct poptOption options[] = {
        {"model", 'm', POPT_ARG_STRING, &a.model, 0, "another model, as \"gpt2-nano:layers=4\"",
         "NAME"},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, data, 0, "Data:", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, recipe, 0,
         "How to train (default: as the task has it):", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, size_options, 0,
         "How much, unless the above says:", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, machine_options, 0, "Machine:", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, json_option, 0, "Output:", NULL},
        POPT_AUTOHELP POPT_TABLEEND};
    int code;
    poptContext parsed = parse_arguments(
        argc, argv, options, "[OPTIONS] TASK",
        "Trains a network, and says how good it is on data that was held out. Without TASK: lists\n"
        "the tasks. mnist needs PARALLAX_DATA, the folder of the MNIST files; all others make\n"
        "their data from the seed.",
        &code);
    if (!parsed) return code;
    const char *name = poptGetArg(parsed);
    code = check_numbers(&a);
    if (code == EXIT_DONE && !name) list_tasks(stdout);
    if (code == EXIT_DONE && name) code = check_task(&a, name, poptPeekArg(parsed));
    if (code == EXIT_DONE && name) {
        catch_interrupts();
        code = run(&a, name);
    }
    const char *texts[] = {a.model, a.optimizer, a.schedule, a.csv, a.text};
    free_texts(sizeof texts / sizeof *texts, texts);
    poptFreeContext(parsed);
    return code;
}
