/* CPU time quotas: https://docs.kernel.org/admin-guide/cgroup-v2.html (cpu.max) and
 * https://docs.kernel.org/scheduler/sched-bwc.html (cpu.cfs_quota_us). */
#include "native/cpu_quota.h"

#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 4096 };

typedef struct group {
    const char *root;
    char mount[64];        /* "/sys/fs/cgroup/cpu" */
    char path[PATH_BYTES]; /* below it: "/docker/0123", or "" */
    bool second;           /* cgroup version 2 */
} group;

static bool read_file(const group *g, const char *file, char *text, int size) {
    char name[2 * PATH_BYTES];
    snprintf(name, sizeof name, "%s%s%s/%s", g->root, g->mount, g->path, file);
    FILE *stream = fopen(name, "r");
    if (!stream) return false;
    const bool read = fgets(text, size, stream) != NULL;
    fclose(stream);
    return read;
}

/* The quota divided by the period (both in microseconds), in CPUs; 0 without a limit ("max" or
 * -1). */
static double quota_here(const group *g) {
    char quota[64] = "", period[64] = "";
    if (g->second) {
        if (!read_file(g, "cpu.max", quota, sizeof quota)) return 0;
        const char *blank = strchr(quota, ' ');
        snprintf(period, sizeof period, "%s", blank ? blank + 1 : "");
    } else if (!read_file(g, "cpu.cfs_quota_us", quota, sizeof quota) ||
               !read_file(g, "cpu.cfs_period_us", period, sizeof period)) {
        return 0;
    }
    const double time = (double)strtol(quota, NULL, 10), of = (double)strtol(period, NULL, 10);
    return time > 0 && of > 0 ? time / fmax(of, 1) : 0;
}

/* The smallest quota of the group and its ancestors. A path out of the root belongs to the host: a
 * container may see its own group as the root. */
static double least_quota(group *g) {
    double least = INFINITY;
    if (strstr(g->path, "/..")) g->path[0] = 0;
    for (;;) {
        const double quota = quota_here(g);
        if (quota > 0 && quota < least) least = quota;
        char *slash = strrchr(g->path, '/');
        if (!slash) return least;
        *slash = 0;
    }
}

static bool lists_cpu(const char *controllers) {
    for (const char *at = controllers; at; at = strchr(at, ','), at = at ? at + 1 : NULL)
        if (!strncmp(at, "cpu", 3) && (at[3] == ',' || !at[3])) return true;
    return false;
}

/* A line of /proc/self/cgroup is HIERARCHY:CONTROLLERS:PATH, with no controllers in version 2. */
static double quota_of_line(const char *root, char *line) {
    char *controllers = strchr(line, ':');
    char *path = controllers ? strchr(controllers + 1, ':') : NULL;
    double least = INFINITY;
    if (!path) return least;
    *path++ = 0;
    controllers += 1;
    path[strcspn(path, "\n")] = 0;
    const bool second = !*controllers;
    if (!second && !lists_cpu(controllers)) return least;
    const char *const mounts[] = {second ? "" : "/cpu", second ? "/unified" : "/cpu,cpuacct"};
    for (int i = 0; i < 2; ++i) {
        group g = {.root = root, .second = second};
        snprintf(g.mount, sizeof g.mount, "/sys/fs/cgroup%s", mounts[i]);
        snprintf(g.path, sizeof g.path, "%s", path);
        const double quota = least_quota(&g);
        if (quota < least) least = quota;
    }
    return least;
}

double plx_native_read_cpu_quota(const char *root) {
    char name[PATH_BYTES], line[PATH_BYTES];
    snprintf(name, sizeof name, "%s/proc/self/cgroup", root);
    FILE *file = fopen(name, "r");
    if (!file) return 0;
    double least = INFINITY;
    while (fgets(line, sizeof line, file)) {
        const double quota = quota_of_line(root, line);
        if (quota < least) least = quota;
    }
    fclose(file);
    return isinf(least) ? 0 : least;
}

static double first_quota;

static void read_first(void) {
    first_quota = plx_native_read_cpu_quota("");
}

double plx_native_cpu_quota(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, read_first);
    return first_quota;
}
