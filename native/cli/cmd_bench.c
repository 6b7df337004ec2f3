/* parallax bench */
#include "bench_summary.h"
#include "command.h"
#include "compare_side.h"
#include "digits_files.h"
#include "output.h"
#include "rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t SLICE_NS = 50000000;

typedef struct bench_run {
    plx_ctx *ctx;
    plx_bench *bench;
    output out;
    progress progress;
    char *header; /* of the suite whose table is being printed; NULL: none yet */
    bool brief;
    bench_summary summary;
    int failures;
    bool write_failed;
} bench_run;

static void list_suites(FILE *to) {
    for (int i = 0; plx_bench_suite_name(i); ++i)
        fprintf(to, "%-10s %s\n", plx_bench_suite_name(i), plx_bench_suite_description(i));
}

static void print_header(FILE *to, const char *suite) {
    fprintf(to, "\n%s\n  %-34s %-20s %10s  %-9s %9s %10s  %s\n", suite, "case", "metric", "median",
            "unit", "mean", "deviation", "95% interval of the median");
}

/* Median, mean and deviation, interval; of one sample its value alone. */
static void print_samples(FILE *to, const cJSON *row) {
    char median[32], mean[32] = "", deviation[32] = "", low[32], high[32];
    const bool many = row_number(row, "samples.count") > 1;
    if (many && row_get(row, "samples.deviation")) {
        figure_text(mean, sizeof mean, row_number(row, "samples.mean"));
        figure_text(deviation, sizeof deviation, row_number(row, "samples.deviation"));
    }
    fprintf(to, "  %-34s %-20s %10s  %-9s", row_text(row, "case"), row_text(row, "metric"),
            figure_text(median, sizeof median, row_number(row, "samples.median")),
            row_text(row, "unit"));
    if (many) fprintf(to, " %9s %10s ", mean, deviation);
    if (row_get(row, "samples.low") &&
        row_number(row, "samples.low") < row_number(row, "samples.high"))
        fprintf(to, " %s to %s", figure_text(low, sizeof low, row_number(row, "samples.low")),
                figure_text(high, sizeof high, row_number(row, "samples.high")));
}

/* Bytes by component, where the case knows them. */
static void print_memory(FILE *to, const cJSON *row) {
    const cJSON *memory = row_get(row, "memory"), *component;
    if (!memory || !cJSON_IsTrue(row_get(row, "primary"))) return;
    fprintf(to, "    memory (bytes):");
    cJSON_ArrayForEach(component, memory)
        fprintf(to, "%s %s %.0f", component == memory->child ? "" : ",", component->string,
                component->valuedouble);
    fputc('\n', to);
}

/* Of the most that this machine allows; or why that does not count. */
static void print_shares(FILE *to, const cJSON *row) {
    if (*row_text(row, "ceiling.failure"))
        fprintf(to, "  (no share of the ceiling: %s)", row_text(row, "ceiling.failure"));
    else if (row_get(row, "ceiling.share"))
        fprintf(to, "  (%.0f%% of the ceiling)", 100 * row_number(row, "ceiling.share"));
    if (*row_text(row, "roofline.failure"))
        fprintf(to, "  (no share of the roofline: %s)", row_text(row, "roofline.failure"));
    else if (row_get(row, "roofline.share"))
        fprintf(to, "  (%.0f%% of the roofline, %s)", 100 * row_number(row, "roofline.share"),
                row_text(row, "roofline.level"));
}

static void print_threads(FILE *to, const cJSON *row) {
    const double threads = row_number(row, "engine.threads"),
                 worked = row_number(row, "engine.threadsWorked");
    /* The yardstick is of one thread, whatever the engine has. */
    if (worked < threads && !is_yardstick(row))
        fprintf(to, "  (%.0f of %.0f threads worked)", worked, threads);
    if (!strcmp(row_text(row, "engine.costs"), "assumed")) fputs("  (thread costs assumed)", to);
}

