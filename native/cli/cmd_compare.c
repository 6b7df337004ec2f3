/* parallax compare */
#include "command.h"
#include "output.h"
#include "row_file.h"
#include "rows.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

typedef struct interval {
    double value, low, high;
} interval;

typedef struct comparison {
    output out;
    const char *names[2];
    bool all;
    int pairs, voided;
    double log_sum, below, above; /* of the primary ratios */
    int primary;
} comparison;

static interval samples(const cJSON *row) {
    interval i = {row_number(row, "samples.median"), row_number(row, "samples.low"),
                  row_number(row, "samples.high")};
    /* A single figure, as a tail, has no interval. */
    if (!(i.low > 0) || !(i.high >= i.low)) i.low = i.high = i.value;
    return i;
}

/* a / b of independent measurements: relative errors add in quadrature, on a logarithmic scale. */
static interval quotient(interval a, interval b) {
    const double value = a.value / b.value;
    return (interval){
        value,
        value * exp(-hypot(log(a.value / a.low), log(b.high / b.value))),
        value * exp(hypot(log(a.high / a.value), log(b.value / b.low))),
    };
}

/* "native avx512, 2 threads" */
static void engine_text(const cJSON *row, char *text, size_t size) {
    const char *name = row_text(row, "engine.name"), *tier = row_text(row, "engine.tier");
    const double threads = row_number(row, "engine.threads");
    snprintf(text, size, "%s%s%s%s%s x%.0f", strcmp(name, "parallax") != 0 ? name : "",
             strcmp(name, "parallax") != 0 ? " " : "", row_text(row, "engine.isa"),
             *tier ? " " : "", tier, isfinite(threads) ? threads : 1);
}

static bool same_case(const cJSON *a, const cJSON *b) {
    static const char *const keys[] = {"suite", "case", "metric", "unit"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; ++i)
        if (strcmp(row_text(a, keys[i]), row_text(b, keys[i])) != 0) return false;
    return true;
}

static bool is_void(const cJSON *row) {
    return cJSON_IsFalse(row_get(row, "checks.passed"));
}

static cJSON *pair_row(const cJSON *a, const cJSON *b, const char *of_a, const char *of_b,
                       interval speed) {
    cJSON *row = cJSON_CreateObject();
    if (!row) return NULL;
    cJSON_AddStringToObject(row, "suite", row_text(a, "suite"));
    cJSON_AddStringToObject(row, "case", row_text(a, "case"));
    cJSON_AddStringToObject(row, "metric", row_text(a, "metric"));
    cJSON_AddStringToObject(row, "unit", row_text(a, "unit"));
    cJSON_AddStringToObject(row, "engineA", of_a);
    cJSON_AddStringToObject(row, "engineB", of_b);
    cJSON_AddNumberToObject(row, "medianA", row_number(a, "samples.median"));
    cJSON_AddNumberToObject(row, "medianB", row_number(b, "samples.median"));
    cJSON_AddNumberToObject(row, "ratio", speed.value);
    cJSON_AddNumberToObject(row, "low", speed.low);
    cJSON_AddNumberToObject(row, "high", speed.high);
    return row;
}

static void print_header(FILE *to) {
    fprintf(to, "%-9s %-30s %-16s %-20s %-20s %10s %10s  %s\n", "suite", "case", "metric", "A", "B",
            "median A", "median B", "A over B in speed, 95% interval");
}

static bool print_pair(comparison *c, const cJSON *a, const cJSON *b) {
    FILE *to = output_tables(&c->out);
    char of_a[64], of_b[64];
    engine_text(a, of_a, sizeof of_a);
    engine_text(b, of_b, sizeof of_b);
    const interval x = samples(a), y = samples(b);
    fprintf(to, "%-9s %-30s %-16s %-20s %-20s %10.4g %10.4g  ", row_text(a, "suite"),
            row_text(a, "case"), row_text(a, "metric"), of_a, of_b, x.value, y.value);
    if (is_void(a) || is_void(b)) {
        c->voided += 1;
        fprintf(to, "void: the check of %s failed\n", is_void(a) ? "A" : "B");
        return true;
    }
    if (!(x.value > 0) || !(y.value > 0)) {
        fprintf(to, "no ratio\n");
        return true;
    }
    const bool lower = !strcmp(row_text(a, "better"), "lower");
    const interval speed = lower ? quotient(y, x) : quotient(x, y);
    const bool differs = speed.low > 1 || speed.high < 1;
    fprintf(to, "%.3f (%.3f to %.3f)%s\n", speed.value, speed.low, speed.high,
            differs ? "" : "  no difference shown");
    if (cJSON_IsTrue(row_get(a, "primary"))) {
        c->primary += 1;
        c->log_sum += log(speed.value);
        c->below = hypot(c->below, log(speed.value / speed.low));
        c->above = hypot(c->above, log(speed.high / speed.value));
    }
    return output_row(&c->out, pair_row(a, b, of_a, of_b, speed));
}

