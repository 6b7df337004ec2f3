/* Learning tasks, as JavaScript calls them; see exports.c for the conventions. Training itself goes
 * through the functions of the trainer that plx_js_learning_trainer gives. */
#include "exports.h"

#include "bench/tasks.h"

#include <stdlib.h>

/* A run with the options that it points to. JavaScript keeps texts and files until it is freed. */
typedef struct learning_run {
    plx_learning_options options;
    plx_learning_digits digits;
    plx_csv table;
    plx_learning *learning;
} learning_run;

/* Name, description of task i; 0 past the last. */
EXPORT const char *plx_js_task_name(int i) {
    return plx_learning_task(i);
}

EXPORT const char *plx_js_task_description(int i) {
    return plx_learning_task_description(i);
}

/* What task i can learn from in place of its own data: "text", "digits", "table"; "": nothing. */
EXPORT const char *plx_js_task_takes(int i) {
    return plx_learning_task_takes(i);
}

/* A run without options yet, or 0. Freed by plx_js_learning_free. */
EXPORT learning_run *plx_js_learning_new(void) {
    return calloc(1, sizeof(learning_run));
}

EXPORT void plx_js_learning_free(learning_run *run) {
    if (run) {
        plx_learning_free(run->learning);
        plx_csv_free(&run->table);
    }
    free(run);
}

EXPORT void plx_js_learning_text(learning_run *run, const char *text, double bytes,
                                 const char *source) {
    run->options.text = text;
    run->options.text_bytes = (size_t)bytes;
    run->options.source = source;
}

/* Two IDX files, uncompressed. */
EXPORT int plx_js_learning_digits(learning_run *run, const void *images, double image_bytes,
                                  const void *labels, double label_bytes, const char *source) {
    plx_ctx *context = plx__js_context();
    plx_status status = plx_idx_parse(context, images, (size_t)image_bytes, &run->digits.images);
    if (status == PLX_OK)
        status = plx_idx_parse(context, labels, (size_t)label_bytes, &run->digits.labels);
    run->digits.source = source;
    if (status == PLX_OK) run->options.digits = &run->digits;
    return status;
}

/* A table of numbers, the target last. */
EXPORT int plx_js_learning_table(learning_run *run, const char *text, double bytes,
                                 const char *source) {
    const plx_status status = plx_csv_parse(plx__js_context(), text, (size_t)bytes, &run->table);
    run->options.source = source;
    if (status == PLX_OK) run->options.table = &run->table;
    return status;
}

/* Makes data, model and trainer. model, optimizer: 0 for the task's; steps, batch, rate: 0 for the
 * task's. */
EXPORT int plx_js_learning_open(learning_run *run, const char *task, const char *model,
                                const char *optimizer, int size, double seed, double steps,
                                double batch, double rate) {
    plx_learning_options *o = &run->options;
    o->model = model;
    o->optimizer = optimizer;
    o->size = (plx_learning_size)size;
    o->seed = (uint64_t)seed;
    o->steps = (int64_t)steps;
    o->batch = (int64_t)batch;
    o->rate = rate;
    return plx_learning_named(plx__js_context(), task, o, &run->learning);
}

EXPORT plx_trainer *plx_js_learning_trainer(learning_run *run) {
    return plx_learning_trainer(run->learning);
}

static int64_t trained_values(plx_model *model) {
    const plx_weights *weights = plx_model_weights(model);
    int64_t count = 0;
    for (int i = 0; i < plx_weights_count(weights); ++i) {
        plx_weight_role role;
        const plx_tensor *weight = plx_weights_at(weights, i, NULL, &role);
        if (role != PLX_WEIGHT_STATE) count += plx_tensor_size(weight);
    }
    return count;
}

/* Results: real, train, test, tokens of a sample (0: not a text), parameters, batch, batches of a
 * step, rate, then the strings source, model, optimizer, note. */
EXPORT void plx_js_learning_about(learning_run *run) {
    const plx_learning_data data = plx_learning_about(run->learning);
    const plx_trainer_options recipe = plx_learning_recipe(run->learning);
    plx__js_result(0, data.real);
    plx__js_result(1, (double)data.train);
    plx__js_result(2, (double)data.test);
    plx__js_result(3, (double)data.tokens);
    plx__js_result(4, (double)trained_values(plx_learning_model(run->learning)));
    plx__js_result(5, (double)recipe.batch);
    plx__js_result(6, recipe.accumulate > 1 ? (double)recipe.accumulate : 1);
    plx__js_result(7, recipe.optimizer.rate);
    plx__js_result_address(8, data.source);
    plx__js_result_address(9, plx_learning_model_name(run->learning));
    plx__js_result_address(10, plx_optimizer_name(recipe.optimizer.kind));
    plx__js_result_address(11, data.note);
}

/* Results: how many measures. */
EXPORT int plx_js_learning_evaluate(learning_run *run) {
    const plx_status status = plx_learning_evaluate(run->learning);
    plx__js_result(0, plx_learning_measures(run->learning));
    return status;
}

/* Results: value, goal (NaN: none), then the strings name, unit, better. */
EXPORT void plx_js_learning_measure(learning_run *run, int i) {
    const plx_learning_measure measure = plx_learning_measure_at(run->learning, i);
    plx__js_result(0, measure.value);
    plx__js_result(1, measure.goal);
    plx__js_result_address(2, measure.name);
    plx__js_result_address(3, measure.unit);
    plx__js_result_address(4, measure.better);
}

/* Results: how many exhibits. */
EXPORT int plx_js_learning_exhibit(learning_run *run) {
    const plx_status status = plx_learning_exhibit(run->learning);
    plx__js_result(0, plx_learning_exhibits(run->learning));
    return status;
}

/* Results: kind, count, rows, columns, channels, the address of the values, of the labels (0: none)
 * and bytes from a label to the next, then the strings name, text, row title, column title, then
 * whether labels name columns too. Valid until exhibits are made anew. */
EXPORT void plx_js_learning_exhibit_at(learning_run *run, int i) {
    const plx_exhibit exhibit = plx_learning_exhibit_at(run->learning, i);
    plx__js_result(0, exhibit.kind);
    plx__js_result(1, (double)exhibit.count);
    plx__js_result(2, (double)exhibit.rows);
    plx__js_result(3, (double)exhibit.columns);
    plx__js_result(4, (double)exhibit.channels);
    plx__js_result_address(5, exhibit.values);
    plx__js_result_address(6, exhibit.labels);
    plx__js_result(7, PLX_LEARNING_LABEL);
    plx__js_result_address(8, exhibit.name);
    plx__js_result_address(9, exhibit.text);
    plx__js_result_address(10, exhibit.row_title);
    plx__js_result_address(11, exhibit.column_title);
    plx__js_result(12, exhibit.square);
}

/* Floating-point operations of rounds of pure arithmetic on all threads: timed, the machine's peak.
 */
EXPORT double plx_js_peak(double rounds) {
    return plx_peak(plx__js_context(), 0, (int64_t)rounds);
}
