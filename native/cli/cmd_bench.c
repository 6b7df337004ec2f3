/* parallax bench */
#include "bench_cases.h"
#include "bench_list.h"
#include "bench_page.h"
#include "bench_selection.h"
#include "bench_table.h"
#include "command.h"
#include "default_file.h"
#include "digits_files.h"
#include "output.h"
#include "rows.h"

#include "base/platform.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t SLICE_NS = 50000000;
static const int64_t LIMIT_NS = 75000000000; /* for the selection of "about a minute" */

static struct bench_arguments {
    const char *cases;
    char *texts; /* cases, split */
    double seconds;
    int rounds, list, all, repeat;
} asked = {.repeat = 1};

typedef struct bench_run {
    plx_ctx *ctx;
    plx_bench *bench;
    digits_files files;
    output out;
    progress progress;
    char *header; /* of the suite whose table is being printed; NULL: none yet */
    bench_summary summary;
    int run, runs;      /* the current run, from 1; how many there are */
    int64_t limit_ns;   /* per run; 0: until all is done */
    int rounds, wanted; /* of the last run: those begun, and those planned */
    bool late;
    int failures;
    bool write_failed;
} bench_run;

/* Prints the tables of all rows: on the screen only on request, and to the file of --tables. */
static void print_tables(bench_run *run, const cJSON *row) {
    const char *suite = row_text(row, "suite");
    FILE *const targets[] = {asked.all ? output_tables(&run->out) : NULL,
                             output_tables_file(&run->out)};
    const bool begins = !run->header || strcmp(run->header, suite) != 0;
    for (int i = 0; i < 2; ++i) {
        if (!targets[i]) continue;
        if (begins) table_header(targets[i], suite);
        table_row(targets[i], row);
    }
    if (!begins) return;
    free(run->header);
    run->header = strdup(suite);
}

static bool take_row(bench_run *run, int fields) {
    cJSON *row = row_from_bench(run->bench, fields);
    if (!row || !summary_add(&run->summary, row)) {
        cJSON_Delete(row);
        report(EXIT_FAILED, "there is not enough memory for the rows.");
        return false;
    }
    if (run->runs > 1) row_set(row, "run", cJSON_CreateNumber(run->run));
    if (asked.all) progress_clear(&run->progress);
    print_tables(run, row);
    return output_row(&run->out, row) && !run->out.failed;
}

static void take_rows(bench_run *run) {
    int fields;
    while ((fields = plx_bench_take_row(run->bench)) > 0)
        if (!take_row(run, fields)) run->write_failed = true;
}

static void show_progress(bench_run *run, const plx_bench_progress *at) {
    char which[32] = "";
    if (run->runs > 1) snprintf(which, sizeof which, "run %d of %d, ", run->run, run->runs);
    run->progress.left_ns =
        at->left_ns + (run->runs - run->run) * plx_bench_expected_ns(run->bench);
    progress_show(&run->progress, (run->run - 1 + at->fraction) / run->runs,
                  "%sround %d of %d: %s %s", which, at->round, at->rounds, at->suite, at->name);
}

/* Whether a run that was promised to be short is late; it gets at least two rounds. */
static bool is_late(bench_run *run, const plx_bench_progress *at, int64_t start_ns) {
    const int64_t now = plx_platform_now_ns();
    if (!run->limit_ns || at->round <= 2 || now - start_ns < run->limit_ns) return false;
    run->late = true;
    run->rounds = at->round - 1;
    return true;
}

/* Measures until all is done, Ctrl-C is pressed, or rows cannot be written. */
static void measure(bench_run *run) {
    plx_bench_progress at = {0};
    const int64_t start_ns = plx_platform_now_ns();
    while (!at.done && !run->write_failed) {
        if (interrupted() || is_late(run, &at, start_ns)) {
            plx_bench_stop(run->bench);
            take_rows(run);
            break;
        }
        if (plx_bench_advance(run->bench, SLICE_NS, &at) != PLX_OK) {
            run->failures += 1;
            progress_clear(&run->progress);
            report(EXIT_FAILED, "%s", plx_message(run->ctx));
        }
        run->rounds = at.round;
        run->wanted = at.rounds;
        take_rows(run);
        show_progress(run, &at);
    }
    progress_clear(&run->progress);
}

/* ---- Results --------------------------------------------------------------------------------- */

static void print_page(bench_run *run) {
    FILE *to = output_tables(&run->out);
    /* If it was stopped in its first run, the page is of that run. */
    if (!page_print(to, &run->summary, run->out.rows, run->run)) run->write_failed = true;
    summary_print_all(to, &run->summary);
    if (run->late)
        fprintf(to, "%d of %d rounds: this machine was too busy for more.\n", run->rounds,
                run->wanted);
    if (run->run == 2 || (run->run == 1 && run->rounds == 2))
        fprintf(to, "An interval takes at least 3 %s; there were 2.\n",
                run->run == 2 ? "runs" : "rounds");
}

