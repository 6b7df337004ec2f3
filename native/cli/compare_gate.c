#include "compare_gate.h"

#include "command.h"
#include "rows.h"

#include <math.h>
#include <stdlib.h>

static bool judged(const pair *p) {
    return p->primary && p->positive && !isnan(p->speed.low);
}

static void print_lost(FILE *to, const pair *lost) {
    fprintf(to, "not compared: %s \"%s\", ", row_text(lost->b->row, "suite"),
            row_text(lost->b->row, "case"));
    if (!lost->a)
        fputs("which A lacks\n", to);
    else if (lost->a->count)
        fputs("for which A has no figure above 0\n", to);
    else
        fprintf(to, "void in A: %s\n", row_text(lost->a->row, "checks.failure"));
}

int gate_complete(FILE *to, const pairing *p) {
    enum { NAMED = 4 };
    char *names = NULL;
    if (!p->lost.count) return EXIT_DONE;
    for (int i = 0; i < p->lost.count; ++i) {
        const cJSON *row = p->lost.list[i].b->row;
        print_lost(to, &p->lost.list[i]);
        if (i < NAMED)
            text_add(&names, "%s%s \"%s\"", i ? ", " : "", row_text(row, "suite"),
                     row_text(row, "case"));
    }
    if (p->lost.count > NAMED) text_add(&names, " and %d more", p->lost.count - NAMED);
    report(EXIT_FAILED,
           "%d of B's %d cases could not be compared, since A has no valid figure for them: %s.",
           p->lost.count, p->cases_b, names);
    free(names);
    return EXIT_FAILED;
}

int gate_judge(FILE *to, const pair_list *pairs, const mean_speed *mean, double percent) {
    const double least = 1 - percent / 100;
    int cases = 0, slower = 0;
    for (int i = 0; i < pairs->count; ++i) cases += judged(&pairs->list[i]);
    if (!cases)
        return report(EXIT_FAILED,
                      "--threshold needs figures of speed with an interval, and no pair has one.");
    const bool overall = mean->cases > 1 && mean->speed.high < least;
    if (overall)
        fprintf(to, "too slow: the geometric mean, %.3f (%.3f to %.3f)\n", mean->speed.value,
                mean->speed.low, mean->speed.high);
    for (int i = 0; i < pairs->count; ++i) {
        const pair *p = &pairs->list[i];
        if (!judged(p)) continue;
        const interval speed = pair_speed(p, TAIL_95 / cases);
        if (!(speed.high < least)) continue;
        slower += 1;
        fprintf(to, "too slow: %s %s, %.3f (%.3f to %.3f)\n", row_text(p->a->row, "suite"),
                row_text(p->a->row, "case"), speed.value, speed.low, speed.high);
    }
    if (overall || slower)
        return report(EXIT_SLOWER, "A is slower than B by more than %g%%: %s%d of %d cases.",
                      percent, overall ? "the mean, and " : "", slower, cases);
    fprintf(to,
            "not shown to be slower by more than %g%% (%d case%s, each with an interval of "
            "%.4g%%)\n",
            percent, cases, cases == 1 ? "" : "s", 100 - 200 * TAIL_95 / cases);
    return EXIT_DONE;
}
