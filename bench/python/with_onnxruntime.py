"""onnxruntime's CPU provider: a model of one node, whose weight is a constant and so packed beforehand."""

import numpy as np
import onnxruntime
from variants import fastest

THREADS = 1


def load(threads):
    global THREADS
    THREADS = threads
    return onnxruntime.__version__


class Session:
    def __init__(self, model, x, sides, level):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        options.inter_op_num_threads = 1
        options.graph_optimization_level = level
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.arrays = (x, np.empty(sides, np.float32))
        self.binding = self.session.io_binding()
        for bind, name, array in zip((self.binding.bind_input, self.binding.bind_output), "xy", self.arrays):
            bind(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)
        self.options = onnxruntime.RunOptions()

    def run(self):
        self.session.run_with_iobinding(self.binding, self.options)

    def outputs(self):
        return [self.arrays[1]]


def prepare(problem, x, weight, grad_output):
    x_shape = [problem[letter] for letter in "nchw"]
    y_shape = [problem["n"], problem.get("o", problem["c"]), *problem["outputSides"]]
    model = problem["model"]
    x = x.reshape(x_shape)
    levels = onnxruntime.GraphOptimizationLevel
    # The last level packs channels into blocks, at the price of reordering what goes in and out.
    return fastest(
        [
            ("all optimizations", lambda: Session(model, x, y_shape, levels.ORT_ENABLE_ALL)),
            ("extended optimizations", lambda: Session(model, x, y_shape, levels.ORT_ENABLE_EXTENDED)),
        ]
    )
