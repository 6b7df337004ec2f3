/* parallax train */
#include "training_series.h"

#include "base/platform.h"
#include "bench/harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t SLICE_NS = 50000000;

/* Options for which an explicit 0 differs from no value. */
enum {
    GIVEN_ROWS = 2,
    GIVEN_BATCH,
    GIVEN_EPOCHS,
    GIVEN_STEPS,
    GIVEN_ACCUMULATE,
    GIVEN_PATIENCE,
    GIVEN_WARMUP,
    GIVEN_RATE,
    GIVEN_CLIP,
    GIVEN_DECAY,
    GIVEN_SMOOTHING,
    GIVEN_EVERY,
    GIVEN_KEEP,
};

static struct train_arguments {
    const char *model, *optimizer, *schedule, *csv, *text, *weights, *checkpoint;
    long long batch, epochs, steps, rows, accumulate, patience, warmup;
    double rate, clip, weight_decay, label_smoothing;
    double every; /* seconds */
    int repeat, keep, resume;
} asked = {.repeat = 1, .every = 60, .keep = 2};

static int fail(const training *t) {
    return report(EXIT_FAILED, "%s", plx_message(t->ctx));
}

/* ---- Setting up ------------------------------------------------------------------------------ */

/* The best of a few measurements of pure arithmetic, a few milliseconds each. */
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

/* With a file, the file itself may be what does not fit. */
static int refuse(const training *t, plx_status status) {
    const plx_learning_options *o = &t->options;
    const bool digits = !strcmp(plx_learning_task_takes(task_number(t->task)), "digits");
    return o->text || o->table || digits ? fail(t) : report_status(t->ctx, status);
}

static int load(training *t) {
    char message[4352];
    const char *takes = plx_learning_task_takes(task_number(t->task));
    bool ok = true;
    if (!strcmp(takes, "digits"))
        ok = training_data_digits(t->ctx, &t->data, &t->options, message, sizeof message);
    else if (asked.text)
        ok = training_data_text(&t->data, asked.text, &t->options, message, sizeof message);
    else if (asked.csv)
        ok = training_data_table(t->ctx, &t->data, asked.csv, &t->options, message, sizeof message);
    return ok ? EXIT_DONE : report(EXIT_FAILED, "%s", message);
}

static int prepare(training *t) {
    const plx_status status = plx_learning_named(t->ctx, t->task, &t->options, &t->learning);
    if (status != PLX_OK) return refuse(t, status);
    t->recipe = plx_learning_recipe(t->learning);
    t->about = plx_learning_about(t->learning);
    if (t->run > 1) return EXIT_DONE;
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

/* How the recipe counts: in epochs, or in steps. */
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

/* Trains for about SLICE_NS, by as many steps as that took before. */
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
    char which[32] = "", epoch[64] = "", tokens[48] = "";
    if (t->runs > 1) snprintf(which, sizeof which, "run %d of %d, ", t->run, t->runs);
    if (counts_epochs(t))
        snprintf(epoch, sizeof epoch, "epoch %lld of %lld, ", (long long)t->at.epoch + !t->at.done,
                 (long long)t->at.epochs);
    if (t->about.tokens)
        snprintf(tokens, sizeof tokens, "%.0f tokens/s, ",
                 samples * (double)t->about.tokens / seconds);
    const double done = (double)t->at.step / (double)t->at.steps;
    progress_show(
        &t->progress, (t->run - 1 + done) / t->runs,
        "%s%sstep %lld of %lld, loss %.5f, %.0f samples/s, %s%.1f GFLOP/s (%.0f%% of peak)", which,
        epoch, (long long)t->at.step, (long long)t->at.steps, (double)t->at.loss, samples / seconds,
        tokens, gflops, 100 * gflops / t->peak);
}

