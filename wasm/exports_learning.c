/* Learning tasks for JavaScript; see exports.c for the conventions. Training itself uses the
 * functions of the trainer that plx_js_learning_trainer returns. */
#include "exports.h"

#include "bench/tasks.h"

#include <stdlib.h>

/* A run and the options that it points to. JavaScript keeps texts and files until it is freed. */
typedef struct learning_run {
    plx_learning_options options;
    plx_learning_digits digits;
    plx_csv table;
    plx_learning *learning;
} learning_run;

/* Return the name and the description of task i; 0 past the last. */
EXPORT const char *plx_js_task_name(int i) {
    return plx_learning_task(i);
}

EXPORT const char *plx_js_task_description(int i) {
    return plx_learning_task_description(i);
}

/* Returns the kind of data that task i accepts instead of its own: "text", "digits" or "table"; ""
 * for none. */
EXPORT const char *plx_js_task_takes(int i) {
    return plx_learning_task_takes(i);
}

/* Creates a run without options yet, or returns 0. Freed by plx_js_learning_free. */
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

/* Sets the data to two uncompressed IDX files. */
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

/* Sets the data to a table of numbers with the target in the last column. */
EXPORT int plx_js_learning_table(learning_run *run, const char *text, double bytes,
                                 const char *source) {
    const plx_status status = plx_csv_parse(plx__js_context(), text, (size_t)bytes, &run->table);
    run->options.source = source;
    if (status == PLX_OK) run->options.table = &run->table;
    return status;
}

/* Creates data, model and trainer. model, optimizer, steps, batch, rate: 0 for the task's own. */
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

/* Returns the model, which belongs to the run. */
EXPORT plx_model *plx_js_learning_model(learning_run *run) {
    return plx_learning_model(run->learning);
}

/* The values of one sample of a port, with labels in place of its last dimension if so. */
static int64_t sample_size(const plx_port *port, bool labels) {
    int64_t size = 1;
    for (int i = 0; i < port->rank - labels; ++i) size *= port->dims[i];
    return size;
}

static double sample_at(const void *from, int64_t stride, int64_t size, int64_t i) {
    return plx__js_address((const int32_t *)from + i * (stride ? stride : size));
}

/* Results: held, sample i of the held-out data. */
EXPORT int plx_js_learning_held(learning_run *run, double i) {
    const plx_learning *learning = run->learning;
    const plx_dataset *test = &learning->test;
    if (!(i >= 0 && i < (double)test->n))
        return plx__js_fail(PLX_ERR_ARGUMENT, "heldOut: there is no sample %lld: %s has 0 to %lld",
                            (long long)i, learning->task->name, (long long)test->n - 1);
    const plx_port input = plx_model_input(learning->model, 0);
    const plx_port output = plx_model_output(learning->model, 0);
    const bool labels = learning->trainer_options.loss == PLX_LOSS_CROSS_ENTROPY;
    const int64_t x = sample_size(&input, false);
    const int64_t y = test->targets[0] ? sample_size(&output, labels) : 0;
    plx__js_left.held = (plx__left_held){
        .x = sample_at(test->inputs[0], test->input_strides[0], x, (int64_t)i),
        .x_size = (double)x,
        .x_ids = input.dtype == PLX_DTYPE_I32,
        .y = y ? sample_at(test->targets[0], test->target_strides[0], y, (int64_t)i) : 0,
        .y_size = (double)y,
        .y_ids = labels,
    };
    return PLX_OK;
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

/* Results: about. */
EXPORT void plx_js_learning_about(learning_run *run) {
    const plx_learning_data data = plx_learning_about(run->learning);
    const plx_trainer_options recipe = plx_learning_recipe(run->learning);
    plx__js_left.about = (plx__left_about){
        .real = data.real,
        .train = (double)data.train,
        .test = (double)data.test,
        .tokens = (double)data.tokens,
        .parameters = (double)trained_values(plx_learning_model(run->learning)),
        .batch_size = (double)recipe.batch,
        .batches = recipe.accumulate > 1 ? (double)recipe.accumulate : 1,
        .rate = recipe.optimizer.rate,
        .source = plx__js_address(data.source),
        .model = plx__js_address(plx_learning_model_name(run->learning)),
        .optimizer = plx__js_address(plx_optimizer_name(recipe.optimizer.kind)),
        .note = plx__js_address(data.note),
    };
}

/* Results: found, the number of measures. */
EXPORT int plx_js_learning_evaluate(learning_run *run) {
    const plx_status status = plx_learning_evaluate(run->learning);
    plx__js_left.found.count = plx_learning_measures(run->learning);
    return status;
}

/* Results: measure. */
EXPORT void plx_js_learning_measure(learning_run *run, int i) {
    const plx_learning_measure measure = plx_learning_measure_at(run->learning, i);
    plx__js_left.measure = (plx__left_measure){
        .value = measure.value,
        .goal = measure.goal,
        .name = plx__js_address(measure.name),
        .unit = plx__js_address(measure.unit),
        .better = plx__js_address(measure.better),
    };
}

/* Results: found, the number of exhibits. */
EXPORT int plx_js_learning_exhibit(learning_run *run) {
    const plx_status status = plx_learning_exhibit(run->learning);
    plx__js_left.found.count = plx_learning_exhibits(run->learning);
    return status;
}

/* Results: exhibit, valid until exhibits are made again. square: labels name columns too. */
EXPORT void plx_js_learning_exhibit_at(learning_run *run, int i) {
    const plx_exhibit exhibit = plx_learning_exhibit_at(run->learning, i);
    plx__js_left.exhibit = (plx__left_exhibit){
        .kind = exhibit.kind,
        .count = (double)exhibit.count,
        .rows = (double)exhibit.rows,
        .columns = (double)exhibit.columns,
        .channels = (double)exhibit.channels,
        .values = plx__js_address(exhibit.values),
        .labels = plx__js_address(exhibit.labels),
        .label_bytes = PLX_LEARNING_LABEL,
        .name = plx__js_address(exhibit.name),
        .text = plx__js_address(exhibit.text),
        .row_title = plx__js_address(exhibit.row_title),
        .column_title = plx__js_address(exhibit.column_title),
        .square = exhibit.square,
    };
}

/* Runs rounds of pure arithmetic on all threads, which timed give the machine's peak, and returns
 * their floating-point operations. */
EXPORT double plx_js_peak(double rounds) {
    return plx_peak(plx__js_context(), 0, (int64_t)rounds);
}
