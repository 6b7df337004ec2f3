/* What the subcommands of the parallax command share. */
#ifndef PLX_CLI_COMMAND_H
#define PLX_CLI_COMMAND_H

#include "bench/bench.h"

#include <popt.h>

/* Exit codes, the same for all commands. EXIT_USAGE: the request can never be met, whatever the
 * files and the machine, and nothing was done. EXIT_FAILED: it was tried, but a file, memory or the
 * machine did not allow it, or a check failed. A run that Ctrl-C stopped exits with 128 + SIGINT,
 * as shells expect. EXIT_SLOWER is an answer of parallax compare --threshold, not a failure to give
 * one. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_SLOWER = 3, EXIT_INTERRUPTED = 130 };

typedef struct command {
    const char *name, *description;
    int (*run)(int argc, const char **argv); /* argv[0] is "parallax NAME" */
} command;

int cmd_info(int argc, const char **argv);
int cmd_bench(int argc, const char **argv);
int cmd_train(int argc, const char **argv);
int cmd_explain(int argc, const char **argv);
int cmd_predict(int argc, const char **argv);
int cmd_run(int argc, const char **argv);
int cmd_verify(int argc, const char **argv);
int cmd_compare(int argc, const char **argv);

/* Prints "parallax: " and the sentence to standard error; returns code. */
int report(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints the context's sentence; returns EXIT_USAGE if a call refused its arguments, otherwise
 * EXIT_FAILED. */
int report_status(const plx_ctx *ctx, plx_status status);
/* Appends to a growing string, NULL at first; free it. Exits when memory is short. */
void text_add(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- Arguments ------------------------------------------------------------------------------- */

/* Filled in by the tables below; strings live as long as the process. */
typedef struct common_arguments {
    int threads;
    const char *isa, *gemm;
    int reproducible;
    long long seed;
    const char *json, *csv;
    const char *tables; /* of parallax bench; NULL: not wanted */
    int quick, full;
    int before_with; /* number of other arguments before the option OPTION_WITH; -1: it was not
                      * given */
    uint64_t given;  /* a bit for the val (of struct poptOption) of each option that was given */
} common_arguments;

/* Whether both names refer to one file, or would if it existed. */
bool same_file(const char *a, const char *b);

/* The val of the option that separates arguments. */
enum { OPTION_WITH = 1 };

/* Whether the option with this val, 2 to 63, was given: tells an explicit 0 from no value. */
bool was_given(int val);

/* The largest value of --repeat. */
enum { REPEATS_MOST = 64 };
/* Returns EXIT_DONE, or EXIT_USAGE with the sentence printed. */
int check_repeat(const char *command_name, int repeat);

extern common_arguments arguments;

/* For POPT_ARG_INCLUDE_TABLE. */
extern struct poptOption machine_options[];
extern struct poptOption output_options[];
extern struct poptOption json_option[];
extern struct poptOption size_options[];

/* Parses all options; usage names the other arguments, help says what the command does. Returns the
 * context (poptGetArg gives the other arguments), or NULL with the exit code in *code. */
poptContext parse_arguments(int argc, const char **argv, const struct poptOption *options,
                            const char *usage, const char *help, int *code);
/* Frees strings stored by POPT_ARG_STRING, which are copies owned by the caller. */
void free_texts(size_t count, const char *const *texts);
/* Checks that the outputs are distinct files, and none of them an input. Returns EXIT_DONE, or an
 * exit code with the sentence printed. */
int check_outputs(const char *command_name, int inputs, const char *const *names);
/* Prints "parallax bench: SENTENCE" and a hint at --help; returns EXIT_USAGE. */
int wrong_usage(const char *command_name, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Opens a context as the machine options ask. On failure prints the sentence, sets *out to NULL and
 * returns the exit code. Prints what there is to say about threads and the BLAS. */
int open_context(plx_ctx **out);

/* ---- Interrupts ------------------------------------------------------------------------------ */

/* The first Ctrl-C or SIGTERM sets a flag; the second ends the process. */
void catch_interrupts(void);
bool interrupted(void);

/* ---- Progress -------------------------------------------------------------------------------- */

/* Progress on standard error: on a terminal one line that is rewritten, with the time left;
 * otherwise a plain line every half minute. */
typedef struct progress {
    int64_t start_ns, shown_ns;
    int64_t left_ns; /* as estimated by the work; -1: follows from the fraction */
    bool terminal;
    int width; /* of the line on the screen */
} progress;

progress progress_start(void);
/* fraction: of the whole, 0 to 1. */
void progress_show(progress *p, double fraction, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Call it before other output, and at the end. */
void progress_clear(progress *p);

#endif
