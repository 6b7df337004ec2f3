#include "command.h"

#include "native/parallax_native.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

common_arguments arguments;

struct poptOption machine_options[] = {
    {"threads", 't', POPT_ARG_INT, &arguments.threads, 0,
     "threads, including the caller's (default, or 0: one per CPU, or as many as a quota allows); "
     "a "
     "step uses only as many as pay off",
     "N"},
    {"isa", 0, POPT_ARG_STRING, &arguments.isa, 0,
     "kernel target, as \"parallax info\" lists them (default: PARALLAX_ISA, else the best)",
     "NAME"},
    {"gemm", 0, POPT_ARG_STRING, &arguments.gemm, 0,
     "matrix products by the built-in kernels, by the system's BLAS, or by whichever measures "
     "faster (default: builtin)",
     "builtin|cblas|auto"},
    {"reproducible", 0, POPT_ARG_NONE, &arguments.reproducible, 0,
     "the fastest target whose results have the same bits on every platform", NULL},
    {"seed", 0, POPT_ARG_LONGLONG, &arguments.seed, 0,
     "seed for data, weights and order (default: 0)", "N"},
    POPT_TABLEEND};

struct poptOption output_options[] = {
    {"json", 0, POPT_ARG_STRING, &arguments.json, 0,
     "write the rows to FILE, one JSON object per line (-: standard output)", "FILE"},
    {"csv", 0, POPT_ARG_STRING, &arguments.csv, 0,
     "write the rows to FILE, a column per field, without the lists of samples (-: standard "
     "output); to train on a table, see train --csv",
     "FILE"},
    POPT_TABLEEND};

