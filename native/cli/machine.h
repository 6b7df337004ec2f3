/* Names of this machine, for rows. */
#ifndef PLX_CLI_MACHINE_H
#define PLX_CLI_MACHINE_H

#include <stdint.h>

/* "AMD EPYC 9B14"; "unknown processor" where the system does not tell. Lives as long as the
 * process, as do all names here. */
const char *machine_name(void);
/* "Linux 6.1.0 x86_64" */
const char *machine_system(void);
/* Processors that this process may run on. */
int machine_cpus(void);
/* How many of them it may use in time; 0: all. */
double machine_cpu_quota(void);
/* 0: unknown. */
double machine_memory_bytes(void);

#endif
