/* Quotas of processor time, read from file trees as Linux presents them to containers. */
#include "check.h"

#ifndef __EMSCRIPTEN__

#include "native/cpu_quota.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define V2 "/sys/fs/cgroup"
#define V1 "/sys/fs/cgroup/cpu"

enum { FILES = 6 };

typedef struct tree {
    const char *what;
    double quota;
    struct {
        const char *name, *text;
    } files[FILES];
} tree;

static const tree trees[] = {
    {"nothing at all", 0, {{0}}},
    {"version 2, no limit", 0, {{"/proc/self/cgroup", "0::/\n"}, {V2 "/cpu.max", "max 100000\n"}}},
    {"version 2, half of one",
     0.5,
     {{"/proc/self/cgroup", "0::/\n"}, {V2 "/cpu.max", "50000 100000\n"}}},
    {"version 2, another period",
     1.5,
     {{"/proc/self/cgroup", "0::/\n"}, {V2 "/cpu.max", "30000 20000\n"}}},
    {"version 2, the outer group allows less",
     0.25,
     {{"/proc/self/cgroup", "0::/a/b\n"},
      {V2 "/a/b/cpu.max", "max 100000\n"},
      {V2 "/a/cpu.max", "25000 100000\n"},
      {V2 "/cpu.max", "100000 100000\n"}}},
    {"version 2, the inner group allows less",
     1,
     {{"/proc/self/cgroup", "0::/a/b\n"},
      {V2 "/a/b/cpu.max", "100000 100000\n"},
      {V2 "/a/cpu.max", "300000 100000\n"}}},
    {"version 2, the path is one of outside the container",
     2,
     {{"/proc/self/cgroup", "0::/system.slice/docker-0123.scope\n"},
      {V2 "/cpu.max", "200000 100000\n"}}},
    {"version 2, a path above the container's root",
     2,
     {{"/proc/self/cgroup", "0::/../neighbour\n"}, {V2 "/cpu.max", "200000 100000\n"}}},
    {"version 2 without the controller", 0, {{"/proc/self/cgroup", "0::/a\n"}}},
    {"version 1, no limit",
     0,
     {{"/proc/self/cgroup", "4:memory:/\n1:cpu:/\n"},
      {V1 "/cpu.cfs_quota_us", "-1\n"},
      {V1 "/cpu.cfs_period_us", "100000\n"}}},
    {"version 1, together with another controller",
     0.5,
     {{"/proc/self/cgroup", "3:cpuset:/\n2:cpu,cpuacct:/docker/0123\n0::/\n"},
      {"/sys/fs/cgroup/cpu,cpuacct/docker/0123/cpu.cfs_quota_us", "50000\n"},
      {"/sys/fs/cgroup/cpu,cpuacct/docker/0123/cpu.cfs_period_us", "100000\n"}}},
    {"version 1, the path is one of outside the container",
     3,
     {{"/proc/self/cgroup", "2:cpuacct,cpu:/docker/0123\n"},
      {V1 "/cpu.cfs_quota_us", "300000\n"},
      {V1 "/cpu.cfs_period_us", "100000\n"}}},
    {"version 1, another controller's limit is none of time",
     0,
     {{"/proc/self/cgroup", "2:cpuset:/\n1:cpuacct:/\n"},
      {V1 "/cpu.cfs_quota_us", "50000\n"},
      {V1 "/cpu.cfs_period_us", "100000\n"}}},
    {"damaged files",
     0,
     {{"/proc/self/cgroup", "cpu\n::\n1:cpu:\n0::/a\n"},
      {V2 "/a/cpu.max", "many 0\n"},
      {V2 "/cpu.max", "100000\n"},
      {V1 "/cpu.cfs_quota_us", ""},
      {V1 "/cpu.cfs_period_us", "0\n"}}},
};

static bool write_file(const char *root, const char *name, const char *text) {
    char path[512];
    snprintf(path, sizeof path, "%s%s", root, name);
    for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); ++slash) {
        *slash = 0;
        (void)mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    return file && fputs(text, file) >= 0 && !fclose(file);
}

/* Removes the file and those of its parent folders that are empty. */
static void remove_file(const char *root, const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s%s", root, name);
    (void)remove(path);
    for (char *slash; (slash = strrchr(path, '/')) && slash > path + strlen(root);) {
        *slash = 0;
        (void)rmdir(path);
    }
}

void plx_test_unit_cpu_quota(plx_check *t) {
    for (size_t i = 0; i < sizeof trees / sizeof *trees; ++i) {
        const tree *right = &trees[i];
        char root[] = "cpu_quota.XXXXXX";
        if (!CHECK(t, mkdtemp(root), "a folder for the files")) return;
        bool written = true;
        for (int f = 0; f < FILES && right->files[f].name; ++f)
            written &= write_file(root, right->files[f].name, right->files[f].text);
        const double quota = plx_native_read_cpu_quota(root);
        CHECK(t, written && quota == right->quota, "%s: %g, not %g", right->what, quota,
              right->quota);
        for (int f = 0; f < FILES && right->files[f].name; ++f)
            remove_file(root, right->files[f].name);
        CHECK(t, !rmdir(root), "%s: the folder is left behind", right->what);
    }
    CHECK(t, plx_native_cpus() >= 1, "processors: %d", plx_native_cpus());
}

#endif
