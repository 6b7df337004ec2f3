#include "bench_table.h"

#include "bench_summary.h"
#include "compare_side.h"
#include "rows.h"

#include <string.h>

void table_header(FILE *to, const char *suite) {
    fprintf(to, "\n%s\n  %-34s %-20s %10s  %-9s %9s %10s  %s\n", suite, "case", "metric", "median",
            "unit", "mean", "deviation", "95% interval of the median");
}

/* Median, mean, deviation and interval; for a single sample its value alone. */
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

/* Bytes by component, if the case knows them. */
static void print_memory(FILE *to, const cJSON *row) {
    const cJSON *memory = row_get(row, "memory"), *component;
    if (!memory || !cJSON_IsTrue(row_get(row, "primary"))) return;
    fprintf(to, "    memory (bytes):");
    cJSON_ArrayForEach(component, memory)
        fprintf(to, "%s %s %.0f", component == memory->child ? "" : ",", component->string,
                component->valuedouble);
    fputc('\n', to);
}

const char *share_text(const cJSON *row, char *text, size_t size) {
    const bool ceiling = row_get(row, "ceiling.share") && !row_get(row, "ceiling.failure");
    const bool roofline = row_get(row, "roofline.share") && !row_get(row, "roofline.failure");
    if (ceiling)
        snprintf(text, size, "%.0f%% of the ceiling", 100 * row_number(row, "ceiling.share"));
    else if (roofline)
        snprintf(text, size, "%.0f%% of the roofline, %s", 100 * row_number(row, "roofline.share"),
                 row_text(row, "roofline.level"));
    else
        *text = 0;
    return text;
}

/* The share of what this machine allows at most, or why it does not count. */
static void print_shares(FILE *to, const cJSON *row) {
    char text[64];
    if (*share_text(row, text, sizeof text)) fprintf(to, "  (%s)", text);
    if (*row_text(row, "ceiling.failure"))
        fprintf(to, "  (no share of the ceiling: %s)", row_text(row, "ceiling.failure"));
    if (*row_text(row, "roofline.failure"))
        fprintf(to, "  (no share of the roofline: %s)", row_text(row, "roofline.failure"));
}

static void print_threads(FILE *to, const cJSON *row) {
    const double threads = row_number(row, "engine.threads"),
                 worked = row_number(row, "engine.threadsWorked");
    /* The yardstick runs on one thread, whatever the engine has. */
    if (worked < threads && !is_yardstick(row))
        fprintf(to, "  (%.0f of %.0f threads worked)", worked, threads);
    if (!strcmp(row_text(row, "engine.costs"), "assumed")) fputs("  (thread costs assumed)", to);
}

void table_row(FILE *to, const cJSON *row) {
    print_samples(to, row);
    /* A case that is about another one names it. */
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