/* Every row of A beside every row of B of the same case and metric: a file may hold several
 * engines, which are named. */
static bool compare_rows(comparison *c, const cJSON *rows_a, const cJSON *rows_b) {
    bool ok = true;
    const cJSON *a, *b;
    cJSON_ArrayForEach(a, rows_a) {
        const bool wanted = cJSON_IsTrue(row_get(a, "primary")) || c->all;
        if (!wanted || !strcmp(row_text(a, "better"), "none")) continue;
        cJSON_ArrayForEach(b, rows_b) {
            if (!same_case(a, b)) continue;
            if (!c->pairs++) print_header(output_tables(&c->out));
            ok = print_pair(c, a, b) && ok;
        }
    }
    return ok;
}

static void print_mean(const comparison *c) {
    FILE *to = output_tables(&c->out);
    if (c->primary > 1) {
        const double mean = exp(c->log_sum / c->primary);
        fprintf(to, "\ngeometric mean of %d ratios: %.3f (%.3f to %.3f)\n", c->primary, mean,
                mean * exp(-c->below / c->primary), mean * exp(c->above / c->primary));
    }
    if (c->voided) fprintf(to, "%d pairs are void and not in it\n", c->voided);
}

static void print_machines(const comparison *c, const cJSON *rows_a, const cJSON *rows_b) {
    FILE *to = output_tables(&c->out);
    const cJSON *first[2] = {cJSON_GetArrayItem(rows_a, 0), cJSON_GetArrayItem(rows_b, 0)};
    for (int i = 0; i < 2; ++i)
        fprintf(to, "%c  %s: %s, %s, commit %s\n", "AB"[i], c -> names[i],
                row_text(first[i], "machine.name"), row_text(first[i], "compiler"),
                row_text(first[i], "commit"));
    if (strcmp(row_text(first[0], "machine.name"), row_text(first[1], "machine.name")) != 0)
        fprintf(to, "   The machines differ, so the ratios are of machines as well.\n");
    fputc('\n', to);
}

/* Whether both names lead to one file, which would be overwritten by what is made of it. */
static bool same_file(const char *a, const char *b) {
    struct stat first, second;
    return a && b && stat(a, &first) == 0 && stat(b, &second) == 0 &&
           first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

static int check_outputs(const comparison *c) {
    const char *outputs[] = {arguments.json, arguments.csv};
    for (int i = 0; i < 4; ++i)
        if (same_file(outputs[i / 2], c->names[i % 2]))
            return wrong_usage("compare",
                               "\"%s\" is one of the files to compare; write to another.",
                               outputs[i / 2]);
    return EXIT_DONE;
}

static int run(comparison *c) {
    if (!output_open(&c->out)) return EXIT_FAILED;
    cJSON *a = row_file_read(c->names[0]);
    cJSON *b = a ? row_file_read(c->names[1]) : NULL;
    int code = EXIT_FAILED;
    if (a && b) {
        print_machines(c, a, b);
        code = compare_rows(c, a, b) ? EXIT_DONE : EXIT_FAILED;
        if (!c->pairs)
            code = report(EXIT_FAILED, "\"%s\" and \"%s\" have no case in common.", c->names[0],
                          c->names[1]);
        print_mean(c);
    }
    cJSON_Delete(a);
    cJSON_Delete(b);
    if (!output_close(&c->out, code == EXIT_DONE)) code = EXIT_FAILED;
    return code;
}

int cmd_compare(int argc, const char **argv) {
    int all = 0;
    const struct poptOption options[] = {
        {"all", 'a', POPT_ARG_NONE, &all, 0, "all metrics, not only each case's figure of speed",
         NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, output_options, 0, "Output:", NULL},
        POPT_AUTOHELP POPT_TABLEEND};
    int code;
    poptContext parsed = parse_arguments(
        argc, argv, options, "[OPTIONS] A.jsonl B.jsonl",
        "Sets rows of the same case side by side. A ratio above 1 means that A is faster (for\n"
        "other metrics: better). Intervals are of 95%, from those of the two medians. A result\n"
        "whose check failed is void and gives no ratio.",
        &code);
    if (!parsed) return code;
    comparison c = {.all = all};
    c.names[0] = poptGetArg(parsed);
    c.names[1] = poptGetArg(parsed);
    if (!c.names[0] || !c.names[1])
        code = wrong_usage("compare", "name two result files.");
    else if (poptPeekArg(parsed))
        code = wrong_usage("compare", "takes two files, but also got \"%s\".", poptGetArg(parsed));
    else if ((code = check_outputs(&c)) == EXIT_DONE)
        code = run(&c);
    poptFreeContext(parsed);
    return code;
}
