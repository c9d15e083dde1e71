"""The same integer model for kernels that are exact on every CPU.

On x86 without VNNI, ONNX Runtime adds products of uint8 and int8 in pairs, in 16 bits that do not hold them: values are
off by dozens of steps. Products of uint8 and uint8 are added in 32 bits. So weights move up by 128, and their zero
point with them. Boards carry this file as it is: Python 3.9; it needs the package onnx only when it is called.
"""

from pathlib import Path


def exact_weights(artifact: Path) -> bytes:
    """An `.onnx` whose quantized convolutions have uint8 weights; the function is the same."""
    import numpy as np
    import onnx
    from onnx import numpy_helper

    model = onnx.load(str(artifact))
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type != "QLinearConv":
            continue
        for place in (3, 5):  # the weight, its zero point
            values = numpy_helper.to_array(stored[node.input[place]])
            if values.dtype == np.int8:
                name = f"{node.input[place]}.uint8"
                if name not in stored:
                    moved = (values.astype(np.int16) + 128).astype(np.uint8)
                    stored[name] = numpy_helper.from_array(moved, name)
                    model.graph.initializer.append(stored[name])
                node.input[place] = name
    content: bytes = model.SerializeToString()
    return content