static void print_row(FILE *to, const cJSON *row) {
    print_samples(to, row);
    /* A case that tells about another one names it. */
    if (*row_text(row, "parameters.configuration"))
        fprintf(to, "  (%s)", row_text(row, "parameters.configuration"));
    print_shares(to, row);
    print_threads(to, row);
    if (cJSON_IsFalse(row_get(row, "checks.passed")))
        fprintf(to, "  VOID: %s", row_text(row, "checks.failure"));
    else if (*row_text(row, "checks.lossBits"))
        fprintf(to, "  losses %s", row_text(row, "checks.lossBits"));
    fputc('\n', to);
    print_memory(to, row);
    fflush(to);
}

/* The tables go to the screen, unless a summary is to stand there, and to the file of --tables. */
static void print_tables(bench_run *run, const cJSON *row) {
    const char *suite = row_text(row, "suite");
    FILE *const targets[] = {run->brief ? NULL : output_tables(&run->out),
                             output_tables_file(&run->out)};
    const bool begins = !run->header || strcmp(run->header, suite) != 0;
    for (int i = 0; i < 2; ++i) {
        if (!targets[i]) continue;
        if (begins) print_header(targets[i], suite);
        print_row(targets[i], row);
    }
    if (!begins) return;
    free(run->header);
    run->header = strdup(suite);
}

static void take_rows(bench_run *run) {
    int fields;
    while ((fields = plx_bench_take_row(run->bench)) > 0) {
        cJSON *row = row_from_bench(run->bench, fields);
        if (!row) {
            run->write_failed = true;
            report(EXIT_FAILED, "there is not enough memory for a row.");
            continue;
        }
        if (!summary_add(&run->summary, row)) {
            run->write_failed = true;
            report(EXIT_FAILED, "there is not enough memory for the summary.");
        }
        if (!run->brief) progress_clear(&run->progress);
        print_tables(run, row);
        if (!output_row(&run->out, row) || run->out.failed) run->write_failed = true;
    }
}

/* Measures until all is done, Ctrl-C, or nowhere to write. */
static void measure(bench_run *run) {
    plx_bench_progress at = {0};
    run->progress = progress_start();
    while (!at.done && !run->write_failed) {
        if (interrupted()) {
            plx_bench_stop(run->bench);
            take_rows(run);
            break;
        }
        if (plx_bench_advance(run->bench, SLICE_NS, &at) != PLX_OK) {
            run->failures += 1;
            progress_clear(&run->progress);
            report(EXIT_FAILED, "%s", plx_message(run->ctx));
        }
        take_rows(run);
        run->progress.left_ns = at.left_ns;
        progress_show(&run->progress, at.fraction, "round %d of %d: %s %s", at.round, at.rounds,
                      at.suite, at.name);
    }
    progress_clear(&run->progress);
}

static int finish(bench_run *run) {
    const int rows = run->summary.rows, voided = run->summary.voided;
    const int of_cases = rows - run->summary.yardsticks;
    int code = EXIT_DONE;
    if (voided || run->failures || run->write_failed) code = EXIT_FAILED;
    if (!code && !of_cases && !interrupted())
        code = report(EXIT_USAGE, "no case matched; --list and a run without --cases show what "
                                  "there is.");
    if (run->brief && of_cases) summary_print(output_tables(&run->out), &run->summary);
    if (voided)
        report(code, "%d row%s void: %s.", voided, voided == 1 ? " is" : "s are",
               voided == 1 ? "its check failed" : "their checks failed");
    if (interrupted()) {
        report(code, "stopped; %d rows were measured and are kept.", of_cases);
        code = EXIT_INTERRUPTED;
    }
    /* Rows are kept whatever came later. */
    if (!output_close(&run->out, of_cases > 0)) code = EXIT_FAILED;
    return code;
}

