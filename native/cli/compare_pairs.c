#include "compare_pairs.h"

#include "command.h"
#include "rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool add(pair_list *pairs, pair added) {
    if (pairs->count == pairs->room) {
        const int room = pairs->room ? 2 * pairs->room : 64;
        pair *moved = realloc(pairs->list, (size_t)room * sizeof *moved);
        if (!moved) {
            report(EXIT_FAILED, "there is not enough memory for the pairs.");
            return false;
        }
        pairs->list = moved;
        pairs->room = room;
    }
    pairs->list[pairs->count++] = added;
    return true;
}

static pair make_pair(measurement *a, measurement *b) {
    pair p = {.a = a,
              .b = b,
              .voided = !a->count || !b->count,
              .positive = a->positive && b->positive,
              .primary = cJSON_IsTrue(row_get(a->row, "primary")),
              .lower = !strcmp(row_text(a->row, "better"), "lower")};
    if (p.positive) p.speed = pair_speed(&p, TAIL_95);
    a->paired = b->paired = true;
    return p;
}

interval pair_speed(const pair *p, double tail) {
    const estimate *a = &p->a->estimate, *b = &p->b->estimate;
    return p->lower ? estimate_quotient(b, a, tail) : estimate_quotient(a, b, tail);
}

/* Pairs one measurement of A with all of B that it is compared with. */
static bool pair_one(pairing *p, measurement *a, side *b) {
    pair_list *into = is_yardstick(a->row) ? &p->yardsticks : &p->pairs;
    measurement *other = NULL;
    bool same = false;
    for (int i = 0; i < b->count && !same; ++i)
        same = same_names(a->row, b->list[i].row) && same_parameters(a->row, b->list[i].row) &&
               same_engine(a->row, b->list[i].row);
    for (int i = 0; i < b->count; ++i) {
        measurement *m = &b->list[i];
        if (!same_names(a->row, m->row)) continue;
        if (!same_parameters(a->row, m->row)) {
            other = m;
            continue;
        }
        if (same && !same_engine(a->row, m->row)) continue;
        if (!add(into, make_pair(a, m))) return false;
    }
    if (a->paired || !other || is_yardstick(a->row)) return true;
    return add(&p->others, (pair){.a = a, .b = other});
}

static int unpaired(const side *s) {
    int count = 0;
    for (int i = 0; i < s->count; ++i) count += !s->list[i].paired && !is_yardstick(s->list[i].row);
    return count;
}

static measurement *same_case(side *s, const cJSON *row) {
    for (int i = 0; i < s->count; ++i)
        if (same_names(s->list[i].row, row) && same_parameters(s->list[i].row, row))
            return &s->list[i];
    return NULL;
}

/* Whether A has a figure to set against B's; *a is set to what it has instead (NULL: nothing). */
static bool is_met(const pairing *p, side *of_a, const measurement *b, const measurement **a) {
    /* If B has several engines, this one may be missing in A: any engine of A with the case will
     * do. */
    if (!b->paired) return (*a = same_case(of_a, b->row)) && (*a)->positive;
    bool met = false;
    for (int i = 0; i < p->pairs.count; ++i) {
        if (p->pairs.list[i].b != b) continue;
        met = met || p->pairs.list[i].positive;
        *a = p->pairs.list[i].a;
    }
    return met;
}

static bool find_lost(pairing *p, side *a, const side *b) {
    for (int i = 0; i < b->count; ++i) {
        const measurement *m = &b->list[i], *beside = NULL;
        if (is_yardstick(m->row) || !m->positive || !cJSON_IsTrue(row_get(m->row, "primary")))
            continue;
        p->cases_b += 1;
        if (!is_met(p, a, m, &beside) && !add(&p->lost, (pair){.a = beside, .b = m})) return false;
    }
    return true;
}

bool pairs_make(pairing *p, side *a, side *b) {
    *p = (pairing){0};
    for (int i = 0; i < a->count; ++i)
        if (!pair_one(p, &a->list[i], b)) return false;
    p->only_a = unpaired(a);
    p->only_b = unpaired(b);
    return find_lost(p, a, b);
}

void pairs_free(pairing *p) {
    free(p->pairs.list);
    free(p->yardsticks.list);
    free(p->others.list);
    free(p->lost.list);
    *p = (pairing){0};
}

verdict verdict_of(interval speed) {
    if (isnan(speed.low) || isnan(speed.high)) return VERDICT_NONE;
    if (speed.low > 1) return VERDICT_FASTER;
    return speed.high < 1 ? VERDICT_SLOWER : VERDICT_SAME;
}

const char *verdict_text(verdict v) {
    static const char *const texts[] = {"no interval", "no difference shown", "faster", "slower"};
    return texts[v];
}
