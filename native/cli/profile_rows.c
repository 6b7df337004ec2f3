#include "profile_rows.h"

#include "command.h"
#include "plan_rows.h"

#include <string.h>

/* ---- Measuring ------------------------------------------------------------------------------- */

plx_status measure_profile(plx_network *network, plx_profile **out) {
    enum { SLICE_NS = 100000000 };
    plx_status status = plx_profile_new(network, out);
    progress p = progress_start();
    p.left_ns = -1;
    for (double fraction = 0; status == PLX_OK && fraction < 1;) {
        status = plx_profile_advance(*out, SLICE_NS, &fraction);
        progress_show(&p, fraction, "profile");
    }
    progress_clear(&p);
    return status;
}

/* ---- Steps ----------------------------------------------------------------------------------- */

void add_profile(cJSON *row, const plx_profile *profile, int i) {
    const plx_profile_step step = plx_profile_step_at(profile, i);
    if (step.ns > 0) {
        cJSON_AddNumberToObject(row, "nanoseconds", step.ns);
        cJSON_AddNumberToObject(row, "medianNs", step.median_ns);
        cJSON_AddNumberToObject(row, "share", step.share);
        cJSON_AddNumberToObject(row, "gflops", step.gflops);
        cJSON_AddNumberToObject(row, "gbytes", step.gbytes);
    }
    if (*step.limit && !*step.failure) {
        cJSON_AddNumberToObject(row, "leastNs", step.least_ns);
        cJSON_AddNumberToObject(row, "roofline", step.roofline);
    }
    if (*step.limit) cJSON_AddStringToObject(row, "limit", step.limit);
    if (*step.failure) cJSON_AddStringToObject(row, "failure", step.failure);
    cJSON_AddStringToObject(row, "method", step.method);
    cJSON_AddNumberToObject(row, "workers", step.workers);
}

void print_profile_heading(FILE *to) {
    fprintf(to, "     %-18s %-30s %-12s %10s %6s %14s %8s  %-10s %-11s %s\n", "op",
            "fused, or name", "shape", "us", "share", "rate", "roofline", "limit", "method",
            "threads");
}

void print_profile_step(FILE *to, const plx_profile *profile, const plx_plan *plan, int i,
                        const char *shape) {
    const plx_step_info info = plx_plan_step(plan, i);
    const plx_profile_step step = plx_profile_step_at(profile, i);
    const bool arithmetic = !strcmp(step.limit, "arithmetic");
    char time[24] = "-", share[16] = "-", rate[24] = "-", roofline[16] = "-";
    if (step.ns > 0) {
        snprintf(time, sizeof time, "%.2f", step.ns * 1e-3);
        snprintf(share, sizeof share, "%.1f%%", 100 * step.share);
        snprintf(rate, sizeof rate, "%.4g %s", arithmetic ? step.gflops : step.gbytes,
                 arithmetic ? "GFLOP/s" : "GB/s   ");
    }
    if (*step.limit && !*step.failure)
        snprintf(roofline, sizeof roofline, "%.0f%%", 100 * step.roofline);
    fprintf(to, "%3d  %-18s %-30s %-12s %10s %6s %14s %8s  %-10s %-11s %.2g of %d%s%s\n", i,
            info.op, *info.fused ? info.fused : info.name, shape, time, share, rate, roofline,
            *step.limit ? step.limit : "-", *step.method ? step.method : "-", step.workers,
            info.threads, *step.failure ? "  " : "", step.failure);
}

/* ---- Summary --------------------------------------------------------------------------------- */

static cJSON *total_row(const plx_profile_total *total, const plx_network *network) {
    cJSON *row = cJSON_CreateObject();
    const plx_ctx_info info = plx_ctx_get_info(network->ctx);
    cJSON_AddStringToObject(row, "row", "profile");
    cJSON_AddStringToObject(row, "isa", info.isa);
    cJSON_AddNumberToObject(row, "threads", info.threads);
    cJSON_AddNumberToObject(row, "batch", (double)network->batch);
    cJSON_AddNumberToObject(row, "rounds", total->rounds);
    cJSON_AddNumberToObject(row, "profiledRuns", total->runs);
    cJSON_AddNumberToObject(row, "nanoseconds", total->ns);
    cJSON_AddNumberToObject(row, "medianNs", total->median_ns);
    if (total->steps_ns > 0) cJSON_AddNumberToObject(row, "stepsNs", total->steps_ns);
    if (total->bounded_ns > 0) {
        cJSON_AddNumberToObject(row, "boundedNs", total->bounded_ns);
        cJSON_AddNumberToObject(row, "leastNs", total->least_ns);
        cJSON_AddNumberToObject(row, "roofline", total->roofline);
    }
    if (total->peak > 0) cJSON_AddNumberToObject(row, "peak", total->peak);
    if (*total->note) cJSON_AddStringToObject(row, "note", total->note);
    return row;
}