struct poptOption json_option[] = {
    {"json", 0, POPT_ARG_STRING, &arguments.json, 0,
     "write the rows to FILE, one JSON object per line (-: standard output)", "FILE"},
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

void text_add(char **text, const char *format, ...) {
    char *added = NULL, *whole = NULL;
    va_list list;
    va_start(list, format);
    const bool made = vasprintf(&added, format, list) >= 0 &&
                      asprintf(&whole, "%s%s", *text ? *text : "", added) >= 0;
    va_end(list);
    if (!made) exit(report(EXIT_FAILED, "there is not enough memory for a string."));
    free(added);
    free(*text);
    *text = whole;
}

int report_status(const plx_ctx *ctx, plx_status status) {
    const bool refused =
        status == PLX_ERR_ARGUMENT || status == PLX_ERR_SHAPE || status == PLX_ERR_UNSUPPORTED;
    return report(refused ? EXIT_USAGE : EXIT_FAILED, "%s", plx_message(ctx));
}

/* ---- Outputs --------------------------------------------------------------------------------- */

/* The canonical name of the folder that a file is in, and the file's own name in *rest. */
static char *folder_of(const char *name, const char **rest) {
    const char *slash = strrchr(name, '/');
    *rest = slash ? slash + 1 : name;
    char *folder = slash ? strndup(name, (size_t)(slash - name) + 1) : strdup(".");
    char *real = folder ? realpath(folder, NULL) : NULL;
    free(folder);
    return real;
}

bool same_file(const char *a, const char *b) {
    struct stat first, second;
    if (!strcmp(a, b)) return true;
    if (!strcmp(a, "-") || !strcmp(b, "-")) return false;
    const bool there = stat(a, &first) == 0, other = stat(b, &second) == 0;
    if (there || other)
        return there && other && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
    const char *rest_a, *rest_b;
    char *of_a = folder_of(a, &rest_a), *of_b = folder_of(b, &rest_b);
    const bool same = of_a && of_b && !strcmp(of_a, of_b) && !strcmp(rest_a, rest_b);
    free(of_a);
    free(of_b);
    return same;
}

/* An output is written to FILE.part until it is complete, so that name must not collide either. */
static bool overwrites(const char *output, const char *name) {
    char *part = NULL;
    text_add(&part, "%s.part", output);
    const bool same = same_file(output, name) || same_file(part, name);
    free(part);
    return same;
}

int check_outputs(const char *command_name, int inputs, const char *const *names) {
    const char *const options[] = {"--tables", "--json", "--csv"},
                      *outputs[] = {arguments.tables, arguments.json, arguments.csv};
    for (int i = 0; i < 3; ++i) {
        for (int k = 0; outputs[i] && k < inputs; ++k)
            if (names[k] && overwrites(outputs[i], names[k]))
                return wrong_usage(
                    command_name,
                    "\"%s\", where %s would write, is an input file; name another file.",
                    outputs[i], options[i]);
        for (int k = i + 1; outputs[i] && k < 3; ++k)
            if (outputs[k] &&
                (overwrites(outputs[i], outputs[k]) || overwrites(outputs[k], outputs[i])))
                return wrong_usage(command_name,
                                   "%s and %s both name \"%s\"; give each its own file.",
                                   options[i], options[k], outputs[i]);
    }
    return EXIT_DONE;
}

static int check_common(const char *name) {
    if (arguments.threads < 0 || arguments.threads > 128)
        return wrong_usage(name,
                           "--threads must be from 1 to 128, or 0 to choose automatically, not %d.",
                           arguments.threads);
    if (arguments.seed < 0)
        return wrong_usage(name, "--seed must be 0 or more, not %lld.", arguments.seed);
    if (arguments.quick && arguments.full)
        return wrong_usage(name, "--quick and --full cannot be combined.");
    if (arguments.reproducible && arguments.gemm && strcmp(arguments.gemm, "builtin") != 0)
        return wrong_usage(name,
                           "--gemm %s and --reproducible cannot be combined: a BLAS gives "
                           "different bits on different machines.",
                           arguments.gemm);
    if (arguments.isa && arguments.reproducible)
        return wrong_usage(name, "--isa and --reproducible cannot be combined: --reproducible "
                                 "chooses the target itself.");
    const char *gemm = arguments.gemm;
    if (gemm && strcmp(gemm, "builtin") != 0 && strcmp(gemm, "cblas") != 0 &&
        strcmp(gemm, "auto") != 0)
        return wrong_usage(name, "--gemm must be builtin, cblas or auto, not \"%s\".", gemm);
    return check_outputs(name, 0, NULL);
}

/* An empty value is a mistake in the command line, as of a script whose variable is not set. */
static const char *empty_option(const struct poptOption *options) {
    const char *found = NULL;
    for (const struct poptOption *o = options; (o->longName || o->arg) && !found; ++o) {
        const unsigned kind = o->argInfo & POPT_ARG_MASK;
        if (kind == POPT_ARG_INCLUDE_TABLE && o->arg != poptHelpOptions)
            found = empty_option(o->arg);
        else if (kind == POPT_ARG_STRING && o->arg && *(char **)o->arg && !**(char **)o->arg)
            found = o->longName;
    }
    return found;
}

bool was_given(int val) {
    return arguments.given >> val & 1;
}

int check_repeat(const char *name, int repeat) {
    if (repeat >= 1 && repeat <= REPEATS_MOST) return EXIT_DONE;
    return wrong_usage(name, "--repeat must be from 1 to %d, not %d.", REPEATS_MOST, repeat);
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
    char *text = NULL;
    text_add(&text, "%s\n\n%s\n", usage, help);
    poptSetOtherOptionHelp(context, text);
    const char *name = command_name(argv[0]);
    int result, separators = 0;
    arguments.before_with = -1;
    while ((result = poptGetNextOpt(context)) > 0) {
        arguments.given |= UINT64_C(1) << result;
        if (result != OPTION_WITH) continue;
        arguments.before_with = other_arguments(context);
        separators += 1;
    }
    free(text);
    if (separators > 1)
        *code = wrong_usage(name, "--with separates the two sides and may be given only once.");
    else if (result < -1)
        *code = wrong_usage(name, "%s: %s%s.", poptBadOption(context, POPT_BADOPTION_NOALIAS),
                            poptStrerror(result),
                            result == POPT_ERROR_BADNUMBER
                                ? "; numbers are written as 1000 or 0.5, and counts are whole"
                                : "");
    else if (empty_option(options))
        *code = wrong_usage(name, "--%s has an empty value.", empty_option(options));
    else
        *code = check_common(name);
    if (*code == EXIT_DONE) return context;
    poptFreeContext(context);
    return NULL;
}

void free_texts(size_t count, const char *const *texts) {
    for (size_t i = 0; i < count; ++i) {
        void *own; /* popt passes ownership behind pointers to const */
        memcpy(&own, &texts[i], sizeof own);
        free(own);
    }
}

/* Finds the BLAS if --gemm asks for it. Returns an exit code; on failure the sentence is
 * printed. */
static int choose_gemm(plx_ctx_options *options, const char **note) {
    *note = "";
    if (!arguments.gemm || !strcmp(arguments.gemm, "builtin")) return EXIT_DONE;
    const bool automatic = !strcmp(arguments.gemm, "auto");
    options->provider = plx_native_cblas(note);
    options->gemm = automatic ? PLX_GEMM_AUTO : PLX_GEMM_PROVIDER;
    if (options->provider || automatic) return EXIT_DONE;
    return report(EXIT_FAILED, "--gemm cblas: %s", *note);
}

/* Says when threads could not be started or kernels were replaced: that explains slow figures. */
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
    const plx_status status = plx_ctx_new(&options, out, message, sizeof message);
    /* Unless memory ran out, the request itself was refused. */
    if (status != PLX_OK)
        return report(status == PLX_ERR_MEMORY ? EXIT_FAILED : EXIT_USAGE, "%s", message);
    say_what_is_short(*out, options.provider, note);
    return EXIT_DONE;
}
