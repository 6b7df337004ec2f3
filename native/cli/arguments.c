#include "command.h"

#include "native/cblas.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

common_arguments arguments;

struct poptOption machine_options[] = {
    {"threads", 't', POPT_ARG_INT, &arguments.threads, 0,
     "workers, the caller included (default: as many as measure worth it)", "N"},
    {"isa", 0, POPT_ARG_STRING, &arguments.isa, 0,
     "kernel target, as \"parallax info\" lists them (default: PARALLAX_ISA, else the best)",
     "NAME"},
    {"gemm", 0, POPT_ARG_STRING, &arguments.gemm, 0,
     "matrix products by own kernels, by the system's BLAS, or by what measures faster "
     "(default: builtin)",
     "builtin|cblas|auto"},
    {"reproducible", 0, POPT_ARG_NONE, &arguments.reproducible, 0,
     "the fastest target whose results have the same bits on every platform", NULL},
    {"seed", 0, POPT_ARG_LONGLONG, &arguments.seed, 0, "of data, weights and order (default: 0)",
     "N"},
    POPT_TABLEEND};

struct poptOption output_options[] = {
    {"json", 0, POPT_ARG_STRING, &arguments.json, 0,
     "write the rows here, one JSON object a line (-: standard output)", "FILE"},
    {"csv", 0, POPT_ARG_STRING, &arguments.csv, 0,
     "write the rows here, a column per field (-: standard output)", "FILE"},
    POPT_TABLEEND};

struct poptOption json_option[] = {
    {"json", 0, POPT_ARG_STRING, &arguments.json, 0,
     "write the rows here, one JSON object a line (-: standard output)", "FILE"},
    POPT_TABLEEND};

struct poptOption size_options[] = {
    {"quick", 0, POPT_ARG_NONE, &arguments.quick, 0, "small sizes, few samples", NULL},
    {"full", 0, POPT_ARG_NONE, &arguments.full, 0, "everything, however long it takes", NULL},
    POPT_TABLEEND};

int report(int code, const char *format, ...) {
    va_list list;
    va_start(list, format);
    fputs("parallax: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    return code;
}

int wrong_usage(const char *command_name, const char *format, ...) {
    va_list list;
    va_start(list, format);
    fprintf(stderr, "parallax %s: ", command_name);
    vfprintf(stderr, format, list);
    fprintf(stderr, "\nTry: parallax %s --help\n", command_name);
    va_end(list);
    return EXIT_USAGE;
}

/* argv[0] is "parallax NAME". */
static const char *command_name(const char *program) {
    const char *blank = strchr(program, ' ');
    return blank ? blank + 1 : program;
}

static bool both_name(const char *a, const char *b) {
    return a && b && !strcmp(a, b);
}

static int check_common(const char *name) {
    if (arguments.threads < 0 || arguments.threads > 128)
        return wrong_usage(name, "--threads must be from 1 to 128 (0: choose), not %d.",
                           arguments.threads);
    if (arguments.seed < 0)
        return wrong_usage(name, "--seed must not be negative, but is %lld.", arguments.seed);
    if (arguments.quick && arguments.full)
        return wrong_usage(name, "--quick and --full exclude each other.");
    if (arguments.reproducible && arguments.gemm && strcmp(arguments.gemm, "builtin") != 0)
        return wrong_usage(name,
                           "--gemm %s and --reproducible exclude each other: a BLAS has other bits "
                           "on other machines.",
                           arguments.gemm);
    if (arguments.isa && arguments.reproducible)
        return wrong_usage(name, "--isa and --reproducible exclude each other: the second chooses "
                                 "the target itself.");
    const char *gemm = arguments.gemm;
    if (gemm && strcmp(gemm, "builtin") != 0 && strcmp(gemm, "cblas") != 0 &&
        strcmp(gemm, "auto") != 0)
        return wrong_usage(name, "--gemm is builtin, cblas or auto, not \"%s\".", gemm);
    if (both_name(arguments.json, arguments.csv))
        return wrong_usage(name, "--json and --csv both name \"%s\".", arguments.json);
    if (both_name(arguments.tables, arguments.json) || both_name(arguments.tables, arguments.csv))
        return wrong_usage(name, "--tables and %s both name \"%s\".",
                           both_name(arguments.tables, arguments.json) ? "--json" : "--csv",
                           arguments.tables);
    return EXIT_DONE;
}

static int other_arguments(poptContext context) {
    const char **texts = poptGetArgs(context);
    int count = 0;
    while (texts && texts[count]) ++count;
    return count;
}

poptContext parse_arguments(int argc, const char **argv, const struct poptOption *options,
                            const char *usage, const char *help, int *code) {
    poptContext context = poptGetContext(argv[0], argc, argv, options, 0);
    char text[4096];
    snprintf(text, sizeof text, "%s\n\n%s\n", usage, help);
    poptSetOtherOptionHelp(context, text);
    const char *name = command_name(argv[0]);
    int result, separators = 0;
    arguments.before_with = -1;
    while ((result = poptGetNextOpt(context)) == OPTION_WITH) {
        arguments.before_with = other_arguments(context);
        separators += 1;
    }
    if (separators > 1)
        *code = wrong_usage(name, "--with stands between two sides, once.");
    else if (result < -1)
        *code = wrong_usage(name, "%s: %s.", poptBadOption(context, POPT_BADOPTION_NOALIAS),
                            poptStrerror(result));
    else
        *code = check_common(name);
    if (*code == EXIT_DONE) return context;
    poptFreeContext(context);
    return NULL;
}

void free_texts(size_t count, const char *const *texts) {
    for (size_t i = 0; i < count; ++i) {
        void *own; /* popt gives them away behind pointers to const */
        memcpy(&own, &texts[i], sizeof own);
        free(own);
    }
}

/* The BLAS, if --gemm asks for it. Returns an exit code, the sentence printed. */
static int choose_gemm(plx_ctx_options *options, const char **note) {
    *note = "";
    if (!arguments.gemm || !strcmp(arguments.gemm, "builtin")) return EXIT_DONE;
    const bool automatic = !strcmp(arguments.gemm, "auto");
    options->provider = plx_native_cblas(note);
    options->gemm = automatic ? PLX_GEMM_AUTO : PLX_GEMM_PROVIDER;
    if (options->provider || automatic) return EXIT_DONE;
    return report(EXIT_FAILED, "--gemm cblas: %s", *note);
}

/* Threads that could not be had, and kernels that were not chosen, explain slow figures. */
static void say_what_is_short(plx_ctx *ctx, const plx_gemm_provider *provider, const char *note) {
    const plx_ctx_info info = plx_ctx_get_info(ctx);
    const int wanted = arguments.threads ? arguments.threads : info.cpus;
    if (info.threads < wanted)
        report(EXIT_DONE, "%d thread%s instead of %d: the system lets this process start no more.",
               info.threads, info.threads == 1 ? "" : "s", wanted);
    if (provider) provider->set_threads(provider->self, info.threads);
    if (*note) report(EXIT_DONE, "%s.", note);
}

int open_context(plx_ctx **out) {
    *out = NULL;
    plx_ctx_options options = plx_ctx_default();
    options.threads = arguments.threads;
    options.isa = arguments.isa;
    options.reproducible = arguments.reproducible;
    const char *note;
    const int code = choose_gemm(&options, &note);
    if (code != EXIT_DONE) return code;
    char message[512];
    if (plx_ctx_new(&options, out, message, sizeof message) != PLX_OK)
        return report(EXIT_FAILED, "%s", message);
    say_what_is_short(*out, options.provider, note);
    return EXIT_DONE;
}
