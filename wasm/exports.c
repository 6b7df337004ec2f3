/* The flat functions that JavaScript calls; this file and the files exports_*.c beside it are
 * the export list.
 *
 * - One context per module. Handles are pointers, 0 for none; counts and seeds are doubles, which
 *   are exact up to 2^53, because a 64-bit integer does not cross the boundary.
 * - Functions that can fail return a plx_status; plx_js_message gives the sentence.
 * - Results other than the status are left in one array of doubles (plx_js_results), in the order
 *   that each function's comment lists after "Results:". Strings in it are addresses, valid as
 *   long as the object they describe. JavaScript knows no structure's layout.
 */
#include "exports.h"
#include "platform_wasm.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static plx_ctx *context;
static double results[32];
static char own_message[512]; /* of a start that failed, and of plx__js_fail */
static bool own_failure;

plx_ctx *plx__js_context(void) {
    return context;
}

void plx__js_result(int i, double value) {
    results[i] = value;
}

void plx__js_result_address(int i, const void *address) {
    results[i] = (double)(uintptr_t)address;
}

static void result_dims(int i, int rank, const int64_t *dims) {
    for (int d = 0; d < rank; d++) results[i + d] = (double)dims[d];
}

void plx__js_dims(int rank, const double *from, int64_t *dims) {
    int kept = rank < PLX_MAX_RANK ? rank : PLX_MAX_RANK;
    for (int d = 0; d < kept; d++) dims[d] = (int64_t)from[d];
}

int plx__js_fail(plx_status status, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(own_message, sizeof own_message, format, args);
    va_end(args);
    own_failure = true;
    return status;
}

/* ---- Context --------------------------------------------------------------------------------- */

