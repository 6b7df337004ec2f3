#include "compare_report.h"

#include "rows.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

/* More than this share of speed is worth a warning, when the interval shows it. */
static const double MOVED = 0.02;

/* Appends as far as there is room. */
static void __attribute__((format(printf, 3, 4))) append(char *text, size_t size,
                                                         const char *format, ...) {
    const size_t length = strlen(text);
    va_list list;
    va_start(list, format);
    vsnprintf(text + length, size - length, format, list);
    va_end(list);
}

static void value_text(const cJSON *row, const char *path, char *text, size_t size) {
    const cJSON *value = row_get(row, path);
    text[0] = 0;
    if (cJSON_IsNumber(value))
        snprintf(text, size, "%.10g", value->valuedouble);
    else if (cJSON_IsString(value))
        snprintf(text, size, "%s", value->valuestring);
}

void engine_text(const cJSON *row, const cJSON *beside, char *text, size_t size) {
    static const char *const parts[] = {"engine.isa", "engine.tier", "engine.runtime"};
    const char *name = row_text(row, "engine.name"), *gemm = row_text(row, "engine.gemm"),
               *other = row_text(beside, "engine.gemm");
    const double threads = row_number(row, "engine.threads");
    text[0] = 0;
    if (strcmp(name, "parallax") != 0) append(text, size, "%s ", name);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; ++i)
        if (*row_text(row, parts[i])) append(text, size, "%s ", row_text(row, parts[i]));
    if (*gemm && (strcmp(gemm, "builtin") != 0 || (*other && strcmp(other, "builtin") != 0)))
        append(text, size, "%s ", gemm);
    append(text, size, "x%.0f", isfinite(threads) ? threads : 1);
}

/* ---- Both sides ------------------------------------------------------------------------------ */

/* The values at path of all runs of one side, each once: "avx512 and avx128". */
static void distinct(const pair_list *pairs, bool of_a, const char *path, char *text, size_t size) {
    enum { SHOWN = 4 };
    char known[SHOWN][160], value[160];
    int count = 0;
    text[0] = 0;
    for (int i = 0; i < pairs->count; ++i) {
        const measurement *m = of_a ? pairs->list[i].a : pairs->list[i].b;
        for (int run = 0; run < m->count; ++run) {
            value_text(m->runs[run].row, path, value, sizeof value);
            bool seen = !*value || count == SHOWN;
            for (int k = 0; k < count && !seen; ++k) seen = !strcmp(known[k], value);
            if (seen) continue;
            append(text, size, "%s%s", count ? " and " : "", value);
            memcpy(known[count++], value, sizeof value);
        }
    }
}

typedef struct told {
    const char *path, *before, *after;
} told;

static void print_told(FILE *to, const pair_list *pairs, bool of_a, const told *values,
                       size_t count) {
    bool first = true;
    for (size_t i = 0; i < count; ++i) {
        char text[512];
        distinct(pairs, of_a, values[i].path, text, sizeof text);
        if (!*text) continue;
        fprintf(to, "%s%s%s%s", first ? "   " : ", ", values[i].before, text, values[i].after);
        first = false;
    }
    if (!first) fputc('\n', to);
}

void report_sides(FILE *to, const side *a, const side *b, const pair_list *pairs) {
    static const told build[] = {
        {"machine.name", "", ""}, {"compiler", "", ""}, {"commit", "commit ", ""}};
    static const told engine[] = {{"engine.name", "", ""},      {"engine.isa", "", ""},
                                  {"engine.tier", "", ""},      {"engine.runtime", "", ""},
                                  {"engine.gemm", "GEMM ", ""}, {"engine.threads", "threads ", ""},
                                  {"data.kind", "", " data"},   {"data.seed", "seed ", ""}};
    const side *sides[] = {a, b};
    for (int i = 0; i < 2; ++i) {
        fprintf(to, "%c ", "AB"[i]);
        for (int k = 0; k < sides[i]->files; ++k)
            fprintf(to, "%s %s", k ? "," : "", sides[i]->names[k]);
        fputc('\n', to);
        print_told(to, pairs, i == 0, build, sizeof build / sizeof *build);
        print_told(to, pairs, i == 0, engine, sizeof engine / sizeof *engine);
    }
    for (int i = 0; i < 2; ++i) {
        const int count = sides[i]->repeated;
        if (!count) continue;
        fprintf(to, "! %d row%s of %c %s there twice, with the same date and samples: %s once.\n",
                count, count == 1 ? "" : "s", "AB"[i], count == 1 ? "is" : "are",
                count == 1 ? "it counts" : "they count");
    }
}

/* ---- Differences ----------------------------------------------------------------------------- */

