/* How many processors this process may use. */
#ifndef PLX_NATIVE_CPU_QUOTA_H
#define PLX_NATIVE_CPU_QUOTA_H

/* Those it may run on, at least 1, whatever time it gets on them. */
int plx_native_cpus(void);

/* Those it may use in time, as the control groups of Linux limit it and containers set them: 0.5 is
 * half of one. 0: not limited. As it was when the process first asked. */
double plx_native_cpu_quota(void);

/* The same, read anew. root: "", or a folder that stands for "/" in tests. */
double plx_native_read_cpu_quota(const char *root);

#endif
