#include "default_file.h"

#include "command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char folder[] = "parallax-results";

/* Whether the file exists, or another run is about to write it. */
static bool taken(const char *name) {
    char *part = NULL;
    text_add(&part, "%s.part", name);
    const bool there = access(name, F_OK) == 0 || access(part, F_OK) == 0;
    free(part);
    return there;
}

char *default_file_name(const char *command_name) {
    char date[32];
    const time_t now = time(NULL);
    struct tm local;
    localtime_r(&now, &local);
    strftime(date, sizeof date, "%Y%m%d-%H%M%S", &local);
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        report(EXIT_FAILED,
               "cannot make the folder \"%s\" for the rows: %s; name a file with --json instead.",
               folder, strerror(errno));
        return NULL;
    }
    char *name = NULL;
    text_add(&name, "%s/%s-%s.jsonl", folder, command_name, date);
    for (int i = 2; taken(name); ++i) {
        free(name);
        name = NULL;
        text_add(&name, "%s/%s-%s-%d.jsonl", folder, command_name, date, i);
    }
    return name;
}

void default_file_end(void) {
    (void)rmdir(folder);
}
