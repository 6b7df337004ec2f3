/* Parallax and OpenBLAS as engines of scripts/peers: a process that takes one command per line on
 * its input and answers each with one line, "ok ..." or "error ...".
 *
 *   open gemm M N K TRANSPOSED FILE (the operand that the file has transposed: none, a or b)
 *   open predict MODEL BATCH FILE | open train MODEL BATCH LOSS FILE
 *   open op NAME SIZE... FILE
 *                        answers 0 and, in engines with several ways to do it, the fastest way
 *   results COUNT FILE   writes the product, the predictions, or the losses of COUNT steps
 *   restart              training: initial weights again
 *   run COUNT            answers the nanoseconds that COUNT iterations took and, in engines that
 *                        start threads of their own, those of all CPUs together
 *   peak                 Parallax: answers the GFLOP/s that multiply-adds in registers reach now
 *   close
 *
 * Files hold 32-bit values: A and B; or all weights of a model in their order, its inputs, and its
 * training targets; or the operation's inputs. */
#include "bench/network.h"
#include "bench/peers/operation.h"
#include "native/parallax_native.h"

#include "base/platform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 4096, MAX_PARAMETERS = 64, WARM_UP = 2 };

typedef enum kind { NOTHING = 0, GEMM, PREDICT, TRAIN, OPERATION } kind;

typedef struct engine {
    plx_ctx *ctx;
    const plx_gemm_provider *blas; /* NULL: Parallax */
    kind kind;
    float *data; /* contents of the file */
    int64_t count;
    int64_t m, n, k;
    bool ta, tb; /* transposed */
    float *product;
    char model[256];
    plx_network_options options;
    plx_network network;
    plx_peer_operation operation;
} engine;

static bool fail(const char *sentence) {
    printf("error %s\n", sentence);
    return false;
}

static bool check(const engine *e, plx_status status) {
    return status == PLX_OK || fail(plx_message(e->ctx));
}

static void close_case(engine *e) {
    plx_network_free(&e->network);
    plx_peer_operation_close(&e->operation);
    free(e->data);
    free(e->product);
    e->data = e->product = NULL;
    e->kind = NOTHING;
}

static bool read_values(engine *e, const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) return fail("cannot read the case's file");
    const bool ended = fseek(file, 0, SEEK_END) == 0;
    const long bytes = ended ? ftell(file) : -1;
    const bool begun = bytes >= 0 && fseek(file, 0, SEEK_SET) == 0;
    e->count = bytes / 4;
    e->data = begun ? aligned_alloc(64, ((size_t)bytes + 63) / 64 * 64) : NULL;
    const bool whole = e->data && fread(e->data, 4, (size_t)e->count, file) == (size_t)e->count;
    fclose(file);
    return whole || fail("cannot read the case's file");
}

static bool open_gemm(engine *e) {
    e->kind = GEMM;
    if (e->count != e->m * e->k + e->k * e->n)
        return fail("the case's file has a different size than the case needs");
    e->product = aligned_alloc(64, (size_t)(e->m * e->n) * sizeof *e->product / 64 * 64 + 64);
    return e->product || fail("no memory");
}

/* Copies the weights from the file's values; *used is set to their number. */
static bool set_weights(engine *e, int64_t *used) {
    const plx_weights *weights = plx_model_weights(e->network.model);
    *used = 0;
    for (int i = 0; i < plx_weights_count(weights); ++i) {
        plx_tensor *tensor = plx_weights_at(weights, i, NULL, NULL);
        const int64_t size = plx_tensor_size(tensor);
        if (*used + size > e->count) return fail("the file has too few weights");
        memcpy(plx_tensor_data(tensor), e->data + *used, (size_t)size * sizeof(float));
        *used += size;
    }
    return true;
}

static int64_t weights_of(plx_model *model) {
    int64_t size = 0;
    const plx_weights *weights = plx_model_weights(model);
    for (int i = 0; i < plx_weights_count(weights); ++i)
        size += plx_tensor_size(plx_weights_at(weights, i, NULL, NULL));
    return size;
}

static int64_t values_of(plx_port port, int axes) {
    int64_t size = 1;
    for (int i = 0; i < axes; ++i) size *= port.dims[i];
    return size;
}

