"""Limits JAX to so many threads and lets it compute in full precision; imported before JAX is."""

import os
import sys


def cores(count):
    """So many of the CPUs that this process may use: one of each core first."""
    allowed = sorted(os.sched_getaffinity(0))
    first, others, seen = [], [], set()
    for cpu in allowed:
        siblings = siblings_of(cpu)
        (others if siblings in seen else first).append(cpu)
        seen.add(siblings)
    return (first + others)[:count]


def siblings_of(cpu):
    try:
        with open(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list") as file:
            return file.read().strip()
    except OSError:
        return str(cpu)


def limit(threads):
    """XLA makes a thread for each CPU that its process may use. NPROC tells it where that cannot be
    changed, as on macOS."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores(threads))
    os.environ["NPROC"] = str(threads)
    os.environ["JAX_PLATFORMS"] = "cpu"
    if threads == 1:
        flags = os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false".strip()


limit(int(sys.argv[1]))
