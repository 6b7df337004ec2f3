/* parallax explain */
#include "command.h"
#include "file_rows.h"
#include "output.h"
#include "plan_rows.h"
#include "profile_rows.h"

#include "bench/network.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct explain_arguments {
    const char *model, *loss, *without;
    long long batch, alignment, largest_buffer;
    int training, profile, list_passes, operands;
    int passes; /* a bit set of passes */
} explain_arguments;

enum { MOST_ROWS = 1000000000 };

/* ---- Layers ---------------------------------------------------------------------------------- */

/* The number of trained values, or with state of all others. A weight shared by layers counts
 * once. */
static int64_t weights_of(const plx_model *model, bool state) {
    const plx_weights *weights = plx_model_weights(model);
    int64_t sum = 0;
    for (int i = 0; i < plx_weights_count(weights); ++i) {
        plx_weight_role role;
        const plx_tensor *tensor = plx_weights_at(weights, i, NULL, &role);
        if ((role == PLX_WEIGHT_STATE) == state) sum += plx_tensor_size(tensor);
    }
    return sum;
}

static cJSON *layer_row(const plx_layer_info *layer) {
    cJSON *row = cJSON_CreateObject();
    if (!row) return NULL;
    cJSON_AddStringToObject(row, "row", "layer");
    cJSON_AddStringToObject(row, "name", layer->name);
    cJSON_AddStringToObject(row, "kind", layer->kind);
    add_shape(row, layer->rank, layer->dims);
    cJSON_AddNumberToObject(row, "parameters", (double)layer->parameters);
    cJSON_AddNumberToObject(row, "flops", layer->flops);
    return row;
}

static cJSON *total_row(const char *model, int64_t trained, int64_t state, double flops) {
    cJSON *row = cJSON_CreateObject();
    if (!row) return NULL;
    cJSON_AddStringToObject(row, "row", "model");
    cJSON_AddStringToObject(row, "name", model);
    cJSON_AddNumberToObject(row, "parameters", (double)trained);
    cJSON_AddNumberToObject(row, "state", (double)state);
    cJSON_AddNumberToObject(row, "flops", flops);
    return row;
}

/* Whether a layer's row counts the weight. */
static bool in_a_layer(const plx_model *model, const char *weight) {
    for (int i = 0; i < plx_model_layers(model); ++i) {
        const char *layer = plx_model_layer(model, i).name;
        const size_t length = strlen(layer);
        if (!strncmp(weight, layer, length) && weight[length] == '.') return true;
    }
    return false;
}

static cJSON *weight_row(const char *name, const plx_tensor *weight) {
    cJSON *row = cJSON_CreateObject();
    if (!row) return NULL;
    cJSON_AddStringToObject(row, "row", "weight");
    cJSON_AddStringToObject(row, "name", name);
    add_shape(row, plx_tensor_rank(weight), plx_tensor_dims(weight));
    cJSON_AddNumberToObject(row, "parameters", (double)plx_tensor_size(weight));
    return row;
}

/* Rows for what is trained outside of all layers, so that parameters add up. */
static bool print_other_weights(output *out, plx_model *model) {
    const plx_weights *weights = plx_model_weights(model);
    bool ok = true;
    for (int i = 0; i < plx_weights_count(weights); ++i) {
        const char *name;
        plx_weight_role role;
        const plx_tensor *weight = plx_weights_at(weights, i, &name, &role);
        if (role == PLX_WEIGHT_STATE || in_a_layer(model, name)) continue;
        char text[SHAPE_BYTES];
        const char *shape = shape_text(plx_tensor_rank(weight), plx_tensor_dims(weight), text);
        fprintf(output_tables(out), "%-28s %-14s %-14s %12lld\n", name, "weight", shape,
                (long long)plx_tensor_size(weight));
        ok = output_row(out, weight_row(name, weight)) && ok;
    }
    return ok;
}

static bool print_layers(output *out, const char *name, plx_model *model) {
    FILE *to = output_tables(out);
    const int64_t trained = weights_of(model, false), state = weights_of(model, true);
    double flops = 0;
    bool ok = true;
    fprintf(to, "%-28s %-14s %-14s %12s %12s\n", "layer", "kind", "output", "parameters", "FLOPs");
    for (int i = 0; i < plx_model_layers(model); ++i) {
        const plx_layer_info layer = plx_model_layer(model, i);
        char text[SHAPE_BYTES];
        const char *shape = shape_text(layer.rank, layer.dims, text);
        fprintf(to, "%-28s %-14s %-14s %12lld %12.5g\n", layer.name, layer.kind, shape,
                (long long)layer.parameters, layer.flops);
        flops += layer.flops;
        ok = output_row(out, layer_row(&layer)) && ok;
    }
    ok = print_other_weights(out, model) && ok;
    fprintf(to, "%s: %lld parameters", name, (long long)trained);
    if (state) fprintf(to, ", %lld values of running statistics", (long long)state);
    fprintf(to, ", %.5g FLOPs to predict one sample\n\n", flops);
    return output_row(out, total_row(name, trained, state, flops)) && ok;
}