/* The images, if there are any, and the suites. Returns an exit code, the sentence printed. */
static int open_suites(bench_run *run, plx_bench_options *options, digits_files *files) {
    char message[4352];
    options->seed = (uint64_t)arguments.seed;
    if (arguments.quick) options->size = PLX_BENCH_QUICK;
    if (arguments.full) options->size = PLX_BENCH_FULL;
    const digits_found found = digits_load(run->ctx, files, message, sizeof message);
    if (found == DIGITS_FOUND) options->digits = &files->digits;
    if (found == DIGITS_FAILED) return report(EXIT_FAILED, "%s", message);
    const plx_status status = plx_bench_new(run->ctx, options, &run->bench);
    return status == PLX_OK ? EXIT_DONE : report_status(run->ctx, status);
}

static int run_suites(plx_bench_options options, bool brief) {
    bench_run run = {.brief = brief};
    digits_files files = {0};
    if (!output_open(&run.out)) return EXIT_FAILED;
    int code = open_context(&run.ctx);
    if (code == EXIT_DONE) code = open_suites(&run, &options, &files);
    if (code == EXIT_DONE) {
        measure(&run);
        code = finish(&run);
    } else {
        output_close(&run.out, false);
    }
    plx_bench_free(run.bench);
    digits_free(&files);
    plx_ctx_free(run.ctx);
    summary_free(&run.summary);
    free(run.header);
    return code;
}

/* "gemm mlp" and "gemm,mlp" are the same; none, or "all", are all. */
static char *join_suites(poptContext parsed) {
    const char *name;
    char *text = NULL;
    while ((name = poptGetArg(parsed)))
        if (strcmp(name, "all") != 0) text_add(&text, "%s%s", text ? "," : "", name);
    if (!text) text_add(&text, "%s", "");
    return text;
}

int cmd_bench(int argc, const char **argv) {
    const char *cases = NULL;
    plx_bench_options chosen = plx_bench_default();
    int list = 0, brief = 0;
    const struct poptOption options[] = {
        {"list", 'l', POPT_ARG_NONE, &list, 0, "print the suites and stop", NULL},
        {"cases", 'c', POPT_ARG_STRING, &cases, 0, "only cases whose name has one of these texts",
         "TEXT[,TEXT...]"},
        {"seconds", 's', POPT_ARG_DOUBLE, &chosen.seconds, 0,
         "seconds of measuring per case (0: as the size says)", "S"},
        {"rounds", 'r', POPT_ARG_INT, &chosen.rounds, 0,
         "rounds in which all cases are visited, 1 to 32 (default: 6 quick, 8, 10 full)", "N"},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, size_options, 0, "How much:", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, machine_options, 0, "Machine:", NULL},
        {"brief", 'b', POPT_ARG_NONE, &brief, 0,
         "a line of progress and at the end one a suite, instead of tables", NULL},
        {"tables", 0, POPT_ARG_STRING, &arguments.tables, 0, "write the tables here, too", "FILE"},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, output_options, 0, "Output:", NULL},
        POPT_AUTOHELP POPT_TABLEEND};
    int code;
    poptContext parsed = parse_arguments(
        argc, argv, options, "[OPTIONS] [all | SUITE...]",
        "Runs suites and prints medians with 95% intervals. Cases alternate, so that a\n"
        "disturbance hits all alike. PARALLAX_DATA names the folder of the MNIST files;\n"
        "without it, images are seeded noise and rows say so. --list names the suites.",
        &code);
    if (!parsed) return code;
    char *suites = join_suites(parsed);
    if (list)
        list_suites(stdout);
    else if (arguments.tables && !strcmp(arguments.tables, "-"))
        code = wrong_usage("bench", "--tables names a file; without --brief, the tables are on "
                                    "standard output anyhow.");
    else if (!(chosen.seconds >= 0 && chosen.seconds <= 3600))
        code = wrong_usage("bench", "--seconds must be from 0 to 3600, not %g.", chosen.seconds);
    else if (chosen.rounds < 0 || chosen.rounds > 32)
        code = wrong_usage("bench", "--rounds must be from 1 to 32, not %d.", chosen.rounds);
    else {
        catch_interrupts();
        chosen.suites = suites;
        chosen.cases = cases;
        code = run_suites(chosen, brief);
    }
    free(suites);
    free_texts(1, &cases);
    poptFreeContext(parsed);
    return code;
}
