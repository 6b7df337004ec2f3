/* Works out the geometric mean of a comparison. */
#include "command.h"
#include "compare_pairs.h"

#include <math.h>
#include <stdlib.h>

/* For each round of a run, how far its figures lie from their cases' own means, averaged over the
 * cases. */
typedef struct mean_run {
    int file, occurrence;
    int cases[ROUNDS_MOST];
    double sums[ROUNDS_MOST];
} mean_run;

typedef struct mean_side {
    mean_run *runs;
    int count, room;
} mean_side;

static mean_run *run_of(mean_side *s, const run_row *row) {
    for (int i = 0; i < s->count; ++i)
        if (s->runs[i].file == row->file && s->runs[i].occurrence == row->occurrence)
            return &s->runs[i];
    if (s->count == s->room) {
        const int room = s->room ? 2 * s->room : 8;
        mean_run *moved = realloc(s->runs, (size_t)room * sizeof *moved);
        if (!moved) return NULL;
        s->runs = moved;
        s->room = room;
    }
    s->runs[s->count] = (mean_run){.file = row->file, .occurrence = row->occurrence};
    return &s->runs[s->count++];
}

static bool no_memory(void) {
    report(EXIT_FAILED, "there is not enough memory for the rounds.");
    return false;
}

static bool has_rounds(const measurement *m) {
    double logs[ROUNDS_MOST];
    for (int i = 0; i < m->count; ++i)
        if (!row_rounds(m->runs[i].row, logs)) return false;
    return m->count > 0;
}

static bool has_stopped(const measurement *m) {
    for (int i = 0; i < m->count; ++i)
        if (row_stopped(m->runs[i].row)) return true;
    return false;
}

/* sign: -1 where lower is better, so that sums are of speeds. */
static bool add_case(mean_side *s, const measurement *m, int sign) {
    for (int i = 0; i < m->count; ++i) {
        double logs[ROUNDS_MOST];
        const int rounds = row_rounds(m->runs[i].row, logs);
        mean_run *run = run_of(s, &m->runs[i]);
        if (!run) return no_memory();
        for (int r = 0; r < rounds; ++r) {
            run->sums[r] += sign * (logs[r] - m->estimate.log_value);
            run->cases[r] += 1;
        }
    }
    return true;
}

/* The number of rounds that at least half of the run's cases have. */
static int run_rounds(const mean_run *run, double *means) {
    int rounds = 0;
    for (int r = 0; r < ROUNDS_MOST && 2 * run->cases[r] >= run->cases[0]; ++r)
        means[rounds++] = run->sums[r] / run->cases[r];
    return rounds;
}

/* Returns false when memory is short. */
static bool estimate_side(const mean_side *s, estimate *e) {
    const size_t runs = (size_t)s->count;
    double *logs = calloc(runs, sizeof *logs), means[ROUNDS_MOST];
    spread *within = calloc(runs, sizeof *within);
    bool *known = calloc(runs, sizeof *known);
    const bool enough = logs && within && known;
    for (int i = 0; enough && i < s->count; ++i) {
        /* Every case here has rounds, so the run has at least as many. */
        within[i] = spread_of(run_rounds(&s->runs[i], means), means, &logs[i]);
        known[i] = true;
    }
    *e = (estimate){.value = 1};
    if (enough) estimate_spreads(e, s->count, logs, within, known);
    free(logs);
    free(within);
    free(known);
    return enough;
}

/* Running sums of the logarithms, and of the squares of half widths. */
typedef struct mean_parts {
    mean_side a, b;
    double log_sum, below, above;
    int cases, with_rounds, stopped, unknown;
} mean_parts;

static bool add_pair(mean_parts *parts, const pair *p) {
    parts->log_sum += log(p->speed.value);
    parts->cases += 1;
    if (has_rounds(p->a) && has_rounds(p->b)) {
        const int sign = p->lower ? -1 : 1;
        parts->with_rounds += 1;
        return add_case(&parts->a, p->a, sign) && add_case(&parts->b, p->b, sign);
    }
    parts->stopped += has_stopped(p->a) || has_stopped(p->b);
    if (isnan(p->speed.low)) {
        parts->unknown += 1;
        return true;
    }
    parts->below = hypot(parts->below, log(p->speed.value / p->speed.low));
    parts->above = hypot(parts->above, log(p->speed.high / p->speed.value));
    return true;
}

static bool combine(mean_parts *parts, interval *speed) {
    if (parts->with_rounds) {
        estimate a, b;
        if (!estimate_side(&parts->a, &a) || !estimate_side(&parts->b, &b)) return no_memory();
        const interval shared = estimate_quotient(&a, &b, TAIL_95);
        parts->below = hypot(parts->below, -parts->with_rounds * log(shared.low));
        parts->above = hypot(parts->above, parts->with_rounds * log(shared.high));
    }
    const double value = exp(parts->log_sum / parts->cases);
    const bool known = parts->unknown < parts->cases;
    *speed = (interval){value, known ? value * exp(-parts->below / parts->cases) : NAN,
                        known ? value * exp(parts->above / parts->cases) : NAN};
    return true;
}

bool pairs_mean(const pair_list *pairs, mean_speed *mean) {
    mean_parts parts = {0};
    bool ok = true;
    for (int i = 0; i < pairs->count && ok; ++i)
        if (pairs->list[i].positive && pairs->list[i].primary)
            ok = add_pair(&parts, &pairs->list[i]);
    *mean = (mean_speed){.cases = parts.cases,
                         .without_rounds = parts.cases - parts.with_rounds,
                         .stopped = parts.stopped};
    if (ok && parts.cases) ok = combine(&parts, &mean->speed);
    free(parts.a.runs);
    free(parts.b.runs);
    return ok;
}