/* Where inputs and targets begin in the file depends on the model, which only a network creates; so
 * a separate model serves to find them. */
static bool find_inputs(engine *e) {
    plx_model *model = NULL;
    plx_network_options *o = &e->options;
    if (!check(e, plx_model_from_name(e->ctx, e->model, 0, &model))) return false;
    int64_t at = weights_of(model);
    for (int i = 0; i < plx_model_inputs(model); ++i) {
        const plx_port port = plx_model_input(model, i);
        o->inputs[i] = e->data + at;
        at += o->batch * values_of(port, port.rank);
    }
    const int targets = o->training && o->loss != PLX_LOSS_OWN ? plx_model_outputs(model) : 0;
    for (int i = 0; i < targets; ++i) {
        const plx_port port = plx_model_output(model, i);
        o->targets[i] = e->data + at;
        at += o->batch * values_of(port, port.rank - (o->loss == PLX_LOSS_CROSS_ENTROPY));
    }
    plx_model_free(model);
    return e->count == at || fail("the case's file has a different size than the case needs");
}

static bool restart(engine *e) {
    int64_t used;
    if (e->kind == GEMM || e->kind == OPERATION) return true;
    plx_network_free(&e->network);
    return check(e, plx_network_open(e->ctx, &e->options, &e->network)) && set_weights(e, &used);
}

static bool open_operation(engine *e, const char *line) {
    char name[32], path[LINE];
    int64_t sizes[PLX_PEER_SIZES] = {0};
    int at = 0;
    if (sscanf(line, "open op %31s %n", name, &at) != 1) return fail("unknown case");
    const char *rest = line + at;
    for (int i = 0; i < PLX_PEER_SIZES && *rest != '/'; ++i) {
        char *end;
        sizes[i] = strtoll(rest, &end, 10);
        rest = end + strspn(end, " ");
    }
    if (sscanf(rest, "%4095s", path) != 1 || !read_values(e, path)) return false;
    e->kind = OPERATION;
    const plx_status status =
        plx_peer_operation_open(e->ctx, name, sizes, e->data, e->count, &e->operation);
    if (status == PLX_ERR_FORMAT)
        return fail("the case's file has a different size than the case needs");
    return check(e, status);
}

static void choose_network(engine *e, bool training, const char *model, int64_t batch,
                           const char *loss) {
    const bool widths = *model >= '0' && *model <= '9';
    snprintf(e->model, sizeof e->model, "%s%s", widths ? "mlp:" : "", model);
    e->kind = training ? TRAIN : PREDICT;
    e->options = (plx_network_options){
        .model = e->model,
        .batch = batch,
        .training = training,
        .loss = !strcmp(loss, "mse")   ? PLX_LOSS_MSE
                : !strcmp(loss, "own") ? PLX_LOSS_OWN
                                       : PLX_LOSS_CROSS_ENTROPY,
        .plan = plx_plan_default(),
    };
}

static bool open_case(engine *e, const char *line) {
    char path[LINE], model[200], loss[32] = "crossentropy", transposed[8];
    long long m, n, k, batch;
    close_case(e);
    if (sscanf(line, "open gemm %lld %lld %lld %7s %4095s", &m, &n, &k, transposed, path) == 5) {
        e->m = m;
        e->n = n;
        e->k = k;
        e->ta = !strcmp(transposed, "a");
        e->tb = !strcmp(transposed, "b");
        return read_values(e, path) && open_gemm(e);
    }
    if (e->blas) return fail("a BLAS only has matrix products");
    if (!strncmp(line, "open op ", 8)) return open_operation(e, line);
    const bool training =
        sscanf(line, "open train %199s %lld %31s %4095s", model, &batch, loss, path) == 4;
    if (!training && sscanf(line, "open predict %199s %lld %4095s", model, &batch, path) != 3)
        return fail("unknown case");
    choose_network(e, training, model, batch, loss);
    return read_values(e, path) && find_inputs(e) && restart(e);
}