/* Closes the files, and says at the end of a page where the rows are. */
static bool close_rows(bench_run *run, bool paged) {
    FILE *to = output_tables(&run->out);
    char *name = strdup(run->out.json.name ? run->out.json.name : run->out.csv.name);
    const bool ok = output_close(&run->out, paged);
    if (paged && name && strcmp(name, "-") != 0)
        fprintf(to, ok ? "All rows are in %s.\n" : "Not all rows could be written to %s.\n", name);
    free(name);
    return ok;
}

static int finish(bench_run *run) {
    const int voided = run->summary.voided;
    const int of_cases = run->summary.rows - run->summary.yardsticks;
    int code = EXIT_DONE;
    if (!run->failures && !run->write_failed && !of_cases && !interrupted())
        code = wrong_usage("bench", "no case matched \"%s\"; --list SUITE shows the cases.",
                           asked.cases ? asked.cases : "");
    if (of_cases) print_page(run);
    if (voided || run->failures || run->write_failed) code = EXIT_FAILED;
    if (voided)
        report(code, "%d row%s void: %s.", voided, voided == 1 ? " is" : "s are",
               voided == 1 ? "its check failed" : "their checks failed");
    if (interrupted()) {
        report(code, "stopped; %d rows were measured and are kept.", of_cases);
        code = EXIT_INTERRUPTED;
    }
    /* Rows are kept whatever happened later. */
    if (!close_rows(run, of_cases > 0)) code = EXIT_FAILED;
    return code;
}

/* ---- Setting up ------------------------------------------------------------------------------ */

static int load_digits(bench_run *run, plx_bench_options *options) {
    char message[4352];
    const digits_found found = digits_load(run->ctx, &run->files, message, sizeof message);
    if (found == DIGITS_FOUND) options->digits = &run->files.digits;
    return found == DIGITS_FAILED ? report(EXIT_FAILED, "%s", message) : EXIT_DONE;
}

/* Lists the suites, and prepares the short selection that this run measures. */
static plx_status begin_selection(bench_run *run, plx_bench_options *options) {
    FILE *to = output_tables(&run->out);
    plx_status status = list_bench(to, run->ctx, options, false);
    options->only = bench_selection;
    options->size = PLX_BENCH_QUICK;
    if (asked.repeat == 1 && !asked.seconds && !asked.rounds) run->limit_ns = LIMIT_NS;
    if (status == PLX_OK) status = selection_fit(run->ctx, options);
    if (status == PLX_OK)
        fputs("\nA selection of these now, in about a minute. parallax bench SUITE... runs whole "
              "suites,\n"
              "parallax bench all runs every suite; --list SUITE lists its cases, --help the "
              "options.\n\n",
              to);
    fflush(to);
    return status;
}

static int choose_cases(plx_ctx *ctx, plx_bench_options *options) {
    const plx_status status = split_cases(ctx, options, &asked.texts);
    options->cases = asked.texts;
    return status == PLX_OK ? EXIT_DONE : report_status(ctx, status);
}

/* Each run has a context of its own, as a separate process would. */
static int run_once(bench_run *run, const plx_bench_options *options) {
    int code = run->ctx ? EXIT_DONE : open_context(&run->ctx);
    if (code != EXIT_DONE) return code;
    const plx_status status = plx_bench_new(run->ctx, options, &run->bench);
    if (status != PLX_OK) return report_status(run->ctx, status);
    measure(run);
    plx_bench_free(run->bench);
    plx_ctx_free(run->ctx);
    run->bench = NULL;
    run->ctx = NULL;
    return EXIT_DONE;
}

static int run_all(bench_run *run, plx_bench_options *options, bool selection) {
    int code = open_context(&run->ctx);
    if (code == EXIT_DONE) code = choose_cases(run->ctx, options);
    if (code == EXIT_DONE) code = load_digits(run, options);
    if (code == EXIT_DONE && selection) {
        const plx_status status = begin_selection(run, options);
        if (status != PLX_OK) code = report_status(run->ctx, status);
    }
    run->progress = progress_start();
    for (int i = 1; i <= run->runs && code == EXIT_DONE && !interrupted() && !run->write_failed;
         ++i) {
        run->run = i;
        code = run_once(run, options);
    }
    return code;
}

static int run_suites(plx_bench_options options, bool selection) {
    bench_run run = {.runs = asked.repeat};
    char *own = NULL;
    if (!arguments.json && !arguments.csv) {
        own = default_file_name("bench");
        if (!own) return EXIT_FAILED;
        arguments.json = own;
    }
    int code = EXIT_FAILED;
    if (output_open(&run.out)) {
        code = output_keep(&run.out) ? run_all(&run, &options, selection) : EXIT_FAILED;
        if (code == EXIT_DONE)
            code = finish(&run);
        else
            output_close(&run.out, false);
    }
    if (own) default_file_end();
    plx_bench_free(run.bench);
    plx_ctx_free(run.ctx);
    digits_free(&run.files);
    summary_free(&run.summary);
    free(run.header);
    free(own);
    return code;
}

