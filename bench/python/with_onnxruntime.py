"""onnxruntime's CPU provider: a model of one node, whose weight is a constant and so packed beforehand."""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
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


def model_of(problem, weight, x_shape, y_shape):
    """The bytes of a model of one node."""
    attributes = {
        "kernel_shape": problem["kernel"],
        "strides": problem["stride"],
        "pads": problem["padding"] * 2,
    }
    constants = []
    if problem["kind"] == "conv":
        operator = "Conv"
        attributes |= {"dilations": problem["dilation"], "group": problem["groups"]}
        shape = (problem["o"], problem["c"] // problem["groups"], *problem["kernel"])
        constants = [numpy_helper.from_array(weight.reshape(shape), "weight")]
    elif problem["kind"] == "maxpool":
        operator = "MaxPool"
    else:
        operator = "AveragePool"
        attributes["count_include_pad"] = 1
    node = helper.make_node(operator, ["x"] + [c.name for c in constants], ["y"], **attributes)
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, s) for name, s in (("x", x_shape), ("y", y_shape))]
    graph = helper.make_graph([node], "problem", values[:1], values[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def prepare(problem, x, weight, grad_output):
    if problem["kind"] not in ("conv", "maxpool", "avgpool"):
        return None
    x_shape = [problem[letter] for letter in "nchw"]
    y_shape = [problem["n"], problem.get("o", problem["c"]), *problem["outputSides"]]
    model = model_of(problem, weight, x_shape, y_shape)
    x = x.reshape(x_shape)
    levels = onnxruntime.GraphOptimizationLevel
    # The last level packs channels into blocks, at the price of reordering what goes in and out.
    return fastest(
        [
            ("all optimizations", lambda: Session(model, x, y_shape, levels.ORT_ENABLE_ALL)),
            ("extended optimizations", lambda: Session(model, x, y_shape, levels.ORT_ENABLE_EXTENDED)),
        ]
    )
