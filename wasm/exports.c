/* The functions that JavaScript calls; this file and the files exports_*.c beside it are the list
 * of exports.
 *
 * - One context per module. Handles are pointers, 0 for none; counts and seeds are doubles, which
 *   are exact up to 2^53, because a 64-bit integer does not cross the boundary.
 * - Functions that can fail return a plx_status; plx_js_message returns the sentence.
 * - All functions leave their results, other than the status, in plx__js_left; "Results:" in the
 *   comment of a function names the row of results.def.
 */
#include "exports.h"
#include "platform_wasm.h"

#include "base/platform.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

static plx_ctx *context;
plx__js_results plx__js_left;
static char own_message[512]; /* of a failed start, or from plx__js_fail */
static bool own_failure;

plx_ctx *plx__js_context(void) {
    return context;
}

plx__js_shape plx__js_shape_of(int rank, const int64_t *dims) {
    plx__js_shape shape = {.rank = rank};
    for (int d = 0; d < rank; d++) shape.dims[d] = (double)dims[d];
    return shape;
}

plx__left_metrics plx__js_metrics_of(plx_metrics metrics) {
    return (plx__left_metrics){
        .loss = metrics.loss,
        .accuracy = metrics.accuracy,
        .rmse = metrics.rmse,
        .r2 = metrics.r2,
        .top5 = metrics.top5,
        .perplexity = metrics.perplexity,
        .mae = metrics.mae,
    };
}

void plx__js_dims(int rank, const double *from, int64_t *dims) {
    int kept = rank < PLX_MAX_RANK ? rank : PLX_MAX_RANK;
    for (int d = 0; d < kept; d++) dims[d] = (int64_t)from[d];
}

int plx__js_fail(plx_status status, const char *format, ...) {
    va_list args;
    va_start(args, format);
    plx_platform_format(own_message, sizeof own_message, format, args);
    va_end(args);
    own_failure = true;
    return status;
}

/* ---- Context --------------------------------------------------------------------------------- */

EXPORT const plx__js_results *plx_js_results(void) {
    return &plx__js_left;
}

EXPORT const char *plx_js_message(void) {
    const bool own = own_failure || !context;
    own_failure = false;
    return own ? own_message : plx_message(context);
}

EXPORT const char *plx_js_status_name(int status) {
    return plx_status_name((plx_status)status);
}

EXPORT const char *plx_js_version(void) {
    return plx_version();
}

/* Starts the context once, with one thread and nothing measured. */
EXPORT int plx_js_start(bool reproducible) {
    plx__platform_set_cpus(1);
    plx_ctx_options options = plx_ctx_default();
    options.threads = 1;
    options.reproducible = reproducible;
    options.measure_later = true;
    return plx_ctx_new(&options, &context, own_message, sizeof own_message);
}

/* Starts threads and returns whether all of them run; called until they do, before
 * plx_js_set_threads. cpus: the workers that are ready, and the caller. threads: 0 to choose their
 * number. */
EXPORT int plx_js_begin_threads(int cpus, int threads) {
    plx__platform_set_cpus(cpus);
    return plx_ctx_begin_threads(context, threads);
}

/* Uses these threads, and measures the machine. */
EXPORT int plx_js_set_threads(int cpus, int threads) {
    plx__platform_set_cpus(cpus);
    return plx_ctx_set_threads(context, threads);
}

/* Results: info. */
EXPORT void plx_js_info(void) {
    plx_ctx_info info = plx_ctx_get_info(context);
    plx__js_left.info = (plx__left_info){
        .threads = info.threads,
        .cpus = info.cpus,
        .vector_bits = info.vector_bits,
        .fma = info.fma,
        .exact = info.exact,
        .fork_join_ns = info.fork_join_ns,
        .gflops = info.gflops,
        .gbytes = info.gbytes,
        .isa = plx__js_address(info.isa),
        .isa_note = plx__js_address(info.isa_note),
        .gemm = plx__js_address(info.gemm),
        .costs_measured = info.costs_measured,
    };
}

/* Returns 64-byte aligned memory for data, or 0. Freed by plx_js_free. */
EXPORT void *plx_js_alloc(double bytes) {
    if (!(bytes >= 0 && bytes < 4294967232.0)) return NULL;
    return aligned_alloc(64, ((size_t)bytes + 64) & ~(size_t)63);
}

EXPORT void plx_js_free(void *memory) {
    free(memory);
}

/* Returns the name of an optimizer; 0 past the last. */
EXPORT const char *plx_js_optimizer_name(int i) {
    return plx_optimizer_name((plx_optimizer_kind)i);
}

/* ---- Training -------------------------------------------------------------------------------- */

static plx_optimizer_options optimizer;

static void replace(double *field, double value) {
    if (!isnan(value)) *field = value;
}

/* Sets the optimizer of the next plx_js_trainer_new or plx_js_optimizer_new; NaN keeps the default
 * of a field. */