EXPORT const double *plx_js_results(void) {
    return results;
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

/* Adds threads and measures. cpus: the workers that are ready and the caller. threads 0: choose. */
EXPORT int plx_js_set_threads(int cpus, int threads) {
    plx__platform_set_cpus(cpus);
    return plx_ctx_set_threads(context, threads);
}

/* Results: threads, cpus, vector bits, fma, exact, fork-join ns, GFLOP/s, GB/s, then the strings
 * isa, isa note, gemm, and whether the costs of threads were measured. */
EXPORT void plx_js_info(void) {
    plx_ctx_info info = plx_ctx_get_info(context);
    plx__js_result(0, info.threads);
    plx__js_result(1, info.cpus);
    plx__js_result(2, info.vector_bits);
    plx__js_result(3, info.fma);
    plx__js_result(4, info.exact);
    plx__js_result(5, info.fork_join_ns);
    plx__js_result(6, info.gflops);
    plx__js_result(7, info.gbytes);
    plx__js_result_address(8, info.isa);
    plx__js_result_address(9, info.isa_note);
    plx__js_result_address(10, info.gemm);
    plx__js_result(11, info.costs_measured);
}

/* 64-byte aligned memory for data, or 0. Freed by plx_js_free. */
EXPORT void *plx_js_alloc(double bytes) {
    if (!(bytes >= 0 && bytes < 4294967232.0)) return NULL;
    return aligned_alloc(64, ((size_t)bytes + 64) & ~(size_t)63);
}

EXPORT void plx_js_free(void *memory) {
    free(memory);
}

/* Name of an activation, an optimizer; 0 past the last. */
EXPORT const char *plx_js_activation_name(int i) {
    return plx_activation_name((plx_activation)i);
}

EXPORT const char *plx_js_optimizer_name(int i) {
    return plx_optimizer_name((plx_optimizer_kind)i);
}

/* ---- Training -------------------------------------------------------------------------------- */

static plx_optimizer_options optimizer;

static void replace(double *field, double value) {
    if (!isnan(value)) *field = value;
}

/* The optimizer of the next plx_js_trainer_new or plx_js_optimizer_new; NaN keeps the default of a
 * field. */
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

/* With the settings of plx_js_optimizer. Results: the optimizer. Freed by plx_js_optimizer_free. */
EXPORT_TRAINING int plx_js_optimizer_new(int count, plx_tensor *const *parameters) {
    plx_optimizer *made = NULL;
    plx_status status = plx_optimizer_new(context, &optimizer, count, parameters, &made);
    plx__js_result_address(0, made);
    return status;
}

EXPORT_TRAINING void plx_js_optimizer_free(plx_optimizer *made) {
    plx_optimizer_free(made);
}

EXPORT_TRAINING int plx_js_optimizer_set_rate(plx_optimizer *made, double rate) {
    return plx_optimizer_set_rate(made, rate);
}

static plx_trainer_options recipe; /* the fields that plx_js_recipe and plx_js_validation set */
static plx_dataset held_out;

/* Name of a schedule; 0 past the last. */
EXPORT_TRAINING const char *plx_js_schedule_name(int i) {
    return plx_schedule_name((plx_schedule_kind)i);
}

/* What the next plx_js_trainer_new does beside steps; without this call, nothing. */
EXPORT_TRAINING void plx_js_recipe(int schedule, double warmup, double floor, double every,
                                   double factor, double clip_norm, double label_smoothing,
                                   double accumulate) {
    recipe.schedule = (plx_schedule){.kind = (plx_schedule_kind)schedule,
                                     .warmup = (int64_t)warmup,
                                     .floor = floor,
                                     .every = (int64_t)every,
                                     .factor = factor};
    recipe.clip_norm = clip_norm;
    recipe.label_smoothing = label_smoothing;
    recipe.accumulate = (int64_t)accumulate;
}

/* What the next trainer validates on: an address for each port, whose data is borrowed until
 * plx_js_trainer_free. */
EXPORT_TRAINING void plx_js_validation(double n, const void *const *x, const void *const *y,
                                       double patience, double min_improvement) {
    held_out = plx__js_dataset(n, x, y);
    recipe.validation = n > 0 ? &held_out : NULL;
    recipe.patience = (int64_t)patience;
    recipe.min_improvement = min_improvement;
}

/* With the settings of plx_js_optimizer. Results: an optimizer whose state goes on from trainer to
 * trainer. Freed by plx_js_optimizer_free. */
EXPORT_TRAINING int plx_js_model_optimizer(const plx_model *model) {
    plx_optimizer *made = NULL;
    const plx_status status = plx_model_optimizer(model, &optimizer, &made);
    plx__js_result_address(0, made);
    return status;
}

/* x and y: an address for each port, as plx_js_evaluate takes them. state: an optimizer of
 * plx_js_model_optimizer; 0: a new one. Results: the trainer. The data is borrowed until
 * plx_js_trainer_free. */
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
    plx__js_result_address(0, trainer);
    return status;
}

EXPORT_TRAINING void plx_js_trainer_free(plx_trainer *trainer) {
    plx_trainer_free(trainer);
}

/* At most max_steps further steps, not past the end of an epoch. Results: step, steps, epoch,
 * epochs, loss of the last step, mean loss of the epoch, done; rate, gradient norm (NaN: not
 * known), nanoseconds of validation so far, best epoch (0: none), stopped early; of the validation
 * loss, accuracy, rmse, r2, share of labels among the five likeliest, perplexity. */
EXPORT_TRAINING int plx_js_trainer_run(plx_trainer *trainer, double max_steps) {
    plx_progress progress = {0};
    plx_status status = plx_trainer_run(trainer, (int64_t)max_steps, &progress);
    plx__js_result(0, (double)progress.step);
    plx__js_result(1, (double)progress.steps);
    plx__js_result(2, (double)progress.epoch);
    plx__js_result(3, (double)progress.epochs);
    plx__js_result(4, (double)progress.loss);
    plx__js_result(5, progress.epoch_loss);
    plx__js_result(6, progress.done);
    plx__js_result(7, progress.rate);
    plx__js_result(8, progress.gradient_norm);
    plx__js_result(9, progress.validation_ns);
    plx__js_result(10, (double)progress.best_epoch);
    plx__js_result(11, progress.stopped_early);
    plx__js_result(12, progress.validation.loss);
    plx__js_result(13, progress.validation.accuracy);
    plx__js_result(14, progress.validation.rmse);
    plx__js_result(15, progress.validation.r2);
    plx__js_result(16, progress.validation.top5);
    plx__js_result(17, progress.validation.perplexity);
    return status;
}

