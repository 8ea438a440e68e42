"""OpenVINO's CPU device: a compiled model of one node, in float32."""

import numpy as np
import openvino as ov
from openvino import opset13 as ops
from variants import Call, fastest

THREADS = 1


def load(threads):
    global THREADS
    THREADS = threads
    return ov.__version__


def node_of(problem, weight, x):
    kernel, stride, padding = (problem[name] for name in ("kernel", "stride", "padding"))
    if problem["kind"] == "maxpool":
        # Without the output of indices, which opset 8 adds.
        return ov.opset1.max_pool(x, stride, padding, padding, kernel, "floor")
    if problem["kind"] == "avgpool":
        return ov.opset1.avg_pool(x, stride, padding, padding, kernel, False, "floor")
    o, c, groups, dilation = (problem[name] for name in ("o", "c", "groups", "dilation"))
    if groups == 1:
        weight = ops.constant(weight.reshape(o, c, *kernel))
        return ops.convolution(x, weight, stride, padding, padding, dilation)
    weight = ops.constant(weight.reshape(groups, o // groups, c // groups, *kernel))
    return ops.group_convolution(x, weight, stride, padding, padding, dilation)


def prepare(problem, x, weight, grad_output):
    if problem["kind"] not in ("conv", "maxpool", "avgpool"):
        return None
    shape = [problem[letter] for letter in "nchw"]
    y_shape = [problem["n"], problem.get("o", problem["c"]), *problem["outputSides"]]
    parameter = ops.parameter(shape, np.float32)
    model = ov.Model([node_of(problem, weight, parameter)], [parameter])
    settings = {
        "INFERENCE_NUM_THREADS": THREADS,
        "NUM_STREAMS": "1",
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
        "ENABLE_CPU_PINNING": False,
    }
    compiled = ov.Core().compile_model(model, "CPU", settings)
    request = compiled.create_infer_request()
    # The tensors are views: `arrays` keeps their memory.
    arrays = (x.reshape(shape), np.empty(y_shape, np.float32))
    given, result = (ov.Tensor(array, shared_memory=True) for array in arrays)
    request.set_input_tensor(given)
    request.set_output_tensor(result)

    def start_and_wait():
        request.start_async()
        request.wait()

    def outputs(_):
        return [arrays[1]]

    infer = request.infer
    prepared = fastest(
        [
            ("infer", lambda: Call(lambda: infer(share_outputs=True), outputs)),
            ("start_async", lambda: Call(start_and_wait, outputs)),
        ]
    )
    prepared.keep = (compiled, arrays)
    return prepared