static void print_least(FILE *to, const plx_profile_total *total) {
    if (!(total->bounded_ns > 0)) return;
    fprintf(to, "The ceilings allow %.2f us", total->least_ns * 1e-3);
    if (total->bounded_ns < total->steps_ns)
        fprintf(to, " for steps that take %.2f us", total->bounded_ns * 1e-3);
    fprintf(to, ": %s are at %.0f%% of them.\n",
            total->bounded_ns < total->steps_ns ? "these" : "the steps", 100 * total->roofline);
}

static bool print_total(output *out, const plx_profile_total *total, const plx_network *network) {
    FILE *to = output_tables(out);
    const plx_ctx_info info = plx_ctx_get_info(network->ctx);
    const int runs = total->runs / total->rounds;
    fprintf(to, "\na run takes %.2f us (%s, %d thread%s) in the fastest of %d rounds of %d run%s",
            total->ns * 1e-3, info.isa, info.threads, info.threads == 1 ? "" : "s", total->rounds,
            runs, runs == 1 ? "" : "s");
    if (total->steps_ns > 0)
        fprintf(to,
                ".\nWith a clock between them its steps take %.2f us together, again in the "
                "fastest of %d rounds",
                total->steps_ns * 1e-3, total->rounds);
    fprintf(to, ".\n");
    print_least(to, total);
    if (*total->note) fprintf(to, "%s\n", total->note);
    return output_row(out, total_row(total, network));
}

static bool print_ceilings(output *out, const plx_profile *profile,
                           const plx_profile_total *total) {
    FILE *to = output_tables(out);
    bool ok = true;
    if (!total->levels || !(total->peak > 0)) return true;
    fprintf(to, "ceilings, all threads: %.4g GFLOP/s", total->peak);
    for (int i = 0; i < total->levels; ++i) {
        double bandwidth[3];
        const char *name = plx_profile_level_at(profile, i, bandwidth);
        fprintf(to, "; %s %.4g, %.4g, %.4g GB/s", name, bandwidth[0], bandwidth[1], bandwidth[2]);
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "row", "level");
        cJSON_AddStringToObject(row, "name", name);
        cJSON_AddNumberToObject(row, "read", bandwidth[PLX_STREAM_READ]);
        cJSON_AddNumberToObject(row, "copy", bandwidth[PLX_STREAM_COPY]);
        cJSON_AddNumberToObject(row, "add", bandwidth[PLX_STREAM_ADD]);
        ok = output_row(out, row) && ok;
    }
    fprintf(to, " (reading, copying, adding)\n");
    return ok;
}

static cJSON *item_row(const plx_profile_item *item, const plx_step_info *info) {
    cJSON *row = cJSON_CreateObject();
    cJSON_AddStringToObject(row, "row", "item");
    cJSON_AddStringToObject(row, "op", info->op);
    cJSON_AddStringToObject(row, "fused", info->fused);
    add_shape(row, info->rank, info->dims);
    cJSON_AddStringToObject(row, "method", info->method);
    cJSON_AddNumberToObject(row, "step", item->step);
    cJSON_AddNumberToObject(row, "count", item->count);
    cJSON_AddNumberToObject(row, "nanoseconds", item->ns);
    cJSON_AddNumberToObject(row, "overNs", item->over_ns);
    return row;
}

static bool print_items(output *out, const plx_profile *profile, const plx_profile_total *total,
                        const plx_plan *plan) {
    enum { LARGEST = 5 };
    FILE *to = output_tables(out);
    bool ok = true;
    if (!total->items) return true;
    fprintf(to, "\nwhat takes most time above the ceilings%17s %10s %10s %8s  %s\n", "steps", "us",
            "above", "of a run", "method");
    for (int i = 0; i < total->items; ++i) {
        const plx_profile_item item = plx_profile_item_at(profile, i);
        const plx_step_info info = plx_plan_step(plan, item.step);
        char text[SHAPE_BYTES], name[64];
        const char *shape = shape_text(info.rank, info.dims, text);
        snprintf(name, sizeof name, "%s %s%s%s", info.op, info.fused, *info.fused ? " " : "",
                 shape);
        if (i < LARGEST)
            fprintf(to, "%3d. %-46s %4d %10.2f %10.2f %7.1f%%  %s\n", i + 1, name, item.count,
                    item.ns * 1e-3, item.over_ns * 1e-3, 100 * item.over_ns / total->steps_ns,
                    *info.method ? info.method : "-");
        ok = output_row(out, item_row(&item, &info)) && ok;
    }
    fputc('\n', to);
    return ok;
}

bool print_profile_summary(output *out, const plx_profile *profile, const plx_network *network) {
    const plx_profile_total total = plx_profile_get(profile);
    bool ok = print_total(out, &total, network);
    ok = print_ceilings(out, profile, &total) && ok;
    return print_items(out, profile, &total, network->plan) && ok;
}
