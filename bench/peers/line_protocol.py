"""What engines in Python share: the protocol of native.c, and the choice between several ways.

An engine is a function for each kind of case, which returns an object with restart(), run(count),
results(count) and, if there are several ways to do its work, the `variant` that it chose.
"""

import json
import sys
import time
import traceback

import case_data
import numpy

WARM_UP = 2
TRIALS = 7


def fastest(ways, trial):
    """The fastest of [(name, *way)], and its name, to which those that failed are added.

    trial(*way) returns a function to be timed, which has done everything that is done only once.
    """
    best, failures = None, []
    for name, *way in ways:
        try:
            ns = least_time(trial(*way))
        except Exception as error:  # another way may work
            failures.append(f"{name} fails: {first_line(error)}")
            last = error
            continue
        if best is None or ns < best[0]:
            best = ns, name, way
    if best is None:
        raise last
    _, name, way = best
    return way, "; ".join(filter(None, [name, *failures]))


def least_time(call):
    times = []
    for _ in range(WARM_UP + TRIALS):
        start = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - start)
    return min(times[WARM_UP:])


def first_line(error):
    """The error as it can stand in a line of the table."""
    return traceback.format_exception_only(error)[0].strip().split("\n")[0][:200]


def open_case(makers, words):
    values = numpy.fromfile(words[-1], numpy.float32)
    kind, path = words[1], words[-1]
    if kind == "op":
        return makers["op"](values, words[2], [int(size) for size in words[3:-1]])
    if kind == "gemm":
        return makers["gemm"](values, [int(size) for size in words[2:5]], words[5])
    name, batch = words[2], int(words[3])
    loss = words[4] if kind == "train" else None
    if name[0].isdigit():
        return makers["layers"](case_data.layers(values, name, batch, loss), loss)
    return makers["model"](case_data.model(values, batch, loss, f"{path}.json"), name)


def obey(makers, work, words):
    """Returns the current case and the rest of the answer."""
    if words[0] == "open":
        work = open_case(makers, words)
        return work, ("0", getattr(work, "variant", ""))
    if words[0] == "close":
        return None, ("0",)
    if words[0] == "restart":
        work.restart()
        work.run(WARM_UP)
    elif words[0] == "results":
        work.results(int(words[1])).astype(numpy.float32).tofile(words[2])
    elif words[0] == "run":
        used, start = time.process_time_ns(), time.perf_counter_ns()
        work.run(int(words[1]))
        ns = time.perf_counter_ns() - start
        return work, (str(ns), str(time.process_time_ns() - used))
    return work, ("0",)


def serve(about, makers):
    """about: what rows say about the engine, and `notes`, a list of sentences for the table."""
    # What libraries print must not be taken for answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps(about), file=answers, flush=True)
    work = None
    for line in sys.stdin:
        try:
            work, answer = obey(makers, work, line.split())
            print("ok", *answer, file=answers, flush=True)
        except Exception as error:  # reported in the table instead of ending the process
            print("error", str(error).replace("\n", " "), file=answers, flush=True)


def python_version():
    return f"Python {sys.version_info.major}.{sys.version_info.minor}"
