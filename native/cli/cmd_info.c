/* parallax info */
#include "command.h"
#include "machine.h"
#include "output.h"

#include "build_info.h"
#include "native/parallax_native.h"

#include <stdlib.h>
#include <string.h>

static void print_targets(FILE *to) {
    fprintf(to, "targets    ");
    for (int i = 0; plx_isa_name(i); ++i) fprintf(to, "%s%s", i ? ", " : "", plx_isa_name(i));
    fprintf(to, " (best first)\n");
}

static void print_info(FILE *to, const plx_ctx *ctx, const plx_gemm_provider *blas,
                       const char *blas_note) {
    const plx_ctx_info info = plx_ctx_get_info(ctx);
    fprintf(to, "parallax   %s, commit %s, built by %s\n", plx_version(), PLX_BUILD_COMMIT,
            PLX_BUILD_COMPILER);
    fprintf(to, "machine    %s, %d CPU%s, %.1f GiB, %s\n", machine_name(), machine_cpus(),
            machine_cpus() == 1 ? "" : "s", machine_memory_bytes() / 0x1p30, machine_system());
    fprintf(to, "kernels    %s, %d bits, %s%s\n", info.isa, info.vector_bits,
            info.fma ? "fused multiply-add" : "no fused multiply-add",
            info.exact ? ", same bits on every platform" : "");
    if (*info.isa_note) fprintf(to, "           %s\n", info.isa_note);
    print_targets(to);
    fprintf(to, "threads    %d of %d CPU%s", info.threads, info.cpus, info.cpus == 1 ? "" : "s");
    if (machine_cpu_quota() > 0) fprintf(to, " (a quota allows %.2f)", machine_cpu_quota());
    if (info.threads > 1)
        fprintf(to, ", fork and join %.2f us%s", info.fork_join_ns * 1e-3,
                info.costs_measured ? "" : " (assumed: the machine is too busy to measure)");
    fprintf(to, "\none thread %.1f GFLOP/s in matrix products, %.1f GB/s streaming\n", info.gflops,
            info.gbytes);
    fprintf(to, "gemm       %s; BLAS: %s\n", info.gemm, blas ? blas->name : "none");
    if (*blas_note) fprintf(to, "           %s\n", blas_note);
    const char *data = getenv("PARALLAX_DATA");
    fprintf(to, "data       %s\n",
            data && *data ? data
                          : "PARALLAX_DATA is not set: suites use seeded noise instead of images");
}

static cJSON *info_row(const plx_ctx *ctx, const plx_gemm_provider *blas, const char *blas_note) {
    const plx_ctx_info info = plx_ctx_get_info(ctx);
    cJSON *row = cJSON_CreateObject();
    if (!row) return NULL;
    cJSON_AddStringToObject(row, "version", plx_version());
    cJSON_AddStringToObject(row, "commit", PLX_BUILD_COMMIT);
    cJSON_AddStringToObject(row, "compiler", PLX_BUILD_COMPILER);
    cJSON_AddStringToObject(row, "machine", machine_name());
    cJSON_AddStringToObject(row, "system", machine_system());
    cJSON_AddNumberToObject(row, "memoryBytes", machine_memory_bytes());
    cJSON_AddStringToObject(row, "isa", info.isa);
    cJSON_AddStringToObject(row, "isaNote", info.isa_note);
    cJSON *targets = cJSON_AddArrayToObject(row, "targets");
    for (int i = 0; plx_isa_name(i); ++i)
        cJSON_AddItemToArray(targets, cJSON_CreateString(plx_isa_name(i)));
    cJSON_AddNumberToObject(row, "vectorBits", info.vector_bits);
    cJSON_AddBoolToObject(row, "fma", info.fma);
    cJSON_AddBoolToObject(row, "exact", info.exact);
    cJSON_AddNumberToObject(row, "threads", info.threads);
    cJSON_AddNumberToObject(row, "cpus", info.cpus);
    if (machine_cpu_quota() > 0) cJSON_AddNumberToObject(row, "cpuQuota", machine_cpu_quota());
    cJSON_AddNumberToObject(row, "forkJoinNs", info.fork_join_ns);
    cJSON_AddBoolToObject(row, "costsMeasured", info.costs_measured);
    cJSON_AddNumberToObject(row, "gflops", info.gflops);
    cJSON_AddNumberToObject(row, "gbytes", info.gbytes);
    cJSON_AddStringToObject(row, "gemm", info.gemm);
    cJSON_AddStringToObject(row, "blas", blas ? blas->name : "");
    cJSON_AddStringToObject(row, "blasNote", blas_note);
    return row;
}

int cmd_info(int argc, const char **argv) {
    const struct poptOption options[] = {
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, machine_options, 0, "Machine:", NULL},
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, output_options, 0, "Output:", NULL},
        POPT_AUTOHELP POPT_TABLEEND};
    int code;
    poptContext parsed = parse_arguments(
        argc, argv, options, "[OPTIONS]",
        "Shows this processor, its kernel targets, threads and BLAS, with the measured\n"
        "costs that decide how many threads a step gets.",
        &code);
    if (!parsed) return code;
    if (poptPeekArg(parsed)) {
        code = wrong_usage("info", "takes no arguments, but got \"%s\".", poptGetArg(parsed));
        poptFreeContext(parsed);
        return code;
    }
    poptFreeContext(parsed);
    output out;
    if (!output_open(&out)) return EXIT_FAILED;
    plx_ctx *ctx;
    code = open_context(&ctx);
    if (code == EXIT_DONE) {
        const char *note;
        const plx_gemm_provider *blas = plx_native_cblas(&note);
        if (blas) blas->set_threads(blas->self, plx_ctx_get_info(ctx).threads);
        print_info(output_tables(&out), ctx, blas, note);
        if (!output_row(&out, info_row(ctx, blas, note))) code = EXIT_FAILED;
        plx_ctx_free(ctx);
    }
    if (!output_close(&out, code == EXIT_DONE)) code = EXIT_FAILED;
    return code;
}
