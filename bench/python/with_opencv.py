"""OpenCV: filters of images, and those convolutions and poolings that are filters of each plane."""

import cv2
import numpy as np
from variants import Call


def load(threads):
    cv2.setNumThreads(threads)
    return cv2.__version__


def prepare(problem, x, weight, grad_output):
    if problem["kind"] in ("filter", "sharpen", "gauss", "box", "dilate"):
        return image_filter(problem, x, weight)
    plane = plane_filter(problem, weight)
    if plane is None:
        return None
    planes = x.reshape(-1, problem["h"], problem["w"])
    results = np.empty_like(planes)
    pairs = list(zip(planes, results))

    def compute():
        for i, (source, target) in enumerate(pairs):
            plane(i % problem["c"], source, target)

    # A filter gives as many pixels as it takes: without padding the last ones are beyond the result.
    oh, ow = problem["outputSides"]
    top, left = (kernel // 2 - padding for kernel, padding in zip(problem["kernel"], problem["padding"]))
    return Call(compute, lambda _: [results[:, top : top + oh, left : left + ow]])


def image_filter(problem, x, weight):
    image = x.reshape(problem["h"], problem["w"], problem["c"])
    result = np.empty_like(image)
    kernel = weight.reshape(problem["kernel"])
    border = cv2.BORDER_REPLICATE
    size = tuple(reversed(problem["kernel"]))
    if problem["kind"] == "dilate":
        element = np.ones(problem["kernel"], np.uint8)
        return Call(lambda: cv2.dilate(image, element, result), lambda _: [result])
    if problem["kind"] == "box":
        return Call(lambda: cv2.blur(image, size, result, (-1, -1), border), lambda _: [result])
    if problem["kind"] == "gauss":
        # Its rule for a size; stated, since without it a size up to 7 has a coarser table.
        x_sigma, y_sigma = (0.3 * ((side - 1) * 0.5 - 1) + 0.8 for side in size)
        return Call(lambda: cv2.GaussianBlur(image, size, x_sigma, result, y_sigma, border), lambda _: [result])
    return Call(lambda: cv2.filter2D(image, -1, kernel, result, (-1, -1), 0, border), lambda _: [result])


def plane_filter(problem, weight):
    """`filter(channel, source, target)`, or None."""
    kind, kernel, padding = problem["kind"], problem["kernel"], problem["padding"]
    fits = all(p <= k // 2 for k, p in zip(kernel, padding))
    if problem["stride"] != [1, 1] or not fits:
        return None
    oh, ow = problem["outputSides"]
    # The padding of a result that is smaller than the input must not reach beyond it on the far side.
    if oh > problem["h"] or ow > problem["w"]:
        return None
    if kind == "conv":
        c = problem["c"]
        if problem["dilation"] != [1, 1] or not (problem["groups"] == c == problem["o"]):
            return None
        kernels = weight.reshape(c, *kernel)

        def convolve(channel, source, target):
            cv2.filter2D(source, -1, kernels[channel], target, (-1, -1), 0, cv2.BORDER_CONSTANT)

        return convolve
    if kind == "maxpool":
        element = np.ones(kernel, np.uint8)

        def maximum(_, source, target):
            cv2.dilate(source, element, target)

        return maximum
    if kind == "avgpool":
        size = tuple(reversed(kernel))

        def mean(_, source, target):
            cv2.boxFilter(source, -1, size, target, (-1, -1), True, cv2.BORDER_CONSTANT)

        return mean
    return None
