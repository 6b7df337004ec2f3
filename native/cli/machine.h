/* Describes this machine, for rows. */
#ifndef PLX_CLI_MACHINE_H
#define PLX_CLI_MACHINE_H

#include <stdint.h>

/* "AMD EPYC 9B14"; "unknown processor" if the system does not say. All names here live as long as
 * the process. */
const char *machine_name(void);
/* "Linux 6.1.0 x86_64" */
const char *machine_system(void);
/* How many CPUs this process may run on. */
int machine_cpus(void);
/* How many CPUs' worth of time it may use; 0: no limit. */
double machine_cpu_quota(void);
/* 0: unknown. */
double machine_memory_bytes(void);

#endif