static bool run(engine *e, int64_t count) {
    if (e->kind == OPERATION) {
        bool ok = true;
        for (int64_t i = 0; ok && i < count; ++i) ok = check(e, plx_plan_run(e->operation.plan));
        return ok;
    }
    if (e->kind != GEMM) return check(e, plx_network_run(&e->network, count));
    const float *a = e->data, *b = e->data + e->m * e->k;
    const int64_t lda = e->ta ? e->m : e->k, ldb = e->tb ? e->k : e->n;
    for (int64_t i = 0; i < count; ++i) {
        if (e->blas)
            e->blas->gemm(e->blas->self, e->ta, e->tb, e->m, e->n, e->k, 1, a, lda, b, ldb, 0,
                          e->product, e->n);
        else if (!check(e, plx_gemm(e->ctx, e->ta, e->tb, e->m, e->n, e->k, 1, a, lda, b, ldb, 0,
                                    e->product, e->n)))
            return false;
    }
    return true;
}

static const float *result(const engine *e, int64_t *size) {
    if (e->kind == OPERATION) {
        *size = e->operation.size;
        return plx_plan_output(e->operation.plan, e->operation.y);
    }
    if (e->kind == GEMM) {
        *size = e->m * e->n;
        return e->product;
    }
    *size = e->kind == PREDICT ? e->network.batch * e->network.out : 1;
    return plx_network_result(&e->network);
}

static bool write_results(engine *e, int64_t count, const char *path) {
    FILE *file = fopen(path, "wb");
    if (!file) return fail("cannot write the results' file");
    bool ok = restart(e);
    for (int64_t i = 0; ok && i < (e->kind == TRAIN ? count : 1); ++i) {
        ok = run(e, 1);
        if (!ok) break;
        int64_t size;
        const float *values = result(e, &size);
        ok = fwrite(values, sizeof *values, (size_t)size, file) == (size_t)size ||
             fail("cannot write the results' file");
    }
    return (fclose(file) == 0 || (ok && fail("cannot write the results' file"))) && ok;
}

static bool timed(engine *e, int64_t count, long long *ns) {
    const int64_t start = plx_platform_now_ns();
    const bool ok = run(e, count);
    *ns = plx_platform_now_ns() - start;
    return ok;
}

/* The ceiling of arithmetic, from a few samples: others can only slow it down, so the highest
 * counts. The first rounds wake the threads. */
static bool peak(engine *e) {
    enum { ROUNDS = 1000, LEAST_NS = 3000000, SAMPLES = 4 };
    double best = 0;
    (void)plx_peak(e->ctx, 0, ROUNDS);
    int64_t rounds = ROUNDS;
    for (int left = SAMPLES; left > 0;) {
        const int64_t start = plx_platform_now_ns();
        const double operations = plx_peak(e->ctx, 0, rounds);
        const int64_t ns = plx_platform_now_ns() - start;
        if (!(operations > 0)) return fail("the system had no processor for one of the threads");
        if (operations > best * (double)ns) best = operations / (double)ns;
        if (ns < LEAST_NS)
            rounds *= 2;
        else
            left -= 1;
    }
    printf("ok %.9g\n", best);
    return true;
}

static bool obey(engine *e, const char *line) {
    char path[LINE];
    long long count, ns = 0;
    bool ok;
    if (!strcmp(line, "peak") && !e->blas) return peak(e);
    if (!strncmp(line, "open ", 5))
        ok = open_case(e, line);
    else if (!strcmp(line, "close"))
        ok = (close_case(e), true);
    else if (e->kind == NOTHING)
        ok = fail("no case is open");
    else if (!strcmp(line, "restart"))
        ok = restart(e) && run(e, WARM_UP);
    else if (sscanf(line, "results %lld %4095s", &count, path) == 2)
        ok = write_results(e, count, path);
    else if (sscanf(line, "run %lld", &count) == 1)
        ok = timed(e, count, &ns);
    else
        ok = fail("unknown command");
    if (ok) printf("ok %lld\n", ns);
    return ok;
}