/* Results: address of the losses of all steps so far, how many. */
EXPORT_TRAINING void plx_js_trainer_losses(const plx_trainer *trainer) {
    int64_t count = 0;
    plx__js_result_address(0, plx_trainer_losses(trainer, &count));
    plx__js_result(1, (double)count);
}

EXPORT_TRAINING int plx_js_trainer_set_rate(plx_trainer *trainer, double rate) {
    return plx_trainer_set_rate(trainer, rate);
}

static void result_memory(plx_memory memory) {
    plx__js_result(0, (double)memory.parameters);
    plx__js_result(1, (double)memory.gradients);
    plx__js_result(2, (double)memory.optimizer);
    plx__js_result(3, (double)memory.activations);
    plx__js_result(4, (double)memory.workspace);
    plx__js_result(5, (double)memory.inputs);
    plx__js_result(6, (double)memory.kept);
}

/* Results: bytes of parameters, gradients, optimizer, activations, workspace, inputs, kept. */
EXPORT_TRAINING void plx_js_trainer_memory(const plx_trainer *trainer) {
    result_memory(plx_trainer_memory(trainer));
}

/* ---- Plan ------------------------------------------------------------------------------------ */

/* The trainer's own, freed with it. */
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

/* Results: as plx_js_trainer_memory. */
EXPORT void plx_js_plan_memory(const plx_plan *plan) {
    result_memory(plx_plan_memory(plan));
}

/* Results: flops, bytes, threads, arena offset (-1: none), nanoseconds (0: not measured), the row
 * count from which all threads pay (0: never), rank, then rank sizes; at 16 to 18 the strings op,
 * name, fused. */
EXPORT void plx_js_plan_step(const plx_plan *plan, int i) {
    plx_step_info info = plx_plan_step(plan, i);
    plx__js_result(0, info.flops);
    plx__js_result(1, info.bytes);
    plx__js_result(2, info.threads);
    plx__js_result(3, (double)info.arena_offset);
    plx__js_result(4, info.nanoseconds);
    plx__js_result(5, plx_plan_threshold_rows(plan, i));
    plx__js_result(6, info.rank);
    result_dims(7, info.rank, info.dims);
    plx__js_result_address(16, info.op);
    plx__js_result_address(17, info.name);
    plx__js_result_address(18, info.fused);
}

/* ---- Files ----------------------------------------------------------------------------------- */

/* Results: address of the values, inside bytes, how many, rank, then rank sizes. */
EXPORT int plx_js_idx(const void *bytes, double size) {
    plx_idx idx = {0};
    plx_status status = plx_idx_parse(context, bytes, (size_t)size, &idx);
    plx__js_result_address(0, idx.data);
    plx__js_result(1, (double)idx.size);
    plx__js_result(2, idx.rank);
    result_dims(3, idx.rank, idx.dims);
    return status;
}

static plx_csv csv;

/* Results: address of the doubles [rows, columns], rows, columns, whether the first line named the
 * columns; valid until plx_js_csv_free. */
EXPORT int plx_js_csv(const char *text, double size) {
    plx_status status = plx_csv_parse(context, text, (size_t)size, &csv);
    plx__js_result_address(0, csv.values);
    plx__js_result(1, (double)csv.rows);
    plx__js_result(2, (double)csv.columns);
    plx__js_result(3, csv.names);
    return status;
}

EXPORT void plx_js_csv_free(void) {
    plx_csv_free(&csv);
    csv = (plx_csv){0};
}
