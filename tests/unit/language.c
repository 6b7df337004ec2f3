/* Language models: numbers of parameters, and refusal of invalid dimensions. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int64_t parameters_of(plx_check *t, plx_ctx *ctx, const char *name) {
    plx_model *model = NULL;
    int64_t count = 0;
    if (CHECK(t, plx_model_from_name(ctx, name, 1, &model) == PLX_OK, "%s", plx_message(ctx))) {
        plx_weights *weights = plx_model_weights(model);
        for (int i = 0; i < plx_weights_count(weights); ++i)
            count += plx_tensor_size(plx_weights_at(weights, i, NULL, NULL));
    }
    plx_model_free(model);
    return count;
}

/* 50257 x 768 + 1024 x 768 + 12 (12 x 768^2 + 13 x 768) + 2 x 768. */
static void counts(plx_check *t, plx_ctx *ctx) {
    int64_t count = parameters_of(t, ctx, "gpt2-nano");
    CHECK(t, count == 859264, "gpt2-nano has %lld parameters", (long long)count);
    count = parameters_of(t, ctx, "gpt2-124m:layers=1,vocabulary=1000");
    CHECK(t, count == 8643840, "gpt2-124m of one layer has %lld parameters", (long long)count);
    if (!PLX_AS_SHIPPED) return; /* 124 million random numbers would take a minute */
    count = parameters_of(t, ctx, "gpt2-124m");
    CHECK(t, count == 124439808, "gpt2-124m has %lld parameters", (long long)count);
}

static void equal_counts(plx_check *t, plx_ctx *ctx) {
    static const char *const dimensions[] = {"", ":vocabulary=65", ":width=192,heads=6,layers=4",
                                             ":width=64,heads=8,kv_heads=2,vocabulary=300",
                                             ":context=256,heads=2"};
    for (size_t i = 0; i < sizeof dimensions / sizeof *dimensions; ++i) {
        char modern[96], old[96];
        snprintf(modern, sizeof modern, "transformer-nano%s", dimensions[i]);
        snprintf(old, sizeof old, "gpt2-nano%s", dimensions[i]);
        char *own = strstr(old, ",kv_heads=2");
        if (own) memmove(own, own + 11, strlen(own + 11) + 1);
        const double a = (double)parameters_of(t, ctx, modern);
        const double b = (double)parameters_of(t, ctx, old);
        CHECK(t, fabs(a / b - 1) < 0.02, "%s has %g parameters, %s %g", modern, a, old, b);
    }
}

/* Numbers as programs write them, each parsed to the nearest double. */
static void numbers(plx_check *t, plx_ctx *ctx) {
    static const struct {
        const char *name, *key;
        double value;
    } cases[] = {
        {"gpt2-nano:dropout=1e-7", "dropout", 1e-7},
        {"gpt2-nano:dropout=1E-7", "dropout", 1e-7},
        {"gpt2-nano:dropout=4.9e-324", "dropout", 4.9e-324},
        {"gpt2-nano:dropout=0.30000000000000004", "dropout", 0.30000000000000004},
        {"gpt2-nano:dropout=.1", "dropout", 0.1},
        {"gpt2-nano:width=1.28e2,heads=+4", "width", 128},
        {"transformer-nano:rope_base=12345.678901234567", "rope_base", 12345.678901234567},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        plx_model *model = NULL;
        if (CHECK(t, plx_model_from_name(ctx, cases[i].name, 1, &model) == PLX_OK, "%s",
                  plx_message(ctx))) {
            const double value = plx_model_setting(model, cases[i].key);
            CHECK(t, value == cases[i].value, "%s: %.17g", cases[i].name, value);
        }
        plx_model_free(model);
    }
}