/* ---- Plan ------------------------------------------------------------------------------------ */

static void print_heading(FILE *to) {
    fprintf(to, "     %-18s %-24s %-12s %10s %10s %7s %9s %10s\n", "op", "fused, or name", "shape",
            "FLOPs", "bytes", "threads", "all from", "offset");
}

static void print_step(FILE *to, const plx_plan *plan, int i, const char *shape) {
    const plx_step_info step = plx_plan_step(plan, i);
    char rows[24] = "never", offset[24] = "-";
    const double threshold = plx_plan_threshold_rows(plan, i);
    if (threshold > 0) snprintf(rows, sizeof rows, "%.0f", threshold);
    if (step.arena_offset >= 0)
        snprintf(offset, sizeof offset, "%lld", (long long)step.arena_offset);
    fprintf(to, "%3d  %-18s %-24s %-12s %10.4g %10.4g %7d %9s %10s\n", i, step.op,
            *step.fused ? step.fused : step.name, shape, step.flops, step.bytes, step.threads, rows,
            offset);
}

/* profile: NULL if it was not asked for. */
static cJSON *step_row(const plx_plan *plan, int i, const plx_step *described,
                       const plx_profile *profile) {
    const plx_step_info step = plx_plan_step(plan, i);
    cJSON *row = cJSON_CreateObject();
    if (!row) return NULL;
    cJSON_AddStringToObject(row, "row", "step");
    cJSON_AddNumberToObject(row, "step", i);
    cJSON_AddStringToObject(row, "op", step.op);
    cJSON_AddStringToObject(row, "name", step.name);
    cJSON_AddStringToObject(row, "fused", step.fused);
    add_shape(row, step.rank, step.dims);
    cJSON_AddNumberToObject(row, "flops", step.flops);
    cJSON_AddNumberToObject(row, "bytes", step.bytes);
    cJSON_AddNumberToObject(row, "threads", step.threads);
    cJSON_AddNumberToObject(row, "thresholdRows", plx_plan_threshold_rows(plan, i));
    cJSON_AddBoolToObject(row, "packed", step.packed);
    cJSON_AddBoolToObject(row, "kept", step.kept);
    cJSON_AddNumberToObject(row, "arenaOffset", (double)step.arena_offset);
    if (profile) add_profile(row, profile, i);
    cJSON_AddItemToObject(row, "attributes", attributes_of(described));
    return row;
}

static cJSON *memory_row(const plx_memory *m, bool training) {
    cJSON *row = cJSON_CreateObject();
    if (!row) return NULL;
    cJSON_AddStringToObject(row, "row", "memory");
    cJSON_AddStringToObject(row, "name", training ? "training" : "prediction");
    cJSON_AddNumberToObject(row, "parameters", (double)m->parameters);
    cJSON_AddNumberToObject(row, "gradients", (double)m->gradients);
    cJSON_AddNumberToObject(row, "optimizer", (double)m->optimizer);
    cJSON_AddNumberToObject(row, "activations", (double)m->activations);
    cJSON_AddNumberToObject(row, "workspace", (double)m->workspace);
    cJSON_AddNumberToObject(row, "inputs", (double)m->inputs);
    cJSON_AddNumberToObject(row, "packed", (double)m->packed);
    cJSON_AddNumberToObject(row, "folded", (double)m->folded);
    return row;
}

static bool print_memory(output *out, const plx_plan *plan, bool training) {
    const plx_memory m = plx_plan_memory(plan);
    const int64_t together = m.parameters + m.gradients + m.optimizer + m.activations +
                             m.workspace + m.inputs + m.packed + m.folded;
    fprintf(output_tables(out),
            "memory (bytes): parameters %lld, gradients %lld, optimizer %lld, activations %lld, "
            "workspace %lld, inputs %lld, packed %lld, folded %lld; %lld in total\n",
            (long long)m.parameters, (long long)m.gradients, (long long)m.optimizer,
            (long long)m.activations, (long long)m.workspace, (long long)m.inputs,
            (long long)m.packed, (long long)m.folded, (long long)together);
    return output_row(out, memory_row(&m, training));
}

