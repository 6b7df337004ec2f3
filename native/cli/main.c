/* parallax COMMAND: benchmarks this machine, trains networks, and explains what they do. */
#include "command.h"

#include "build_info.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const command commands[] = {
    {"info", "show this processor, its kernel targets, threads and BLAS", cmd_info},
    {"bench", "run benchmark suites", cmd_bench},
    {"train", "train a network on a task, and show what it learnt", cmd_train},
    {"predict", "apply a model with saved weights to the rows of a table", cmd_predict},
    {"run", "run an ONNX model on arrays of NumPy", cmd_run},
    {"explain", "show layers, memory and the compiled plan of a model, or a file of weights",
     cmd_explain},
    {"verify", "check every kernel target at several numbers of threads", cmd_verify},
    {"compare", "compare result files: ratios with intervals", cmd_compare},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void print_help(void) {
    puts("usage: parallax COMMAND [ARGUMENTS]\n\n"
         "Benchmarks this machine's neural-net arithmetic, and trains and explains networks.\n");
    for (int i = 0; i < COMMANDS; ++i)
        printf("  %-9s %s\n", commands[i].name, commands[i].description);
    puts("\n  --help, --version\n\n"
         "parallax COMMAND --help says more. Exit codes: 0 done; 1 failed: a file, memory, the\n"
         "machine or a check did not allow it; 2 wrong arguments, and nothing was done; 3 slower\n"
         "than compare --threshold allows; 130 stopped by Ctrl-C (what was measured is kept;\n"
         "a process that is killed outright loses it).");
}

static int unknown_command(const char *name) {
    char list[128];
    int length = 0;
    for (int i = 0; i < COMMANDS; ++i)
        length += snprintf(list + length, sizeof list - (size_t)length, "%s%s", i ? ", " : "",
                           commands[i].name);
    return report(EXIT_USAGE, "there is no command \"%s\"; the commands are %s.", name, list);
}

static int run(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "";
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help") || argc < 2) {
        print_help();
        return argc < 2 ? EXIT_USAGE : EXIT_DONE;
    }
    if (!strcmp(name, "--version")) {
        printf("parallax %s (%s, %s)\n", plx_version(), PLX_BUILD_COMMIT, PLX_BUILD_COMPILER);
        return EXIT_DONE;
    }
    for (int i = 0; i < COMMANDS; ++i) {
        if (strcmp(name, commands[i].name) != 0) continue;
        char program[32];
        snprintf(program, sizeof program, "parallax %s", name);
        argv[1] = program;
        return commands[i].run(argc - 1, (const char **)(argv + 1));
    }
    return unknown_command(name);
}

int main(int argc, char **argv) {
    const int code = run(argc, argv);
    /* A full disk may show only here. */
    const bool written = !ferror(stdout) && !fflush(stdout);
    if (written || code != EXIT_DONE) return code;
    return report(EXIT_FAILED, "writing to standard output failed.");
}
