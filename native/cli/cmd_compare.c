/* parallax compare */
#include "command.h"
#include "compare_gate.h"
#include "compare_report.h"
#include "compare_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct comparison {
    output out;
    const char **names; /* of all files, those of A first */
    int files[2];
    bool all;
    double threshold; /* NaN: none */
    bool complete;    /* write all rows, whatever the threshold decides */
} comparison;

static int check_files(const comparison *c) {
    const int count = c->files[0] + c->files[1];
    for (int i = 0; i < count; ++i)
        for (int k = i + 1; k < (i < c->files[0] ? c->files[0] : count); ++k)
            if (same_file(c->names[i], c->names[k]))
                return wrong_usage(
                    "compare",
                    "\"%s\" is named twice on one side; each file counts as a run of its own.",
                    c->names[k]);
    return check_outputs("compare", count, c->names);
}

static int nothing_compared(const comparison *c, const pairing *p) {
    if (p->pairs.count)
        return report(EXIT_FAILED,
                      "nothing could be compared: every pair (%d) is void or has no ratio.",
                      p->pairs.count);
    if (c->files[0] > 1 || c->files[1] > 1)
        return report(EXIT_FAILED, "A and B have no case in common.");
    return report(EXIT_FAILED, "\"%s\" and \"%s\" have no case in common.", c->names[0],
                  c->names[1]);
}

static int compare(comparison *c, side *a, side *b, pairing *p) {
    FILE *to = output_tables(&c->out);
    mean_speed mean;
    if (!side_read(a, c->names, c->files[0], c->all) ||
        !side_read(b, c->names + c->files[0], c->files[1], c->all) || !pairs_make(p, a, b) ||
        !pairs_mean(&p->pairs, &mean))
        return EXIT_FAILED;
    report_sides(to, a, b, &p->pairs);
    report_differences(to, &p->pairs);
    const bool moved = p->pairs.count && report_machine(to, &p->yardsticks);
    int ratios = 0;
    for (int i = 0; i < p->pairs.count; ++i) ratios += p->pairs.list[i].positive;
    bool written = true;
    if (p->pairs.count) written = table_print(&c->out, &p->pairs);
    if (ratios) written = table_mean(&c->out, &p->pairs, &mean) && written;
    report_unpaired(to, p);
    if (!ratios) return nothing_compared(c, p);
    if (!written) return EXIT_FAILED;
    c->complete = true;
    if (isnan(c->threshold)) return EXIT_DONE;
    const int lost = gate_complete(to, p);
    const int code = gate_judge(to, &p->pairs, &mean, c->threshold);
    if (code == EXIT_SLOWER && moved)
        report(code,
               "the machine itself changed speed between the two sides; measure them in turns.");
    /* Being slower is an answer that missing cases would not change. */
    return code == EXIT_DONE ? lost : code;
}

static int run(comparison *c) {
    side a = {0}, b = {0};
    pairing pairs = {0};
    if (!output_open(&c->out)) return EXIT_FAILED;
    int code = compare(c, &a, &b, &pairs);
    pairs_free(&pairs);
    side_free(&a);
    side_free(&b);
    if (!output_close(&c->out, c->complete)) code = EXIT_FAILED;
    return code;
}

static int read_threshold(const char *text, double *percent) {
    *percent = NAN;
    if (!text) return EXIT_DONE;
    char *end;
    *percent = strtod(text, &end);
    if (*text && !*end && *percent >= 0 && *percent < 100) return EXIT_DONE;
    return wrong_usage("compare",
                       "--threshold must be a percentage of speed from 0 to below 100, not \"%s\".",
                       text);
}

/* The files of both sides: those before and after --with, or two files without it. */
static int read_names(comparison *c, poptContext parsed) {
    int count = 0;
    c->names = poptGetArgs(parsed);
    while (c->names && c->names[count]) ++count;
    const bool with = arguments.before_with >= 0;
    c->files[0] = with ? arguments.before_with : 1;
    c->files[1] = count - c->files[0];
    if (with && (!c->files[0] || !c->files[1]))
        return wrong_usage("compare", "name at least one file before --with and one after it.");
    if (with) return EXIT_DONE;
    if (count < 2)
        return wrong_usage("compare",
                           "name two result files, or several per side separated by --with.");
    if (count > 2)
        return wrong_usage("compare",
                           "takes two files, but also got \"%s\"; to give several per side, put "
                           "--with between the sides.",
                           c->names[2]);
    return EXIT_DONE;
}

static const char help[] =
    "Compares rows of the same case and parameters. A is the new build, B the one it is compared\n"
    "with; a ratio above 1 means that A is faster (for other metrics: better). Several files per\n"
    "side are several runs of one build, best measured in turns with the other:\n\n"
    "  parallax compare new1.jsonl new2.jsonl --with old1.jsonl old2.jsonl\n\n"
    "Intervals are 95% intervals by Welch's t test on the logarithms of rounds, widened by the\n"
    "spread between runs if there are several; for files without rounds, they follow from the\n"
    "intervals of the two medians. Columns A and B show medians, as parallax bench does, and for\n"
    "several files the median of theirs; ratios are of geometric means over rounds and runs,\n"
    "which differ a little. A result whose check failed is void and gives no ratio. A row that\n"
    "is there twice, with the same date and samples, counts once.\n\n"
    "--threshold judges the geometric mean by its interval, and every case by one that is widened\n"
    "for the number of cases: equal builds fail at most once in twenty times. With it, a case of\n"
    "B that A lacks, or has only void, is a failure too. Exit codes: 0 done, 1 nothing could be\n"
    "compared, or with --threshold not every case of B, 2 wrong arguments, 3 slower than allowed.";

int cmd_compare(int argc, const char **argv) {
    int all = 0;
    const char *threshold = NULL;
    const struct poptOption options[] = {
        {"with", 'w', POPT_ARG_NONE, NULL, OPTION_WITH, "the files after it are those of B", NULL},
        {"threshold", 't', POPT_ARG_STRING, &threshold, 0,
         "exit with 3 when A is shown to be slower than B by more than this percentage", "PERCENT"},
        {"all", 'a', POPT_ARG_NONE, &all, 0,
         "compare all metrics, not only each case's figure of speed", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, output_options, 0, "Output:", NULL},
        POPT_AUTOHELP POPT_TABLEEND};
    int code;
    poptContext parsed = parse_arguments(argc, argv, options,
                                         "[OPTIONS] A.jsonl... [--with] B.jsonl...", help, &code);
    if (parsed) {
        comparison c = {.all = all};
        code = read_threshold(threshold, &c.threshold);
        if (code == EXIT_DONE) code = read_names(&c, parsed);
        if (code == EXIT_DONE) code = check_files(&c);
        if (code == EXIT_DONE) code = run(&c);
        poptFreeContext(parsed);
    }
    free_texts(1, &threshold);
    return code;
}