static void explain_columns(FILE *to, const plx_network *network, bool training) {
    fprintf(to,
            "\n%s of %lld samples: %.6g FLOPs. \"all from\": the number of rows from which all "
            "threads pay off.\n"
            "A layer's FLOPs are those of all its operations. A fused step counts its product "
            "alone, without\n"
            "bias and activation; work between layers has steps, but no layer.\n",
            training ? "a training step" : "a prediction", (long long)network->batch,
            plx_plan_flops(network->plan));
}

static bool print_plan(output *out, const plx_network *network, const plx_plan_table *table,
                       const plx_profile *profile, const explain_arguments *a) {
    FILE *to = output_tables(out);
    const plx_plan *plan = network->plan;
    bool ok = true;
    int values = 0;
    if (profile)
        print_profile_heading(to);
    else
        print_heading(to);
    for (int i = 0; i < plx_plan_steps(plan); ++i) {
        const plx_step_info step = plx_plan_step(plan, i);
        char text[SHAPE_BYTES];
        const char *shape = shape_text(step.rank, step.dims, text);
        values += step.kept;
        if (step.kept)
            ; /* counted only */
        else if (profile)
            print_profile_step(to, profile, plan, i, shape);
        else
            print_step(to, plan, i, shape);
        ok = output_row(out, step_row(plan, i, &table->steps[i], profile)) && ok;
    }
    if (values)
        fprintf(to,
                "and %d values that depend on parameters alone, computed after a change of them\n",
                values);
    if (profile)
        ok = print_profile_summary(out, profile, network) && ok;
    else
        explain_columns(to, network, a->training);
    if (a->operands) ok = print_operands(out, table) && ok;
    return print_memory(out, plan, a->training) && ok;
}

/* ", mse, crossentropy" and so on. */
static const char losses[] =
#define PLX_LOSS(NAME, name, about) ", " name
#include "parallax.def"
    ;

static plx_loss loss_asked(const explain_arguments *a) {
    return a->loss ? plx_loss_from_name(a->loss) : PLX_LOSS_CROSS_ENTROPY;
}

/* Refuses a loss that would be ignored. */
static int check_loss(const explain_arguments *a, const plx_model *model) {
    if (!a->loss || loss_asked(a) == PLX_LOSS_OWN || !plx_model_has_loss(model)) return EXIT_DONE;
    return wrong_usage("explain", "--loss %s: %s trains with its own loss; leave --loss out.",
                       a->loss, a->model);
}

/* Sets *code if something could not be written. */
static plx_status show(output *out, plx_network *network, const explain_arguments *a, int *code) {
    plx_plan_table table;
    plx_profile *profile = NULL;
    plx_status status = plx_plan_describe(network->plan, &table);
    if (status == PLX_OK && a->profile) status = measure_profile(network, &profile);
    if (status == PLX_OK && !(print_layers(out, a->model, network->model) &&
                              print_plan(out, network, &table, profile, a)))
        *code = EXIT_FAILED;
    plx_profile_free(profile);
    return status;
}

static int run(const explain_arguments *a) {
    output out;
    plx_ctx *ctx;
    if (!output_open(&out)) return EXIT_FAILED;
    int code = open_context(&ctx);
    if (code == EXIT_DONE) {
        plx_network network = {0};
        const plx_network_options options = {
            .model = a->model,
            .batch = a->batch,
            .training = a->training,
            .loss = loss_asked(a),
            .seed = (uint64_t)arguments.seed,
            .plan = {.passes = a->passes,
                     .alignment = a->alignment,
                     .largest_buffer = a->largest_buffer},
        };
        plx_status status = plx_network_open(ctx, &options, &network);
        if (status == PLX_OK) code = check_loss(a, network.model);
        if (status == PLX_OK && code == EXIT_DONE) status = show(&out, &network, a, &code);
        if (status != PLX_OK) code = report_status(ctx, status);
        plx_network_free(&network);
        plx_ctx_free(ctx);
    }
    if (!output_close(&out, code == EXIT_DONE)) code = EXIT_FAILED;
    return code;
}

/* Whether the argument is a file, which has no model's name. */
static bool is_file(const char *name) {
    struct stat status;
    const char *end = strrchr(name, '.');
    return (end && !strcmp(end, ".safetensors")) || (!strchr(name, ':') && !stat(name, &status));
}

static int run_file(const char *name) {
    output out;
    plx_ctx *ctx;
    weights_in in = {0};
    if (!output_open(&out)) return EXIT_FAILED;
    int code = open_context(&ctx);
    if (code == EXIT_DONE) {
        const bool ok = weights_in_open(&in, ctx, name) && print_file(&out, name, &in);
        code = ok ? EXIT_DONE : EXIT_FAILED;
        weights_in_close(&in);
        plx_ctx_free(ctx);
    }
    return output_close(&out, code == EXIT_DONE) ? code : EXIT_FAILED;
}

