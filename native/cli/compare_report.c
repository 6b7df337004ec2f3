#include "compare_report.h"

#include "command.h"
#include "rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A larger change of speed is worth a warning, if the interval confirms it. */
static const double MOVED = 0.02;

/* A number or string as text, to be freed; "" for anything else. */
static char *value_text(const cJSON *value) {
    char *text = NULL;
    if (value && cJSON_IsNumber(value))
        text_add(&text, "%.10g", value->valuedouble);
    else
        text_add(&text, "%s", value && cJSON_IsString(value) ? value->valuestring : "");
    return text;
}

char *engine_text(const cJSON *row, const cJSON *beside) {
    static const char *const parts[] = {"engine.isa", "engine.tier", "engine.runtime"};
    const char *name = row_text(row, "engine.name"), *gemm = row_text(row, "engine.gemm"),
               *other = row_text(beside, "engine.gemm");
    const double threads = row_number(row, "engine.threads");
    char *text = NULL;
    if (strcmp(name, "parallax") != 0) text_add(&text, "%s ", name);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; ++i)
        if (*row_text(row, parts[i])) text_add(&text, "%s ", row_text(row, parts[i]));
    if (*gemm && (strcmp(gemm, "builtin") != 0 || (*other && strcmp(other, "builtin") != 0)))
        text_add(&text, "%s ", gemm);
    text_add(&text, "x%.0f", isfinite(threads) ? threads : 1);
    return text;
}

/* ---- Both sides ------------------------------------------------------------------------------ */

/* Distinct texts, and whether there are more. */
typedef struct distinct_texts {
    char *known[4];
    int count;
    bool more;
} distinct_texts;

static void add_distinct(distinct_texts *d, char *text) {
    enum { SHOWN = sizeof d->known / sizeof *d->known };
    bool seen = !*text;
    for (int k = 0; k < d->count && !seen; ++k) seen = !strcmp(d->known[k], text);
    if (!seen && d->count < SHOWN) {
        d->known[d->count++] = text;
        return;
    }
    d->more = d->more || !seen;
    free(text);
}

/* The values at path of all runs of one side, such as "avx512 and avx128"; NULL: none. */
static char *distinct(const pair_list *pairs, bool of_a, const char *path) {
    distinct_texts d = {.count = 0};
    char *text = NULL;
    for (int i = 0; i < pairs->count; ++i) {
        const measurement *m = of_a ? pairs->list[i].a : pairs->list[i].b;
        for (int run = 0; run < m->count; ++run)
            add_distinct(&d, value_text(row_get(m->runs[run].row, path)));
    }
    for (int k = 0; k < d.count; ++k) {
        text_add(&text, "%s%s", k ? " and " : "", d.known[k]);
        free(d.known[k]);
    }
    if (d.more) text_add(&text, " and others");
    return text;
}

typedef struct told {
    const char *path, *before, *after;
} told;

static void print_told(FILE *to, const pair_list *pairs, bool of_a, const told *values,
                       size_t count) {
    bool first = true;
    for (size_t i = 0; i < count; ++i) {
        char *text = distinct(pairs, of_a, values[i].path);
        if (!text) continue;
        fprintf(to, "%s%s%s%s", first ? "   " : ", ", values[i].before, text, values[i].after);
        free(text);
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

/* Plans choose threads by these costs, so assumed costs may lead to other choices. */
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

typedef struct difference {
    int count;   /* pairs that differ */
    char *a, *b; /* in the first of them */
} difference;

/* A value that one side lacks is no difference: peers have no instruction set. */
static difference find_difference(const pair_list *pairs, const char *path) {
    difference d = {0};
    for (int i = 0; i < pairs->count; ++i) {
        char *a = value_text(row_get(pairs->list[i].a->row, path)),
             *b = value_text(row_get(pairs->list[i].b->row, path));
        const bool differ = *a && *b && strcmp(a, b) != 0;
        if (differ && !d.count++) {
            d.a = a;
            d.b = b;
            continue;
        }
        free(a);
        free(b);
    }
    return d;
}

void report_differences(FILE *to, const pair_list *pairs) {
    static const told settings[] = {
        {"engine.threads", "threads", ""},
        {"engine.gemm", "GEMM providers", ""},
        {"engine.isa", "instruction sets", ""},
        {"data.kind", "kinds of data", ""},
        {"data.seed", "seeds", ""},
        {"data.sha256", "data files", ""},
        {"machine.name", "machines", ", so the ratios compare machines as well"},
        {"machine.cpus", "numbers of processors", ""},
        {"machine.cpuQuota", "CPU time quotas", ""},
    };
    for (size_t s = 0; s < sizeof settings / sizeof *settings; ++s) {
        const difference d = find_difference(pairs, settings[s].path);
        if (!d.count) continue;
        fprintf(to, "! The %s differ", settings[s].before);
        if (d.count < pairs->count) fprintf(to, " in %d of %d pairs, as", d.count, pairs->count);
        fprintf(to, ": %s in A, %s in B%s.\n", d.a, d.b, settings[s].after);
        free(d.a);
        free(d.b);
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
        fprintf(
            to, " times as fast in A as in B%s\n",
            warn ? ": its speed changed, and the ratios below with it. Measure both sides in turns."
                 : "");
        moved = moved || warn;
        count += 1;
    }
    if (!count)
        fputs("  Whether the machine itself changed speed is not known: A and B have no yardstick "
              "in common.\n",
              to);
    return moved;
}

/* ---- Rows without a counterpart -------------------------------------------------------------- */

static void print_parameter(FILE *to, const char *before, const char *name, const cJSON *a,
                            const cJSON *b) {
    char *left = value_text(a), *right = value_text(b);
    fprintf(to, "%s%s %s against %s", before, name, *left ? left : "none", *right ? right : "none");
    free(left);
    free(right);
}

/* Prints the parameters that differ: "m 128 against 2048, n 64 against none". */
static void print_parameters(FILE *to, const cJSON *a, const cJSON *b) {
    const cJSON *of_a = row_get(a, "parameters"), *of_b = row_get(b, "parameters"), *value;
    const char *before = "";
    cJSON_ArrayForEach(value, of_a) {
        const cJSON *other = cJSON_GetObjectItemCaseSensitive(of_b, value->string);
        if (other && cJSON_Compare(value, other, true)) continue;
        print_parameter(to, before, value->string, value, other);
        before = ", ";
    }
    cJSON_ArrayForEach(value, of_b) {
        if (cJSON_GetObjectItemCaseSensitive(of_a, value->string)) continue;
        print_parameter(to, before, value->string, NULL, value);
        before = ", ";
    }
}

void report_unpaired(FILE *to, const pairing *p) {
    enum { SHOWN = 3 };
    if (p->others.count)
        fprintf(
            to,
            "%d row%s of A and B have the same case but other parameters, and are not compared:\n",
            p->others.count, p->others.count == 1 ? "" : "s");
    for (int i = 0; i < p->others.count && i < SHOWN; ++i) {
        const pair *other = &p->others.list[i];
        fprintf(to, "  %s %s: ", row_text(other->a->row, "suite"), row_text(other->a->row, "case"));
        print_parameters(to, other->a->row, other->b->row);
        fputc('\n', to);
    }
    if (p->others.count > SHOWN) fprintf(to, "  and %d more\n", p->others.count - SHOWN);
    if (p->only_a || p->only_b)
        fprintf(to, "%d row%s only in A, %d only in B.\n", p->only_a,
                p->only_a == 1 ? " is" : "s are", p->only_b);
}