EXPORT_TRAINING void plx_js_optimizer(int kind, double rate, double momentum, bool nesterov,
                                      double beta1, double beta2, double epsilon,
                                      double weight_decay) {
    optimizer = plx_optimizer_default((plx_optimizer_kind)kind);
    replace(&optimizer.rate, rate);
    replace(&optimizer.momentum, momentum);
    replace(&optimizer.beta1, beta1);
    replace(&optimizer.beta2, beta2);
    replace(&optimizer.epsilon, epsilon);
    replace(&optimizer.weight_decay, weight_decay);
    optimizer.nesterov = nesterov;
}

/* Creates an optimizer with the settings of plx_js_optimizer. Results: made. Freed by
 * plx_js_optimizer_free. */
EXPORT_TRAINING int plx_js_optimizer_new(int count, plx_tensor *const *parameters) {
    plx_optimizer *made = NULL;
    plx_status status = plx_optimizer_new(context, &optimizer, count, parameters, &made);
    plx__js_made(made);
    return status;
}

EXPORT_TRAINING void plx_js_optimizer_free(plx_optimizer *made) {
    plx_optimizer_free(made);
}

EXPORT_TRAINING int plx_js_optimizer_set_rate(plx_optimizer *made, double rate) {
    return plx_optimizer_set_rate(made, rate);
}

static plx_trainer_options recipe; /* fields set by plx_js_recipe and plx_js_validation */
static plx_dataset held_out;

/* Returns the name of a schedule; 0 past the last. */
EXPORT_TRAINING const char *plx_js_schedule_name(int i) {
    return plx_schedule_name((plx_schedule_kind)i);
}

/* Sets the schedule, clipping and so on of the next plx_js_trainer_new (default: none). */
EXPORT_TRAINING void plx_js_recipe(int schedule, double warmup, double floor, double every,
                                   double factor, double clip_norm, double label_smoothing,
                                   double huber_delta, double accumulate, bool metrics) {
    recipe.schedule = (plx_schedule){.kind = (plx_schedule_kind)schedule,
                                     .warmup = (int64_t)warmup,
                                     .floor = floor,
                                     .every = (int64_t)every,
                                     .factor = factor};
    recipe.clip_norm = clip_norm;
    recipe.label_smoothing = label_smoothing;
    recipe.huber_delta = huber_delta;
    recipe.accumulate = (int64_t)accumulate;
    recipe.metrics = metrics;
}

static plx__js_functions functions;

/* Sets the functions of the next plx_js_trainer_new, which reads numbers as plx__js_function says;
 * loss: whether one is the loss. */
EXPORT_TRAINING void plx_js_functions(int size, const double *numbers, int metrics, bool loss) {
    functions = (plx__js_functions){numbers, numbers + size};
    recipe.function = plx__js_function;
    recipe.self = &functions;
    recipe.own_metrics = metrics;
    recipe.own_loss = loss;
}

/* Sets the validation data of the next trainer: an address for each port, borrowed until
 * plx_js_trainer_free. */
EXPORT_TRAINING void plx_js_validation(double n, const void *const *x, const void *const *y,
                                       double patience, double min_improvement) {
    held_out = plx__js_dataset(n, x, y);
    recipe.validation = n > 0 ? &held_out : NULL;
    recipe.patience = (int64_t)patience;
    recipe.min_improvement = min_improvement;
}

/* Creates an optimizer with the settings of plx_js_optimizer whose state carries over from trainer
 * to trainer. Results: made. Freed by plx_js_optimizer_free. */
EXPORT_TRAINING int plx_js_model_optimizer(const plx_model *model) {
    plx_optimizer *made = NULL;
    const plx_status status = plx_model_optimizer(model, &optimizer, &made);
    plx__js_made(made);
    return status;
}

/* Creates a trainer. x and y: an address for each port, as in plx_js_evaluate, borrowed until
 * plx_js_trainer_free. state: an optimizer from plx_js_model_optimizer; 0: a new one. Results:
 * made. */
EXPORT_TRAINING int plx_js_trainer_new(plx_model *model, int loss, double n, const void *const *x,
                                       const void *const *y, double batch, double epochs,
                                       bool shuffle, double seed, plx_optimizer *state) {
    plx_trainer_options options = recipe;
    recipe = (plx_trainer_options){0};
    options.plan = plx_plan_default();
    options.loss = (plx_loss)loss;
    options.optimizer = optimizer;
    options.state = state;
    options.batch = (int64_t)batch;
    options.epochs = (int64_t)epochs;
    options.shuffle = shuffle;
    options.seed = (uint64_t)seed;
    plx_dataset data = plx__js_dataset(n, x, y);
    plx_trainer *trainer = NULL;
    plx_status status = plx_trainer_new(model, &options, &data, &trainer);
    plx__js_made(trainer);
    return status;
}

EXPORT_TRAINING void plx_js_trainer_free(plx_trainer *trainer) {
    plx_trainer_free(trainer);
}

EXPORT_TRAINING void plx_js_trainer_stop(plx_trainer *trainer) {
    plx_trainer_stop(trainer);
}

