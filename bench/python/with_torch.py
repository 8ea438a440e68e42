"""PyTorch, with oneDNN where it is compiled in."""

import torch
import torch.nn.functional as F
from variants import Call, fastest


def load(threads):
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    torch.set_grad_enabled(False)
    return torch.__version__


def prepare(problem, x, weight, grad_output, memory_format=torch.contiguous_format):
    kind = problem["kind"]
    if kind in ("filter", "gauss"):
        return None

    def tensor(data, *shape):
        return torch.from_numpy(data).reshape(shape).contiguous(memory_format=memory_format)

    n, c, h, w = (problem[letter] for letter in "nchw")
    x = tensor(x, n, c, h, w)
    window = [problem[name] for name in ("kernel", "stride", "padding")]
    kernel, stride, padding = window
    sides = problem["outputSides"]
    if kind == "maxpool":
        return single(lambda: F.max_pool2d(x, kernel, stride, padding))
    if kind == "avgpool":
        return single(lambda: F.avg_pool2d(x, kernel, stride, padding))
    if kind == "avgpoolgrad":
        grad = tensor(grad_output, n, c, *sides)
        backward = torch.ops.aten.avg_pool2d_backward
        return single(lambda: backward(grad, x, kernel, stride, padding, False, True, None))
    if kind == "maxpoolgrad":
        grad = tensor(grad_output, n, c, *sides)
        _, indices = F.max_pool2d(x, kernel, stride, padding, return_indices=True)
        backward = torch.ops.aten.max_pool2d_with_indices_backward
        return single(lambda: backward(grad, x, kernel, stride, padding, [1, 1], False, indices))

    o, groups, dilation = problem["o"], problem["groups"], problem["dilation"]
    weight = tensor(weight, o, c // groups, *kernel)
    if kind == "convgrad":
        grad = tensor(grad_output, n, o, *sides)
        mask = [True, True, False]
        settings = (None, stride, padding, dilation, False, [0, 0], groups, mask)
        return Call(
            lambda: torch.ops.aten.convolution_backward(grad, x, weight, *settings),
            lambda result: [result[0].contiguous().numpy(), result[1].contiguous().numpy()],
        )

    def plain():
        return single(lambda: F.conv2d(x, weight, None, stride, padding, dilation, groups))

    def prepacked():
        # As torch.compile freezes a convolution: the weight in oneDNN's own order.
        mkldnn = torch.ops.mkldnn
        packed = mkldnn._reorder_convolution_weight(weight, padding, stride, dilation, groups, list(x.shape))
        settings = (None, padding, stride, dilation, groups, "none", [], "")
        return single(lambda: mkldnn._convolution_pointwise(x, packed, *settings))

    return fastest([("conv2d", plain), ("prepacked", prepacked)])


def single(compute):
    return Call(compute, lambda result: [result.contiguous().numpy()])