/* Prints lines that stay: one for each epoch, or for each tenth of the steps. */
static int mark(training *t, int64_t *marks) {
    const int64_t now = counts_epochs(t) ? t->at.epoch
                        : t->at.steps    ? 10 * t->at.step / t->at.steps
                                         : 0;
    if (now <= *marks || t->runs > 1) return EXIT_DONE;
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

static weights_about about_weights(const training *t) {
    return (weights_about){.model = plx_learning_model_name(t->learning),
                           .seed = t->options.seed,
                           .scales = t->about.scales,
                           .columns = t->about.columns};
}

static int checkpoint(training *t) {
    const weights_about about = about_weights(t);
    const plx_trainer *trainer = plx_learning_trainer(t->learning);
    progress_clear(&t->progress);
    return checkpoints_save(&t->checkpoints, t->ctx, trainer, &about) ? EXIT_DONE : EXIT_FAILED;
}

/* Goes on where an earlier process stopped, if that is wanted. */
static int resume(training *t) {
    plx_trainer *trainer = plx_learning_trainer(t->learning);
    bool found = false;
    if (!asked.resume) return EXIT_DONE;
    if (!checkpoints_resume(&t->checkpoints, t->ctx, trainer, &found)) return EXIT_FAILED;
    if (!found) return EXIT_DONE;
    /* Tells where the run is, without a step. */
    if (plx_trainer_run(trainer, 0, &t->at) != PLX_OK) return fail(t);
    t->resumed = t->at.step;
    fprintf(output_tables(&t->out), "continued after step %lld of %lld\n", (long long)t->at.step,
            (long long)t->at.steps);
    return EXIT_DONE;
}

static int train(training *t) {
    int64_t steps = 1, marks = 0;
    int code = resume(t);
    while (code == EXIT_DONE && !t->at.done && !t->diverged && !interrupted()) {
        code = slice(t, &steps);
        if (code == EXIT_DONE && !t->diverged) code = mark(t, &marks);
        if (code == EXIT_DONE && !t->diverged && checkpoints_due(&t->checkpoints))
            code = checkpoint(t);
        if (code == EXIT_DONE && !t->diverged) show_progress(t);
    }
    progress_clear(&t->progress);
    if (code == EXIT_DONE && !t->diverged && t->at.step > t->resumed) code = checkpoint(t);
    return code;
}

/* ---- Results --------------------------------------------------------------------------------- */

static int show(training *t) {
    char bits[17];
    int64_t count;
    const plx_real *losses = plx_trainer_losses(plx_learning_trainer(t->learning), &count);
    if (!count) return EXIT_DONE;
    snprintf(bits, sizeof bits, "%016llx", (unsigned long long)plx__losses_hash(losses, count));
    int code = evaluate(t);
    if (code == EXIT_DONE && t->runs == 1 && plx_learning_exhibit(t->learning) != PLX_OK)
        code = fail(t);
    if (code != EXIT_DONE) return code;
    if (t->runs == 1)
        print_result(t, bits);
    else
        print_run(t, bits);
    return write_training_rows(t, bits) ? EXIT_DONE : EXIT_FAILED;
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

/* An explicit 0 becomes negative ("none"), since the library reads 0 as "the task's own value". */
static double or_none(int val, double value) {
    return !was_given(val) ? 0 : value > 0 ? value : -1;
}

static plx_learning_options options_asked(void) {
    return (plx_learning_options){
        .model = asked.model,
        .size = size_asked(),
        .rows = asked.rows,
        .steps = asked.steps,
        .epochs = asked.epochs,
        .batch = asked.batch,
        .accumulate = asked.accumulate,
        .patience = asked.patience,
        .optimizer = asked.optimizer,
        .schedule = asked.schedule,
        .rate = asked.rate,
        .warmup = (int64_t)or_none(GIVEN_WARMUP, (double)asked.warmup),
        .clip = or_none(GIVEN_CLIP, asked.clip),
        .weight_decay = or_none(GIVEN_DECAY, asked.weight_decay),
        .label_smoothing = or_none(GIVEN_SMOOTHING, asked.label_smoothing),
    };
}

/* Trains once, with the seed of this run. */
static int run_once(training *t, training_series *series) {
    t->options.seed = (uint64_t)arguments.seed + (uint64_t)t->run - 1;
    t->at = (plx_progress){0};
    t->train_ns = 0;
    t->diverged = false;
    int code = prepare(t);
    if (code == EXIT_DONE) code = train(t);
    if (code == EXIT_DONE) code = finish(t);
    if (code == EXIT_DONE) series_add(series, t);
    return code;
}

/* The weights of a run that diverged are of no use; those of one that was stopped are. */
static bool save(training *t) {
    if (!t->learning || t->diverged || !t->at.step) return true;
    const weights_about about = about_weights(t);
    if (!weights_out_save(&t->weights, t->ctx, plx_learning_model(t->learning), &about))
        return false;
    if (t->weights.name) fprintf(output_tables(&t->out), "weights: %s\n", t->weights.name);
    return true;
}

/* Runs that diverge do not end the others; the exit code reports them. */
static int run_all(training *t, bool *keep) {
    training_series *series = calloc(1, sizeof *series);
    int code = EXIT_DONE, ended = 0, failed = EXIT_DONE;
    if (!series) return report(EXIT_FAILED, "there is not enough memory for the runs.");
    t->progress = progress_start();
    for (t->run = 1; t->run <= t->runs && code == EXIT_DONE && !interrupted(); ++t->run) {
        plx_learning_free(t->learning);
        t->learning = NULL;
        code = run_once(t, series);
        ended += code == EXIT_DONE || (t->diverged && t->at.step);
        *keep = ended || code == EXIT_INTERRUPTED;
        if (!t->diverged || !t->at.step) continue;
        failed = code;
        code = EXIT_DONE;
    }
    if (t->runs > 1 && series->count) {
        fprintf(output_tables(&t->out), "\n%d of %d runs:\n", series->figures[0].count, t->runs);
        series_print(output_tables(&t->out), series);
    }
    series_free(series);
    free(series);
    return code == EXIT_DONE ? failed : code;
}

static int run(const char *task) {
    training t = {.task = task,
                  .options = options_asked(),
                  .runs = asked.repeat,
                  .checkpoints = {.name = asked.checkpoint,
                                  .keep = asked.keep,
                                  .every_ns = (int64_t)(asked.every * 1e9),
                                  .last_ns = plx_platform_now_ns()}};
    bool keep = false;
    if (!output_open(&t.out)) return EXIT_FAILED;
    int code = weights_out_open(&t.weights, asked.weights) ? open_context(&t.ctx) : EXIT_FAILED;
    if (code == EXIT_DONE) code = load(&t);
    if (code == EXIT_DONE) code = run_all(&t, &keep);
    if ((code == EXIT_DONE || code == EXIT_INTERRUPTED) && !save(&t)) code = EXIT_FAILED;
    weights_out_close(&t.weights);
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

/* Names of tasks, separated by commas; takes: only those that learn from it (NULL: all). Free
 * it. */
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
    if (!found) wrong_usage("train", "--%s must be one of %s, not \"%s\".", option, known, value);
    free(known);
    return found ? EXIT_DONE : EXIT_USAGE;
}

static const char *optimizer_name(int i) {
    return plx_optimizer_name((plx_optimizer_kind)i);
}

static const char *schedule_name(int i) {
    return plx_schedule_name((plx_schedule_kind)i);
}

static int check_files(void) {
    if ((asked.weights || asked.checkpoint) && asked.repeat > 1)
        return wrong_usage("train", "--out and --checkpoint cannot be combined with --repeat: each "
                                    "run has its own weights.");
    if (asked.weights && asked.checkpoint && same_file(asked.weights, asked.checkpoint))
        return wrong_usage("train",
                           "--out and --checkpoint both name \"%s\"; give each its own "
                           "file.",
                           asked.weights);
    if (!asked.checkpoint && (asked.resume || was_given(GIVEN_EVERY) || was_given(GIVEN_KEEP)))
        return wrong_usage("train", "--resume, --every and --keep need --checkpoint FILE.");
    if (!(asked.every >= 0 && asked.every <= 1e6))
        return wrong_usage("train", "--every must be from 0 to 1000000 seconds, not %g.",
                           asked.every);
    if (asked.keep < 1 || asked.keep > 100)
        return wrong_usage("train", "--keep must be from 1 to 100, not %d.", asked.keep);
    return EXIT_DONE;
}

static int check_task(const char *name, const char *more) {
    if (more) return wrong_usage("train", "takes one task, but also got \"%s\".", more);
    const int task = task_number(name);
    if (task < 0) {
        char *known = task_names(NULL);
        wrong_usage("train", "there is no task \"%s\"; the tasks are %s.", name, known);
        free(known);
        return EXIT_USAGE;
    }
    const char *takes = plx_learning_task_takes(task);
    if ((asked.csv || was_given(GIVEN_ROWS)) && strcmp(takes, "table") != 0)
        return wrong_task("--csv and --rows only go", "table");
    if (asked.text && strcmp(takes, "text") != 0) return wrong_task("--data only goes", "text");
    if (asked.csv && was_given(GIVEN_ROWS))
        return wrong_usage("train",
                           "--csv and --rows cannot be combined: a table has its own rows.");
    int code = check_files();
    if (code != EXIT_DONE) return code;
    const char *const read[] = {asked.csv, asked.text, asked.weights, asked.checkpoint};
    code = check_outputs("train", 4, read);
    if (code == EXIT_DONE) code = check_name("optimizer", asked.optimizer, optimizer_name);
    return code == EXIT_DONE ? check_name("schedule", asked.schedule, schedule_name) : code;
}

static int check_count(const char *name, int val, long long value, long long least,
                       long long most) {
    if (!was_given(val) || (value >= least && value <= most)) return EXIT_DONE;
    if (most == INT32_MAX && value < least)
        return wrong_usage("train", "--%s must be %lld or more, not %lld.", name, least, value);
    return wrong_usage("train", "--%s must be from %lld to %lld, not %lld.", name, least, most,
                       value);
}

static int check_counts(void) {
    const struct {
        const char *name;
        int val;
        long long value, least, most;
    } counts[] = {
        {"rows", GIVEN_ROWS, asked.rows, 5, 10000000},
        {"batch", GIVEN_BATCH, asked.batch, 1, INT32_MAX},
        {"epochs", GIVEN_EPOCHS, asked.epochs, 1, 1000000},
        {"steps", GIVEN_STEPS, asked.steps, 1, INT32_MAX},
        {"accumulate", GIVEN_ACCUMULATE, asked.accumulate, 1, 65536},
        {"patience", GIVEN_PATIENCE, asked.patience, 1, 1000000},
        {"warmup", GIVEN_WARMUP, asked.warmup, 0, INT32_MAX},
    };
    int code = check_repeat("train", asked.repeat);
    for (size_t i = 0; i < sizeof counts / sizeof *counts && code == EXIT_DONE; ++i)
        code = check_count(counts[i].name, counts[i].val, counts[i].value, counts[i].least,
                           counts[i].most);
    return code;
}

static int check_numbers(void) {
    const int code = check_counts();
    if (code != EXIT_DONE) return code;
    if (was_given(GIVEN_RATE) && !(asked.rate > 0 && isfinite(asked.rate)))
        return wrong_usage("train", "--rate must be a finite number above 0, not %g.", asked.rate);
    if (!(asked.clip >= 0 && isfinite(asked.clip)))
        return wrong_usage("train", "--clip must be a finite number, 0 or more, not %g.",
                           asked.clip);
    if (!(asked.weight_decay >= 0 && isfinite(asked.weight_decay)))
        return wrong_usage("train", "--weight-decay must be a finite number, 0 or more, not %g.",
                           asked.weight_decay);
    if (!(asked.label_smoothing >= 0 && asked.label_smoothing < 1))
        return wrong_usage("train", "--label-smoothing must be from 0 to below 1, not %g.",
                           asked.label_smoothing);
    return EXIT_DONE;
}

static struct poptOption checkpoint_options[] = {
    {"checkpoint", 0, POPT_ARG_STRING, &asked.checkpoint, 0,
     "keep the state of the run in FILE, from time to time and at its end", "FILE"},
    {"resume", 0, POPT_ARG_NONE, &asked.resume, 0,
     "go on from FILE, or from the one before it if FILE is damaged; without one, from the start",
     NULL},
    {"every", 0, POPT_ARG_DOUBLE, &asked.every, GIVEN_EVERY,
     "time between two checkpoints (default: 60)", "SECONDS"},
    {"keep", 0, POPT_ARG_INT, &asked.keep, GIVEN_KEEP,
     "how many to keep: FILE, FILE.1 and so on (default: 2)", "N"},
    POPT_TABLEEND};

static struct poptOption data_options[] = {
    {"data", 0, POPT_ARG_STRING, &asked.text, 0,
     "text tasks: learn the characters of the text in FILE instead", "FILE"},
    {"rows", 0, POPT_ARG_LONGLONG, &asked.rows, GIVEN_ROWS,
     "interp5d: number of rows drawn from the function (default: 10000)", "N"},
    {"csv", 0, POPT_ARG_STRING, &asked.csv, 0,
     "interp5d: read this table of numbers, and train on it instead (cells separated by commas, or "
     "by semicolons with decimal commas); the last column is the target. Rows are written by "
     "--json: the --csv of other commands writes a table",
     "FILE"},
    POPT_TABLEEND};

/* ", sgd, adam" and so on. */
static const char optimizers[] =
#define PLX_OPTIMIZER(NAME, name, rate, beta1, beta2, epsilon, weight_decay, options) ", " name
#include "parallax.def"
    ;
static const char schedules[] =
#define PLX_SCHEDULE(NAME, name, options, about) ", " name
#include "parallax.def"
    ": how the rate changes (step: to a tenth after each third of the steps)";

static struct poptOption recipe_options[] = {
    {"steps", 0, POPT_ARG_LONGLONG, &asked.steps, GIVEN_STEPS, "optimizer steps", "N"},
    {"epochs", 'e', POPT_ARG_LONGLONG, &asked.epochs, GIVEN_EPOCHS, "passes over the data", "N"},
    {"batch", 'b', POPT_ARG_LONGLONG, &asked.batch, GIVEN_BATCH, "samples per step", "N"},
    {"accumulate", 0, POPT_ARG_LONGLONG, &asked.accumulate, GIVEN_ACCUMULATE,
     "minibatches whose gradients are accumulated for one step", "N"},
    {"optimizer", 0, POPT_ARG_STRING, &asked.optimizer, 0, &optimizers[sizeof ", " - 1], "NAME"},
    {"rate", 0, POPT_ARG_DOUBLE, &asked.rate, GIVEN_RATE, "learning rate, the peak of the schedule",
     "X"},
    {"schedule", 0, POPT_ARG_STRING, &asked.schedule, 0, &schedules[sizeof ", " - 1], "NAME"},
    {"warmup", 0, POPT_ARG_LONGLONG, &asked.warmup, GIVEN_WARMUP,
     "steps during which the rate rises", "N"},
    {"clip", 0, POPT_ARG_DOUBLE, &asked.clip, GIVEN_CLIP,
     "limit on the norm of all gradients together (0: none)", "X"},
    {"weight-decay", 0, POPT_ARG_DOUBLE, &asked.weight_decay, GIVEN_DECAY,
     "weight decay, applied as the optimizer does", "X"},
    {"label-smoothing", 0, POPT_ARG_DOUBLE, &asked.label_smoothing, GIVEN_SMOOTHING,
     "probability spread over all classes, 0 to below 1", "X"},
    {"patience", 0, POPT_ARG_LONGLONG, &asked.patience, GIVEN_PATIENCE,
     "stop after N epochs without progress on a tenth of the training data", "N"},
    POPT_TABLEEND};

int cmd_train(int argc, const char **argv) {
    const struct poptOption options[] = {
        {"model", 'm', POPT_ARG_STRING, &asked.model, 0,
         "another model, such as \"gpt2-nano:layers=4\"", "NAME"},
        {"repeat", 0, POPT_ARG_INT, &asked.repeat, 0,
         "number of runs, 1 to 64 (default: 1), with consecutive seeds from --seed on: a line for "
         "each, then means with deviations and how many reached the goals; each row names its run",
         "N"},
        {"out", 0, POPT_ARG_STRING, &asked.weights, 0,
         "write the weights to FILE, in the format safetensors, with what their model is", "FILE"},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, checkpoint_options, 0, "Checkpoints:", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, data_options, 0, "Data:", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, recipe_options, 0,
         "How to train (default: the task's own recipe):", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, size_options, 0,
         "Size, unless the options above set it:", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, machine_options, 0, "Machine:", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, json_option, 0, "Output:", NULL},
        POPT_AUTOHELP POPT_TABLEEND};
    int code;
    poptContext parsed = parse_arguments(
        argc, argv, options, "[OPTIONS] TASK",
        "Trains a network, and shows how good it is on held-out data. Without TASK: lists the\n"
        "tasks. mnist needs PARALLAX_DATA, the folder of the MNIST files; all others make\n"
        "their data from the seed.",
        &code);
    if (!parsed) return code;
    const char *name = poptGetArg(parsed);
    code = check_numbers();
    if (code == EXIT_DONE && !name && argc > 1)
        code = wrong_usage("train", "these options need a TASK; parallax train lists the tasks.");
    if (code == EXIT_DONE && !name) list_tasks(stdout);
    if (code == EXIT_DONE && name) code = check_task(name, poptPeekArg(parsed));
    if (code == EXIT_DONE && name) {
        catch_interrupts();
        code = run(name);
    }
    const char *texts[] = {asked.model, asked.optimizer, asked.schedule,  asked.csv,
                           asked.text,  asked.weights,   asked.checkpoint};
    free_texts(sizeof texts / sizeof *texts, texts);
    poptFreeContext(parsed);
    return code;
}
