"""Makes signal.onnx anew: a perceptron of three layers, 64 inputs to 8 outputs, one query at a time.

Usage: python3 make_signal.py [FILE]        signal.onnx beside this file unless given

It needs Python and the package `onnx`, nothing else, and always writes the same bytes. Opset and
IR version are those that parsers in use take (8.x to 11.x); what `onnx` writes unasked is newer and
refused. Weights come from a generator of its own, so that no library's random numbers matter; they
are multiples of 2**-12, which every float holds exactly. (Named so that it does not hide Python's
own module `signal` from the package.)
"""

import pathlib
import struct
import sys

import onnx
from onnx import TensorProto, helper

OPSET = 17
IR_VERSION = 8
WIDTHS = [64, 64, 64, 8]


def noise(state=0x9E3779B97F4A7C15):
    """Yields xorshift64, as the scratch file of fio has it."""
    mask = (1 << 64) - 1
    while True:
        state ^= (state << 13) & mask
        state ^= state >> 7
        state ^= (state << 17) & mask
        yield state


def tensor(name, dims, numbers):
    """Returns weights from -1/8 to 1/8, small enough that no layer saturates."""
    count = 1
    for size in dims:
        count *= size
    values = [((next(numbers) >> 40) % 1025 - 512) / 4096 for _ in range(count)]
    raw = struct.pack(f"<{count}f", *values)
    return helper.make_tensor(name, TensorProto.FLOAT, dims, raw, raw=True)


def model():
    numbers = noise()
    nodes, weights, last = [], [], "signal"
    for layer, (size_in, size_out) in enumerate(zip(WIDTHS, WIDTHS[1:]), start=1):
        weight, bias, out = f"weight{layer}", f"bias{layer}", f"sum{layer}"
        weights.append(tensor(weight, [size_in, size_out], numbers))
        weights.append(tensor(bias, [size_out], numbers))
        final = layer == len(WIDTHS) - 1
        nodes.append(helper.make_node("Gemm", [last, weight, bias], ["answer" if final else out]))
        last = out
        if not final:
            nodes.append(helper.make_node("Relu", [out], [f"layer{layer}"]))
            last = f"layer{layer}"
    put = helper.make_tensor_value_info("signal", TensorProto.FLOAT, [1, WIDTHS[0]])
    got = helper.make_tensor_value_info("answer", TensorProto.FLOAT, [1, WIDTHS[-1]])
    graph = helper.make_graph(nodes, "signal", [put], [got], weights)
    made = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="verify",
    )
    onnx.checker.check_model(made, full_check=True)
    return made.SerializeToString(deterministic=True)


if __name__ == "__main__":
    beside = pathlib.Path(__file__).with_name("signal.onnx")
    target = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else beside
    target.write_bytes(model())