/* The val of options that say what to explain. */
enum { GIVEN = 2 };

/* Lists the passes, unless anything else was asked for, which would be ignored. more: an argument;
 * NULL: none. */
static int list_passes(const char *more) {
    output out;
    if (more || was_given(GIVEN) || arguments.threads || arguments.isa || arguments.gemm ||
        arguments.reproducible || arguments.seed)
        return wrong_usage("explain", "--passes lists the passes, and takes nothing but --json and "
                                      "--csv.");
    if (!output_open(&out)) return EXIT_FAILED;
    const bool ok = print_passes(&out);
    return output_close(&out, ok) && ok ? EXIT_DONE : EXIT_FAILED;
}

/* more: an argument after the model; NULL: none. */
static int check_arguments(explain_arguments *a, const char *more) {
    if (!a->model) return wrong_usage("explain", "name a model, such as mlp:784-200-10.");
    if (!leave_out_passes(a->without, &a->passes)) return EXIT_USAGE;
    if (more) return wrong_usage("explain", "takes one model, but also got \"%s\".", more);
    if (a->batch < 1 || a->batch > MOST_ROWS)
        return wrong_usage("explain", "--batch must be from 1 to %d, not %lld.", MOST_ROWS,
                           a->batch);
    if (is_file(a->model) && was_given(GIVEN))
        return wrong_usage("explain",
                           "of a file the tensors are shown, so that none of the options "
                           "for models goes with it.");
    if (loss_asked(a) == PLX_LOSSES_)
        return wrong_usage("explain", "--loss must be one of %s, not \"%s\".", losses + 2, a->loss);
    if (a->loss && !a->training)
        return wrong_usage("explain", "--loss needs --training: a prediction has no loss.");
    return EXIT_DONE;
}

int cmd_explain(int argc, const char **argv) {
    explain_arguments a = {.batch = 64, .passes = PLX_PASS_ALL};
    char names[256], without[320], which[256];
    pass_names(names, sizeof names);
    snprintf(without, sizeof without, "passes to leave out, from %s", names);
    snprintf(which, sizeof which,
             "training loss for models without one of their own: %s (default: crossentropy)",
             losses + 2);
    const struct poptOption options[] = {
        {"batch", 'b', POPT_ARG_LONGLONG, &a.batch, GIVEN, "number of samples (default: 64)", "N"},
        {"training", 0, POPT_ARG_NONE, &a.training, GIVEN, "show a training step with Adam", NULL},
        {"loss", 0, POPT_ARG_STRING, &a.loss, GIVEN, which, "LOSS"},
        {"profile", 'p', POPT_ARG_NONE, &a.profile, GIVEN,
         "run it and show where its time goes, beside what the machine allows", NULL},
        {"operands", 0, POPT_ARG_NONE, &a.operands, GIVEN,
         "also show the plan as data: buffers, attributes, and where each operand lies", NULL},
        {"without", 0, POPT_ARG_STRING, &a.without, GIVEN, without, "PASSES"},
        {"passes", 0, POPT_ARG_NONE, &a.list_passes, 0, "list the passes instead", NULL},
        {"alignment", 0, POPT_ARG_LONGLONG, &a.alignment, GIVEN,
         "alignment of values in their buffers (default: 64)", "BYTES"},
        {"largest-buffer", 0, POPT_ARG_LONGLONG, &a.largest_buffer, GIVEN,
         "largest buffer for any single value (default: no limit)", "BYTES"},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, machine_options, 0, "Machine:", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, output_options, 0, "Output:", NULL},
        POPT_AUTOHELP POPT_TABLEEND};
    int code;
    poptContext parsed = parse_arguments(
        argc, argv, options, "[OPTIONS] MODEL|FILE",
        "Shows the layers of a model, such as \"mlp:784-200-10\" or \"gpt2-nano:layers=4\", with\n"
        "their parameters and FLOPs; its plan, with each step's shape, FLOPs, bytes, threads,\n"
        "what was fused, and where its result lies in the arena; and the exact memory. Of a FILE\n"
        "of weights (safetensors), shows its tensors and its metadata.",
        &code);
    if (!parsed) return code;
    a.model = poptGetArg(parsed);
    if (a.list_passes)
        code = list_passes(a.model);
    else
        code = check_arguments(&a, poptGetArg(parsed));
    if (code == EXIT_DONE && !a.list_passes) code = is_file(a.model) ? run_file(a.model) : run(&a);
    free_texts(2, (const char *[]){a.loss, a.without});
    poptFreeContext(parsed);
    return code;
}