/* Plans choose threads by costs, so that those which were not measured may choose others. */
static void report_costs(FILE *to, const pair_list *pairs) {
    int of_a = 0, of_b = 0;
    for (int i = 0; i < pairs->count; ++i) {
        of_a += !strcmp(row_text(pairs->list[i].a->row, "engine.costs"), "assumed");
        of_b += !strcmp(row_text(pairs->list[i].b->row, "engine.costs"), "assumed");
    }
    if (!of_a == !of_b) return;
    fprintf(to,
            "! The costs of threads were assumed in %d rows of %s, not measured: plans may have "
            "chosen other threads.\n",
            of_a + of_b, of_a ? "A" : "B");
}

void report_differences(FILE *to, const pair_list *pairs) {
    static const told settings[] = {
        {"engine.threads", "threads", ""},
        {"engine.gemm", "GEMM providers", ""},
        {"engine.isa", "instruction sets", ""},
        {"data.kind", "kinds of data", ""},
        {"data.seed", "seeds", ""},
        {"data.sha256", "data files", ""},
        {"machine.name", "machines", ", so the ratios are of machines as well"},
        {"machine.cpus", "numbers of processors", ""},
    };
    for (size_t s = 0; s < sizeof settings / sizeof *settings; ++s) {
        char a[160], b[160], first_a[160] = "", first_b[160] = "", share[64] = "";
        int count = 0;
        for (int i = 0; i < pairs->count; ++i) {
            value_text(pairs->list[i].a->row, settings[s].path, a, sizeof a);
            value_text(pairs->list[i].b->row, settings[s].path, b, sizeof b);
            /* What one side does not tell is no difference: peers have no instruction set. */
            if (!*a || !*b || !strcmp(a, b) || count++) continue;
            memcpy(first_a, a, sizeof a);
            memcpy(first_b, b, sizeof b);
        }
        if (!count) continue;
        if (count < pairs->count)
            snprintf(share, sizeof share, " in %d of %d pairs, as", count, pairs->count);
        fprintf(to, "! The %s differ%s: %s in A, %s in B%s.\n", settings[s].before, share, first_a,
                first_b, settings[s].after);
    }
    report_costs(to, pairs);
}

/* ---- The machine ----------------------------------------------------------------------------- */

bool report_machine(FILE *to, const pair_list *yardsticks) {
    bool moved = false;
    int count = 0;
    for (int i = 0; i < yardsticks->count; ++i) {
        const pair *p = &yardsticks->list[i];
        if (!p->positive) continue;
        const bool shown =
            verdict_of(p->speed) == VERDICT_FASTER || verdict_of(p->speed) == VERDICT_SLOWER;
        const bool warn = shown && fabs(p->speed.value - 1) > MOVED;
        fprintf(to, "%s The machine itself, %s: %.3f", warn ? "!" : " ",
                row_text(p->a->row, "metric"), p->speed.value);
        if (!isnan(p->speed.low)) fprintf(to, " (%.3f to %.3f)", p->speed.low, p->speed.high);
        fprintf(to, " times as fast in A as in B%s\n",
                warn ? ": it moved, and the ratios below with it. Measure both sides in turns."
                     : "");
        moved = moved || warn;
        count += 1;
    }
    if (!count)
        fputs("  Whether the machine itself moved is not known: A and B have no yardstick in "
              "common.\n",
              to);
    return moved;
}

/* ---- What stands alone ----------------------------------------------------------------------- */

/* "m 128 against 2048, n 64 against none": the parameters that differ. */
static void parameter_text(const cJSON *a, const cJSON *b, char *text, size_t size) {
    const cJSON *of_a = row_get(a, "parameters"), *of_b = row_get(b, "parameters"), *value;
    char left[96], right[96];
    text[0] = 0;
    for (int pass = 0; pass < 2; ++pass) {
        const cJSON *all = pass ? of_b : of_a;
        cJSON_ArrayForEach(value, all) {
            if (pass && cJSON_GetObjectItemCaseSensitive(of_a, value->string)) continue;
            value_text(of_a, value->string, left, sizeof left);
            value_text(of_b, value->string, right, sizeof right);
            if (!strcmp(left, right)) continue;
            append(text, size, "%s%s %s against %s", *text ? ", " : "", value->string,
                   *left ? left : "none", *right ? right : "none");
        }
    }
}

void report_unpaired(FILE *to, const pairing *p) {
    enum { SHOWN = 3 };
    if (p->others.count)
        fprintf(to,
                "%d row%s of A and B have the same case but other parameters, and are not "
                "compared:\n",
                p->others.count, p->others.count == 1 ? "" : "s");
    for (int i = 0; i < p->others.count && i < SHOWN; ++i) {
        const pair *other = &p->others.list[i];
        char text[400];
        parameter_text(other->a->row, other->b->row, text, sizeof text);
        fprintf(to, "  %s %s: %s\n", row_text(other->a->row, "suite"),
                row_text(other->a->row, "case"), text);
    }
    if (p->others.count > SHOWN) fprintf(to, "  and %d more\n", p->others.count - SHOWN);
    if (p->only_a || p->only_b)
        fprintf(to, "%d rows are in A alone, %d in B alone.\n", p->only_a, p->only_b);
}