/* What rows say about the engine. */
static void introduce(const engine *e, int threads) {
    const plx_ctx_info info = plx_ctx_get_info(e->ctx);
    printf("{\"version\":\"%s\",\"isa\":\"%s\",\"gemm\":\"%s\",\"threads\":%d,\"vectorBits\":%d,"
           "\"fma\":%s,\"exact\":%s,\"operations\":[",
           plx_version(), info.isa, e->blas ? e->blas->name : info.gemm, threads, info.vector_bits,
           info.fma ? "true" : "false", info.exact ? "true" : "false");
    for (int i = 0; plx_peer_operation_name(i); ++i)
        printf("%s\"%s\"", i ? "," : "", plx_peer_operation_name(i));
    printf("]}\n");
}

static void print_dims(int rank, const int64_t *dims) {
    for (int i = 0; i < rank; ++i) printf("%s%lld", i ? "," : "", (long long)dims[i]);
}

static void print_port(plx_port port, bool first) {
    printf("%s{\"name\":\"%s\",\"dtype\":\"%s\",\"classes\":%lld,\"dims\":[", first ? "" : ",",
           port.name, port.dtype == PLX_DTYPE_I32 ? "int32" : "float32", (long long)port.classes);
    print_dims(port.rank, port.dims);
    printf("]}");
}

static void print_weights(const plx_weights *weights) {
    for (int i = 0; i < plx_weights_count(weights); ++i) {
        const char *weight;
        plx_weight_role role;
        plx_tensor *tensor = plx_weights_at(weights, i, &weight, &role);
        const float first = plx_tensor_size(tensor) ? *(float *)plx_tensor_data(tensor) : 0;
        printf("%s{\"name\":\"%s\",\"state\":%s,\"first\":%.9g,\"dims\":[", i ? "," : "", weight,
               role == PLX_WEIGHT_STATE ? "true" : "false", (double)first);
        print_dims(plx_tensor_rank(tensor), plx_tensor_dims(tensor));
        printf("]}");
    }
}

/* What other engines need to build the same model: weights in their order, inputs, outputs; and the
 * operations of one iteration, to compare its time with the ceiling. */
static int describe(engine *e, char **words) {
    choose_network(e, !strcmp(words[0], "train"), words[1], atoll(words[2]), words[3]);
    const plx_status status = plx_network_open(e->ctx, &e->options, &e->network);
    if (status != PLX_OK) {
        fprintf(stderr, "%s\n", plx_message(e->ctx));
        return 1;
    }
    const plx_model *model = e->network.model;
    printf("{\"work\":%.17g,\"weights\":[", plx_plan_flops(e->network.plan));
    print_weights(plx_model_weights(model));
    printf("],\"inputs\":[");
    for (int i = 0; i < plx_model_inputs(model); ++i) print_port(plx_model_input(model, i), i == 0);
    printf("],\"outputs\":[");
    for (int i = 0; i < plx_model_outputs(model); ++i)
        print_port(plx_model_output(model, i), i == 0);
    printf("]}\n");
    plx_network_free(&e->network);
    plx_ctx_free(e->ctx);
    return 0;
}

int main(int argc, char **argv) {
    static engine e;
    char message[300], line[LINE];
    const bool describing = argc == 6 && !strcmp(argv[1], "describe");
    if (argc != 3 && !describing) {
        fputs("usage: parallax_peer parallax|blas|blas-unaided THREADS\n"
              "       parallax_peer describe train|predict MODEL BATCH LOSS\n",
              stderr);
        return 2;
    }
    const int threads = describing ? 1 : atoi(argv[2]);
    const bool blas = !strncmp(argv[1], "blas", 4);
    plx_ctx_options options = plx_ctx_default();
    options.threads = blas ? 1 : threads;
    if (plx_ctx_new(&options, &e.ctx, message, sizeof message) != PLX_OK) {
        fprintf(stderr, "%s\n", message);
        return 1;
    }
    if (describing) return describe(&e, argv + 2);
    if (blas) {
        const char *note;
        e.blas =
            strcmp(argv[1], "blas") ? plx_native_cblas_unaided(&note) : plx_native_cblas(&note);
        if (!e.blas) {
            fprintf(stderr, "%s\n", note);
            return 1;
        }
        e.blas->set_threads(e.blas->self, threads);
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    introduce(&e, threads);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        obey(&e, line);
    }
    close_case(&e);
    plx_ctx_free(e.ctx);
    return 0;
}
