#include "machine.h"

#include "native/cpu_quota.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifdef __APPLE__
#include <sys/sysctl.h>
#endif

static void trim(char *text) {
    size_t length = strlen(text);
    while (length && strchr(" \t\r\n", text[length - 1])) text[--length] = 0;
}

static bool read_name(char *name, size_t size) {
#ifdef __APPLE__
    size_t length = size;
    return sysctlbyname("machdep.cpu.brand_string", name, &length, NULL, 0) == 0;
#else
    FILE *file = fopen("/proc/cpuinfo", "r");
    if (!file) return false;
    char line[256];
    bool found = false;
    while (!found && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        found = colon && (!strncmp(line, "model name", 10) || !strncmp(line, "Hardware", 8) ||
                          !strncmp(line, "CPU model", 9));
        if (found) snprintf(name, size, "%s", colon + 1 + strspn(colon + 1, " \t"));
    }
    fclose(file);
    trim(name);
    return found && *name;
#endif
}

const char *machine_name(void) {
    static char name[160];
    if (!*name && !read_name(name, sizeof name)) {
        struct utsname system;
        const bool known = uname(&system) == 0;
        snprintf(name, sizeof name, "unknown processor (%s)", known ? system.machine : "?");
    }
    return name;
}

const char *machine_system(void) {
    static char text[256];
    struct utsname system;
    if (!*text && uname(&system) == 0)
        snprintf(text, sizeof text, "%.60s %.80s %.60s", system.sysname, system.release,
                 system.machine);
    return *text ? text : "unknown system";
}

int machine_cpus(void) {
    return plx_native_cpus();
}

double machine_cpu_quota(void) {
    return plx_native_cpu_quota();
}

double machine_memory_bytes(void) {
    const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (double)pages * (double)size : 0;
}
