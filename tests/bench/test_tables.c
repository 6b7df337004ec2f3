/* Tables of fixed size and settings by key: running out of room is reported, and a key matches
 * only in full. */
#include "bench/tasks.h"

#include "check.h"

#include <string.h>

static void check_keys(plx_check *t) {
    static const struct {
        const char *name, *key;
        bool sets;
    } rows[] = {
        {"clip-nano:text_layers=2", "layers", false},
        {"clip-nano:text_layers=2,layers=3", "layers", true},
        {"clip-nano:layers=3,text_layers=2", "text_layers", true},
        {"transformer-nano:kv_heads=2,width=8", "heads", false},
        {"gpt2-nano:width=8", "wid", false},
        {"gpt2-nano:width=8", "8", false},
        {"gpt2-nano", "gpt2-nano", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; ++i)
        CHECK(t, plx_learning_sets(rows[i].name, rows[i].key, strlen(rows[i].key)) == rows[i].sets,
              "%s in %s", rows[i].key, rows[i].name);
}

static void check_long_name(plx_check *t, plx_ctx *ctx) {
    char name[200] = "clip-nano:width=";
    const size_t length = strlen(name);
    memset(name + length, '1', 150 - length);
    const plx_learning_options options = {.model = name};
    plx_learning *learning = NULL;
    CHECK(t,
          plx_learning_named(ctx, "clip-nano", &options, &learning) == PLX_ERR_ARGUMENT &&
              !learning,
          "a truncated name was accepted");
    CHECK(t, strstr(plx_message(ctx), "is longer than 159 characters"), "\"%s\"", plx_message(ctx));
}

/* A task with one measure and one exhibit more than there is room for. */
static plx_status measure(plx_learning *l) {
    static const char *const names[] = {"a", "one too many"};
    for (int i = 0; i <= PLX_LEARNING_MEASURES; ++i)
        plx_learning_record(l, names[i == PLX_LEARNING_MEASURES], "1", "none", 0, 0);
    return PLX_OK;
}

static plx_status exhibit(plx_learning *l) {
    for (int i = 0; i <= PLX_LEARNING_EXHIBITS; ++i) {
        const plx_status status = plx_learning_show_text(l, "a", "text");
        if (status != PLX_OK) return status;
    }
    return PLX_OK;
}

static void check_tables(plx_check *t, plx_ctx *ctx) {
    static const plx_task task = {.name = "verbose", .evaluate = measure, .exhibit = exhibit};
    plx_learning *learning = NULL;
    const plx_learning_options options = {.steps = 1};
    if (!CHECK(t, plx_learning_named(ctx, "gpt2-nano", &options, &learning) == PLX_OK, "%s",
               plx_message(ctx)))
        return;
    const plx_task *own = learning->task;
    learning->task = &task;
    CHECK(t,
          plx_learning_evaluate(learning) == PLX_ERR_STATE &&
              strstr(plx_message(ctx), "\"one too many\"; at most 12 measures are possible"),
          "\"%s\"", plx_message(ctx));
    CHECK(t,
          plx_learning_exhibit(learning) == PLX_ERR_STATE &&
              strstr(plx_message(ctx), "at most 12 exhibits are possible"),
          "\"%s\"", plx_message(ctx));
    learning->task = own;
    plx_learning_free(learning);
}

void plx_test_bench_tables(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 1);
    if (!ctx) return;
    check_keys(t);
    check_long_name(t, ctx);
    check_tables(t, ctx);
    plx_ctx_free(ctx);
}