static int list(plx_bench_options options) {
    plx_ctx *ctx;
    int code = open_context(&ctx);
    if (code == EXIT_DONE) code = choose_cases(ctx, &options);
    if (code == EXIT_DONE) {
        const plx_status status = list_bench(stdout, ctx, &options, true);
        if (status != PLX_OK) code = report_status(ctx, status);
    }
    plx_ctx_free(ctx);
    return code;
}

/* ---- Arguments ------------------------------------------------------------------------------- */

/* "gemm mlp" and "gemm,mlp" are the same; "all" is all. Returns NULL if none was named. Free it. */
static char *join_suites(poptContext parsed) {
    const char *name;
    char *text = NULL;
    while ((name = poptGetArg(parsed))) text_add(&text, "%s%s", text ? "," : "", name);
    return text;
}

static int check_arguments(void) {
    if (arguments.tables && !strcmp(arguments.tables, "-"))
        return wrong_usage("bench", "--tables needs a file; --all shows the tables on the screen.");
    if (!(asked.seconds >= 0 && asked.seconds <= 3600))
        return wrong_usage("bench", "--seconds must be from 0 to 3600, not %g.", asked.seconds);
    if (asked.rounds < 0 || asked.rounds > 32)
        return wrong_usage("bench", "--rounds must be from 0 to 32, not %d.", asked.rounds);
    return check_repeat("bench", asked.repeat);
}

static struct poptOption how_options[] = {
    {"cases", 'c', POPT_ARG_STRING, &asked.cases, 0,
     "only cases whose name contains one of these texts; the whole name of a case that has commas, "
     "such as \"784-200-10, batch 1\", selects it alone",
     "TEXT[,TEXT...]"},
    {"seconds", 's', POPT_ARG_DOUBLE, &asked.seconds, 0,
     "seconds of measuring per case (0: chosen by the size)", "S"},
    {"rounds", 'r', POPT_ARG_INT, &asked.rounds, 0,
     "rounds, each of which visits every case, 1 to 32 (0: 6 quick, 8, 10 full)", "N"},
    {"repeat", 0, POPT_ARG_INT, &asked.repeat, 0,
     "number of runs, 1 to 64 (default: 1): the page shows means with deviations, and each row "
     "names its run",
     "N"},
    POPT_TABLEEND};

static struct poptOption page_options[] = {
    {"all", 'a', POPT_ARG_NONE, &asked.all, 0, "show a table of all rows before the page", NULL},
    {"tables", 0, POPT_ARG_STRING, &arguments.tables, 0, "write the table of all rows to FILE, too",
     "FILE"},
    POPT_TABLEEND};

static const char help[] =
    "Runs suites and shows a page: medians with 95% intervals (from 3 rounds on). All rows go to "
    "the file that\n"
    "--json or --csv names, otherwise to a new file in the folder parallax-results. Cases\n"
    "alternate, so that a disturbance hits all alike. Without suites, --cases and a size: lists\n"
    "the suites and runs a selection of about a minute. PARALLAX_DATA names the folder of the\n"
    "MNIST files; without it, images are seeded noise and the rows say so.\n\n"
    "The ceiling is the rate that multiply-adds in registers reach on this machine with the same\n"
    "kernels and threads, measured beside the cases; no arithmetic is faster. The roofline of an\n"
    "operation is the shortest time that this ceiling and the memory bandwidth allow, taking the\n"
    "level of memory that its operands fit in (L1, L2, L3 or main memory), all measured in the\n"
    "same run. Its share of the roofline is that time divided by the time it took.";

int cmd_bench(int argc, const char **argv) {
    const struct poptOption options[] = {
        {"list", 'l', POPT_ARG_NONE, &asked.list, 0,
         "list the suites (those named, or all) and their cases, with their times at every size",
         NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, size_options, 0, "Size:", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, how_options, 0, "Cases and repetitions:", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, machine_options, 0, "Machine:", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, page_options, 0, "What to show:", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, output_options, 0, "Output:", NULL},
        POPT_AUTOHELP POPT_TABLEEND};
    int code;
    poptContext parsed =
        parse_arguments(argc, argv, options, "[OPTIONS] [all | SUITE...]", help, &code);
    if (!parsed) return code;
    char *suites = join_suites(parsed);
    code = check_arguments();
    if (code == EXIT_DONE) {
        const bool sized = arguments.quick || arguments.full;
        plx_bench_options chosen = plx_bench_default();
        chosen.suites = suites;
        chosen.cases = asked.cases;
        chosen.seconds = asked.seconds;
        chosen.rounds = asked.rounds;
        chosen.seed = (uint64_t)arguments.seed;
        if (arguments.quick) chosen.size = PLX_BENCH_QUICK;
        if (arguments.full) chosen.size = PLX_BENCH_FULL;
        catch_interrupts();
        code = asked.list ? list(chosen) : run_suites(chosen, !suites && !asked.cases && !sized);
    }
    free(suites);
    free_texts(1, &asked.cases);
    free(asked.texts);
    poptFreeContext(parsed);
    return code;
}
