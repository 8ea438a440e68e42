"""The persistent child of a benchmark: one Python package, timed in this process so that no pipe is measured.

    python child.py MODULE

MODULE is a file of this folder with `load(threads) -> version` and `prepare(problem, x, weight, grad_output)`, which gives an object
with `run()`, `outputs()` (arrays in the problem's layout) and optionally `details` (a dict), or None where the package has no such
operator. Requests are lines of JSON on standard input, answers on standard output; arrays travel in files.
"""

import gc
import importlib
import json
import math
import os
import signal
import sys
import time

try:
    import numpy as np
except ImportError as error:
    np = error

# Whatever a package prints goes to standard error: the answers have standard output for themselves.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

EVICTED_FLOATS = 128 * 2**20 // 8


def resident():
    """Bytes of resident memory, or None where the system doesn't say."""
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def seconds(run, count):
    start = time.perf_counter_ns()
    for _ in range(count):
        run()
    return (time.perf_counter_ns() - start) / 1e9


class Child:
    def __init__(self, module):
        self.module = module
        self.prepared = None
        self.evicted = None

    def load(self, threads):
        return {"version": self.module.load(threads)}

    def prepare(self, problem, files):
        arrays = []
        for name, kind in files:
            arrays.append(np.fromfile(name, dtype=np.uint8 if kind == "u8" else np.float32))
        self.prepared = self.module.prepare(problem, *arrays)
        if self.prepared is None:
            return {"supported": False}
        return {"supported": True, "details": getattr(self.prepared, "details", {})}

    def output(self, files):
        self.prepared.run()
        for result, name in zip(self.prepared.outputs(), files, strict=True):
            np.ascontiguousarray(result).tofile(name)
        return {"count": len(files)}

    def sample(self, minTime, maxTime, minSamples, cold):
        run = self.prepared.run
        samples = []
        gc.collect()
        gc.disable()
        try:
            count = 1
            if not cold:
                while (elapsed := seconds(run, count)) < minTime:
                    count = max(count + 1, min(count * 10, math.ceil(1.1 * count * minTime / elapsed)))
            start = time.perf_counter()
            while len(samples) < minSamples or time.perf_counter() - start < maxTime:
                if cold:
                    self.empty_caches()
                samples.append(seconds(run, count) / count)
        finally:
            gc.enable()
        return {"samples": samples}

    def empty_caches(self):
        if self.evicted is None:
            self.evicted = np.zeros(EVICTED_FLOATS)
        self.evicted += 1

    def dispose(self):
        self.prepared = None
        gc.collect()
        return {}


def main():
    # An interrupt of the terminal reaches this process too, but it is the other side that decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    child = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if isinstance(np, ImportError):
                raise np
            child = child or Child(importlib.import_module(sys.argv[1]))
            answer = getattr(child, request.pop("call"))(**request)
        except ImportError as error:
            answer = {"missing": str(error)}
        except Exception as error:  # The other side reports it with the problem.
            answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        answers.write(json.dumps({**answer, "resident": resident()}) + "\n")
        answers.flush()


main()
