"""The ONNX standard's own node tests of this package's operators: those of one node, two spatial axes and float32.
Needs the package onnx, which generates them. `python cases.py FILE` writes a list of {name, node, plain, inputs, outputs, rtol, atol}:
the node as protobuf's JSON, its attributes as a plain object, and tensors as {dims, type, base64 of little-endian data}."""
import base64, json, sys, warnings
import numpy as np
from google.protobuf.json_format import MessageToDict
from onnx.backend.test.case.node import collect_testcases
from onnx.helper import get_attribute_value

OPERATORS = {'Conv', 'ConvTranspose', 'MaxPool', 'AveragePool', 'LpPool', 'GlobalMaxPool', 'GlobalAveragePool'}


def tensor(array):
    array = np.ascontiguousarray(array)
    return {'dims': list(array.shape), 'type': str(array.dtype), 'data': base64.b64encode(array.tobytes()).decode()}


def plain(attribute):
    value = get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode()
    return value if isinstance(value, (int, float)) else list(value)


def cases():
    for case in collect_testcases(None):
        nodes = case.model.graph.node
        if len(nodes) != 1 or nodes[0].op_type not in OPERATORS:
            continue
        for inputs, outputs in case.data_sets:
            if inputs[0].ndim != 4 or inputs[0].dtype != np.float32:
                continue
            yield {
                'name': case.name,
                'node': MessageToDict(nodes[0], preserving_proto_field_name=True),
                'plain': {attribute.name: plain(attribute) for attribute in nodes[0].attribute},
                'inputs': [tensor(array) for array in inputs],
                'outputs': [tensor(array) for array in outputs],
                'rtol': case.rtol,
                'atol': case.atol,
            }


warnings.filterwarnings('ignore')
with open(sys.argv[1], 'w') as file:
    json.dump(list(cases()), file)