/* Takes at most max_steps further steps, not past the end of an epoch. Results: progress. */
EXPORT_TRAINING int plx_js_trainer_run(plx_trainer *trainer, double max_steps) {
    static plx_progress progress;
    progress = (plx_progress){0};
    plx_status status = plx_trainer_run(trainer, (int64_t)max_steps, &progress);
    plx__js_left.progress = (plx__left_progress){
        .step = (double)progress.step,
        .steps = (double)progress.steps,
        .epoch = (double)progress.epoch,
        .epochs = (double)progress.epochs,
        .loss = (double)progress.loss,
        .epoch_loss = progress.epoch_loss,
        .done = progress.done,
        .rate = progress.rate,
        .gradient_norm = progress.gradient_norm,
        .validation_ns = progress.validation_ns,
        .best_epoch = (double)progress.best_epoch,
        .stopped_early = progress.stopped_early,
        .own = plx__js_address(progress.own),
        .validation_own = plx__js_address(progress.validation_own),
        .validation = plx__js_metrics_of(progress.validation),
        .training = plx__js_metrics_of(progress.training),
    };
    return status;
}

/* Results: losses of all steps so far. */
EXPORT_TRAINING void plx_js_trainer_losses(const plx_trainer *trainer) {
    int64_t count = 0;
    const float *losses = plx_trainer_losses(trainer, &count);
    plx__js_left.losses =
        (plx__left_losses){.address = plx__js_address(losses), .count = (double)count};
}

EXPORT_TRAINING int plx_js_trainer_set_rate(plx_trainer *trainer, double rate) {
    return plx_trainer_set_rate(trainer, rate);
}

static void result_memory(plx_memory memory) {
    plx__js_left.memory = (plx__left_memory){
        .parameters = (double)memory.parameters,
        .gradients = (double)memory.gradients,
        .optimizer = (double)memory.optimizer,
        .activations = (double)memory.activations,
        .workspace = (double)memory.workspace,
        .inputs = (double)memory.inputs,
        .kept = (double)memory.kept,
        .packed = (double)memory.packed,
        .folded = (double)memory.folded,
    };
}

/* Results: memory. */
EXPORT_TRAINING void plx_js_trainer_memory(const plx_trainer *trainer) {
    result_memory(plx_trainer_memory(trainer));
}

/* ---- Plan ------------------------------------------------------------------------------------ */

/* Returns the trainer's plan, which is freed with it. */
EXPORT_TRAINING plx_plan *plx_js_trainer_plan(plx_trainer *trainer) {
    return plx_trainer_plan(trainer);
}

EXPORT void plx_js_plan_free(plx_plan *plan) {
    plx_plan_free(plan);
}

EXPORT int plx_js_plan_steps(const plx_plan *plan) {
    return plx_plan_steps(plan);
}

EXPORT double plx_js_plan_flops(const plx_plan *plan) {
    return plx_plan_flops(plan);
}

/* Results: memory. */
EXPORT void plx_js_plan_memory(const plx_plan *plan) {
    result_memory(plx_plan_memory(plan));
}

/* Results: step. */
EXPORT void plx_js_plan_step(const plx_plan *plan, int i) {
    plx_step_info info = plx_plan_step(plan, i);
    plx__js_left.step = (plx__left_step){
        .op = plx__js_address(info.op),
        .name = plx__js_address(info.name),
        .fused = plx__js_address(info.fused),
        .shape = plx__js_shape_of(info.rank, info.dims),
        .flops = info.flops,
        .direct_flops = info.direct_flops,
        .bytes = info.bytes,
        .threads = info.threads,
        .threshold_rows = plx_plan_threshold_rows(plan, i),
        .packed = info.packed,
        .kept = info.kept,
        .arena_offset = (double)info.arena_offset,
    };
}

/* ---- Files ----------------------------------------------------------------------------------- */

/* Reads an IDX file. Results: array, whose values lie within bytes. */
EXPORT int plx_js_idx(const void *bytes, double size) {
    plx_idx idx = {0};
    plx_status status = plx_idx_parse(context, bytes, (size_t)size, &idx);
    plx__js_left.array = (plx__left_array){
        .address = plx__js_address(idx.data),
        .count = (double)idx.size,
        .shape = plx__js_shape_of(idx.rank, idx.dims),
    };
    return status;
}

static plx_csv csv;

/* Reads a CSV file. Results: csv, doubles [rows, columns], valid until plx_js_csv_free. names:
 * whether the first line named the columns. */
EXPORT int plx_js_csv(const char *text, double size) {
    plx_status status = plx_csv_parse(context, text, (size_t)size, &csv);
    plx__js_left.csv = (plx__left_csv){
        .address = plx__js_address(csv.values),
        .rows = (double)csv.rows,
        .columns = (double)csv.columns,
        .names = csv.names,
    };
    return status;
}

EXPORT void plx_js_csv_free(void) {
    plx_csv_free(&csv);
    csv = (plx_csv){0};
}