static void refuses(plx_check *t, plx_ctx *ctx) {
    static const struct {
        const char *name, *sentence;
    } bad[] = {
        {"gpt2-nano:width=130",
         "gpt2: 4 heads do not divide width 130; use width 128 or 132, or 2 heads"},
        {"gpt2-nano:width=3", "gpt2: 4 heads do not divide width 3; use width 4 or 3 heads"},
        {"gpt2-nano:vocabulary=1", "vocabulary is \"1\"; it must be a whole number from 2 to"},
        {"gpt2-nano:context=0", "context is \"0\"; it must be a whole number from 1 to"},
        {"gpt2-nano:heads=2.5", "heads is \"2.5\""},
        {"gpt2-nano:dropout=1", "dropout is \"1\""},
        {"gpt2-nano:dropout=-1e-7", "dropout is \"-1e-7\""},
        {"gpt2-nano:dropout=1e", "dropout is \"1e\""},
        {"gpt2-nano:dropout=", "dropout is \"\""},
        {"gpt2-nano:dropout=1e-999999x", "dropout is \"1e-999999x\""},
        {"gpt2-nano:heads=4e999", "heads is \"4e999\""},
        {"gpt2-nano:heads=4e-1", "heads is \"4e-1\""},
        {"gpt2-nano:dropout=0.0000000000000000000000000000000000000000000000000000000000000000",
         "dropout is \"0.0"},
        {"gpt2-nano:kv_heads=2", "gpt2: there is no setting \"kv_heads\"; there are layers"},
        {"gpt2-nano:layers=200,width=65536", "200 layers of width 65536"},
        {"transformer-nano:width=130", "transformer: 4 heads do not divide width 130"},
        {"transformer-nano:kv_heads=3",
         "transformer: 3 key heads do not divide 4 query heads; use kv_heads=2"},
        {"transformer-nano:kv_heads=8", "8 key heads do not divide 4"},
        {"transformer-nano:width=36",
         "4 heads of width 36 have 9 elements each, but rotary positions need an even number"},
        {"gpt2-small", "there is no such model; there are gpt2-nano, gpt2-124m"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
        plx_model *model = NULL;
        CHECK(t,
              plx_model_from_name(ctx, bad[i].name, 1, &model) == PLX_ERR_ARGUMENT && !model &&
                  strstr(plx_message(ctx), bad[i].sentence),
              "%s: \"%s\" lacks \"%s\"", bad[i].name, plx_message(ctx), bad[i].sentence);
    }
}

/* The residual matrices start smaller by the square root of their number; bound: 5 standard
 * errors of a standard deviation, each of which is 1 / sqrt(2 n) of it. */
static void beginnings(plx_check *t, plx_ctx *ctx) {
    static const struct {
        const char *name;
        double deviation;
    } weights[] = {
        {"tokens.table", 0.02},
        {"positions.table", 0.01},
        {"block_1.attention.query.weight", 0.02},
        {"block_1.attention.output.weight", 0.02 / 2.449489742783178},
        {"block_1.mlp.down.weight", 0.02 / 2.449489742783178},
        {"block_1.mlp.up.weight", 0.02},
    };
    plx_model *model = NULL;
    if (!CHECK(t, plx_model_from_name(ctx, "gpt2-nano", 1, &model) == PLX_OK, "%s",
               plx_message(ctx)))
        return;
    for (size_t i = 0; i < sizeof weights / sizeof *weights; ++i) {
        plx_tensor *tensor = plx_weights_find(plx_model_weights(model), weights[i].name);
        if (!CHECK(t, tensor != NULL, "gpt2 has no %s", weights[i].name)) continue;
        const plx_real *data = plx_tensor_data(tensor);
        const double n = (double)plx_tensor_size(tensor);
        double squares = 0;
        for (int64_t k = 0; k < plx_tensor_size(tensor); ++k)
            squares += (double)data[k] * (double)data[k];
        CHECK(t, fabs(sqrt(squares / n) / weights[i].deviation - 1) < 5 / sqrt(2 * n),
              "%s is initialised with deviation %g, not %g", weights[i].name, sqrt(squares / n),
              weights[i].deviation);
    }
    plx_model_free(model);
}

void plx_test_unit_language(plx_check *t) {
    plx_ctx *ctx = plx_check_context(t, NULL, 2);
    if (!ctx) return;
    counts(t, ctx);
    equal_counts(t, ctx);
    numbers(t, ctx);
    refuses(t, ctx);
    beginnings(t, ctx);
    plx_ctx_free(ctx);
}
