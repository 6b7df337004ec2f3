/* How many CPUs this process may use. */
#ifndef PLX_NATIVE_CPU_QUOTA_H
#define PLX_NATIVE_CPU_QUOTA_H

/* The CPUs it may run on, at least 1, however much time it gets on them. */
int plx_native_cpus(void);

/* How many CPUs' worth of time it may use, as limited by Linux control groups (containers set
 * them): 0.5 is half a CPU; 0: no limit. Read once, when the process first asks. */
double plx_native_cpu_quota(void);

/* The same, read afresh. root: "", or a folder that stands in for "/" in tests. */
double plx_native_read_cpu_quota(const char *root);

#endif
