/* Every kernel of every table that runs here against a reference in a wider type. */
#include "kernels/kernel_case.h"

#include "base/status.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    void (*run)(plx_case *c);
} kernels[] = {
#define KERNEL(result, name, args) {#name, plx_case_of_##name},
#include "kernels/kernels.def"
#undef KERNEL
};

static const char *const values_names[] = {"normal", "whole", "tiny", "huge", "special"};

typedef struct running {
    plx_case *c;
    void (*run)(plx_case *c);
} running;

static void run_case(void *arg) {
    const running *r = arg;
    r->run(r->c);
}

/* Runs one case at one end of its pages; returns the hash of its outputs. */
static uint64_t run_at(plx_check *t, plx_guards *guards, const plx_case *description,
                       void (*run)(plx_case *c), bool at_end) {
    plx_case c = *description;
    const uint64_t name = plx_fnv1a(PLX_FNV1A_START, c.kernel, strlen(c.kernel));
    c.guards = guards;
    c.at_end = at_end;
    c.variant = "";
    c.random = name + (uint64_t)(c.n * PLX_VALUES_ + (int64_t)c.values);
    c.hash = PLX_FNV1A_START;
    running r = {&c, run};
    const bool inside = plx_guards_run(run_case, &r);
    const char *values = values_names[description->values];
    CHECK(t, inside, "%s: %s%s%s, n %lld, %s values: touches memory outside its operands",
          c.k->name, c.kernel, *c.variant ? ", " : "", c.variant, (long long)c.n, values);
    CHECK(t, !inside || plx_guards_intact(guards),
          "%s: %s, n %lld, %s values: writes outside its operands", c.k->name, c.kernel,
          (long long)c.n, values);
    CHECK(t, !c.wrong, "%s, n %lld, %s values: %s", c.k->name, (long long)c.n, values, c.sentence);
    return c.hash;
}

static uint64_t walk_kernel(plx_check *t, const plx_kernels *k, plx_guards *guards, int kernel) {
    const int64_t vl = k->vl, sizes[] = {0, 1, vl - 1, vl, vl + 1, 2 * vl + 3, 1000};
    uint64_t hash = PLX_FNV1A_START;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; ++i)
        for (int values = 0; values < PLX_VALUES_; ++values) {
            const plx_case c = {.k = k,
                                .kernel = kernels[kernel].name,
                                .n = sizes[i],
                                .values = (plx_values)values};
            const uint64_t end = run_at(t, guards, &c, kernels[kernel].run, true);
            const uint64_t start = run_at(t, guards, &c, kernels[kernel].run, false);
            CHECK(t, end == start,
                  "%s: %s, n %lld, %s values: bits depend on the addresses of operands", k->name,
                  c.kernel, (long long)c.n, values_names[values]);
            hash = plx_fnv1a(hash, &end, sizeof end);
        }
    return hash;
}

uint64_t plx_walk_kernels(plx_check *t, const plx_kernels *k, const char *only, bool hashes) {
    plx_guards guards;
    uint64_t hash = PLX_FNV1A_START;
    if (!CHECK(t, plx_guards_open(&guards), "no memory for guarded operands")) return 0;
    for (int i = 0; i < (int)(sizeof kernels / sizeof kernels[0]); ++i) {
        if (only && strcmp(only, kernels[i].name)) continue;
        const uint64_t own = walk_kernel(t, k, &guards, i);
        if (hashes) printf("%s %s %016llx\n", k->name, kernels[i].name, (unsigned long long)own);
        hash = plx_fnv1a(hash, &own, sizeof own);
    }
    plx_guards_close(&guards);
    return hash;
}

const plx_kernels *plx_walk_table(int i) {
    const plx_kernels *k = NULL;
    plx__message message;
    const char *name = plx_isa_name(i);
    if (name) plx__kernels_pick(name, false, &k, &message);
    return k;
}

/* kernels.exact walks the exact tables, whose bits it compares too. */
void plx_test_kernels_walk(plx_check *t) {
    for (int i = 0; plx_walk_table(i); ++i)
        if (!plx_walk_table(i)->exact) plx_walk_kernels(t, plx_walk_table(i), NULL, false);
}
