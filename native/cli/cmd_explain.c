/* parallax explain */
#include "command.h"
#include "output.h"

#include "bench/network.h"

#include <stdlib.h>
#include <string.h>

typedef struct explain_arguments {
    const char *model, *loss;
    long long batch;
    int training, profile;
} explain_arguments;

enum { PROFILE_RUNS = 50, MOST_ROWS = 1000000000 };

static void shape_text(const plx_step_info *step, char *text, size_t size) {
    size_t at = 0;
    text[0] = 0;
    for (int d = 0; d < step->rank && at < size; ++d)
        at += (size_t)snprintf(text + at, size - at, "%s%lld", d ? "x" : "",
                               (long long)step->dims[d]);
    if (!step->rank) snprintf(text, size, "scalar");
}

static void print_step(FILE *to, const plx_plan *plan, int i, bool profile) {
    const plx_step_info step = plx_plan_step(plan, i);
    char shape[80], rows[24] = "never", offset[24] = "-";
    shape_text(&step, shape, sizeof shape);
    const double threshold = plx_plan_threshold_rows(plan, i);
    if (threshold > 0) snprintf(rows, sizeof rows, "%.0f", threshold);
    if (step.arena_offset >= 0)
        snprintf(offset, sizeof offset, "%lld", (long long)step.arena_offset);
    fprintf(to, "%3d  %-18s %-24s %-12s %10.4g %10.4g %7d %9s %10s", i, step.op,
            *step.fused ? step.fused : step.name, shape, step.flops, step.bytes, step.threads, rows,
            offset);
    if (profile) fprintf(to, " %10.2f", step.nanoseconds * 1e-3);
    fputc('\n', to);
}

static cJSON *step_row(const plx_plan *plan, int i, bool profile) {
    const plx_step_info step = plx_plan_step(plan, i);
    cJSON *row = cJSON_CreateObject();
    if (!row) return NULL;
    cJSON_AddNumberToObject(row, "step", i);
    cJSON_AddStringToObject(row, "op", step.op);
    cJSON_AddStringToObject(row, "name", step.name);
    cJSON_AddStringToObject(row, "fused", step.fused);
    cJSON *shape = cJSON_AddArrayToObject(row, "shape");
    for (int d = 0; d < step.rank; ++d)
        cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)step.dims[d]));
    cJSON_AddNumberToObject(row, "flops", step.flops);
    cJSON_AddNumberToObject(row, "bytes", step.bytes);
    cJSON_AddNumberToObject(row, "threads", step.threads);
    cJSON_AddNumberToObject(row, "thresholdRows", plx_plan_threshold_rows(plan, i));
    cJSON_AddNumberToObject(row, "arenaOffset", (double)step.arena_offset);
    if (profile) cJSON_AddNumberToObject(row, "nanoseconds", step.nanoseconds);
    return row;
}

static bool print_plan(output *out, const plx_network *network, bool profile) {
    FILE *to = output_tables(out);
    const plx_plan *plan = network->plan;
    fprintf(to, "     %-18s %-24s %-12s %10s %10s %7s %9s %10s%s\n", "op", "fused, or name",
            "shape", "FLOPs", "bytes", "threads", "all from", "offset",
            profile ? "         us" : "");
    bool ok = true;
    for (int i = 0; i < plx_plan_steps(plan); ++i) {
        print_step(to, plan, i, profile);
        ok = output_row(out, step_row(plan, i, profile)) && ok;
    }
    const plx_memory m = plx_plan_memory(plan);
    fprintf(to,
            "\n%.6g FLOPs. \"all from\": the rows from which on all threads pay.\n"
            "memory (bytes): parameters %lld, gradients %lld, optimizer %lld, activations %lld, "
            "workspace %lld, inputs %lld\n",
            plx_plan_flops(plan), (long long)m.parameters, (long long)m.gradients,
            (long long)m.optimizer, (long long)m.activations, (long long)m.workspace,
            (long long)m.inputs);
    return ok;
}

static plx_status profile_plan(plx_network *network) {
    const plx_status status = plx_network_run(network, 1);
    plx_plan_profile(network->plan, true);
    return status == PLX_OK ? plx_network_run(network, PROFILE_RUNS) : status;
}

static int run(const explain_arguments *a) {
    output out;
    plx_ctx *ctx;
    if (!output_open(&out)) return EXIT_FAILED;
    int code = open_context(&ctx, NULL);
    if (code == EXIT_DONE) {
        plx_network network = {0};
        const plx_network_options options = {
            .model = a->model,
            .batch = a->batch,
            .training = a->training,
            .loss = a->loss && !strcmp(a->loss, "mse") ? PLX_LOSS_MSE : PLX_LOSS_CROSS_ENTROPY,
            .seed = (uint64_t)arguments.seed,
            .plan = plx_plan_default(),
        };
        plx_status status = plx_network_open(ctx, &options, &network);
        if (status == PLX_OK && a->profile) status = profile_plan(&network);
        if (status != PLX_OK)
            code = report(EXIT_FAILED, "%s", plx_message(ctx));
        else if (!print_plan(&out, &network, a->profile))
            code = EXIT_FAILED;
        plx_network_free(&network);
        plx_ctx_free(ctx);
    }
    if (!output_close(&out, code == EXIT_DONE)) code = EXIT_FAILED;
    return code;
}

int cmd_explain(int argc, const char **argv) {
    explain_arguments a = {.batch = 64};
    const struct poptOption options[] = {
        {"batch", 'b', POPT_ARG_LONGLONG, &a.batch, 0, "rows (default: 64)", "N"},
        {"training", 0, POPT_ARG_NONE, &a.training, 0, "a step of training with Adam", NULL},
        {"loss", 0, POPT_ARG_STRING, &a.loss, 0, "of the training (default: crossentropy)",
         "mse|crossentropy"},
        {"profile", 'p', POPT_ARG_NONE, &a.profile, 0, "run it and show the time of each step",
         NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, machine_options, 0, "Machine:", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, output_options, 0, "Output:", NULL},
        POPT_AUTOHELP POPT_TABLEEND};
    int code;
    poptContext parsed =
        parse_arguments(argc, argv, options, "[OPTIONS] MODEL",
                        "Compiles a model, as \"mlp:784-200-10\", and shows the plan: each step's "
                        "shape, FLOPs,\nbytes, threads, what was fused, and where its result lies "
                        "in the arena.",
                        &code);
    if (!parsed) return code;
    a.model = poptGetArg(parsed);
    if (!a.model)
        code = wrong_usage("explain", "name a model, as mlp:784-200-10.");
    else if (poptPeekArg(parsed))
        code = wrong_usage("explain", "takes one model, but also got \"%s\".", poptGetArg(parsed));
    else if (a.batch < 1 || a.batch > MOST_ROWS)
        code =
            wrong_usage("explain", "--batch must be from 1 to %d, not %lld.", MOST_ROWS, a.batch);
    else if (a.loss && strcmp(a.loss, "mse") != 0 && strcmp(a.loss, "crossentropy") != 0)
        code = wrong_usage("explain", "--loss is mse or crossentropy, not \"%s\".", a.loss);
    else
        code = run(&a);
    poptFreeContext(parsed);
    return code;
}
