"""What TensorFlow's own converter makes of a network; run as a file, by a Python that has TensorFlow.

    python -P tensorflow_convert.py FOLDER

In FOLDER: `exported.onnx`, float32 in canonical form, and `faces.npy`, RGB uint8 (N, S, S, 3). Written there:
`tensorflow-fp32.tflite`, `tensorflow-int8.tflite` (full integer, calibrated on the faces) and `tensorflow.npy`, the
Keras network's embeddings (N, E) of the faces, by which the other side sees that it is the same network.

TensorFlow's environment is one of its own, so nothing of this project is imported here.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

os.environ["TF_USE_LEGACY_KERAS"] = "1"

tf: Any = import_module("tensorflow")
keras: Any = import_module("tf_keras")

Arrays = Mapping[str, NDArray[np.float32]]

_MEAN: Final = 127.5
_SCALE: Final = 128.0


def build(model: onnx.ModelProto) -> Any:
    """The Keras network of a canonical ONNX graph, channels last, batch 1.

    Args:
        model: one input (N, 3, S, S), every BatchNorm folded.

    Raises:
        NotImplementedError: an operator that V1 does not have.
    """
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    (entry,) = model.graph.input
    side = entry.type.tensor_type.shape.dim[2].dim_value
    tensors = {entry.name: keras.Input((side, side, 3), batch_size=1)}
    for node in model.graph.node:
        if node.op_type not in _LAYERS:
            raise NotImplementedError(f"{node.op_type} '{node.name}' has no Keras layer here")
        tensors[node.output[0]] = _LAYERS[node.op_type](node, tensors, weights)
    return keras.Model(tensors[entry.name], tensors[model.graph.output[0].name])


def to_tflite(network: Any, inputs: NDArray[np.float32] | None) -> bytes:
    """The converter's `.tflite`: in float, or where `inputs` calibrate it with nothing but integers inside."""

    def calibration() -> Iterator[list[NDArray[np.float32]]]:
        assert inputs is not None
        for face in inputs:
            yield [face[None]]

    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    if inputs is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = calibration
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    written: bytes = converter.convert()
    return written


def _convolution(node: onnx.NodeProto, tensors: Mapping[str, Any], weights: Arrays) -> Any:
    kernel, *bias = (weights[name] for name in node.input[1:])
    attributes = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    groups, strides = attributes.get("group", 1), attributes.get("strides", [1, 1])
    image, padding = _padded(tensors[node.input[0]], attributes.get("pads", [0] * 4), kernel.shape[2:], strides)
    shared = {"strides": strides, "padding": padding, "use_bias": bool(bias)}
    if groups == 1:
        layer = keras.layers.Conv2D(kernel.shape[0], kernel.shape[2:], **shared)
        stored = kernel.transpose(2, 3, 1, 0)
    else:
        multiplier = kernel.shape[0] // groups
        layer = keras.layers.DepthwiseConv2D(kernel.shape[2:], depth_multiplier=multiplier, **shared)
        stored = kernel.reshape(groups, multiplier, *kernel.shape[2:]).transpose(2, 3, 0, 1)
    output = layer(image)
    layer.set_weights([stored, *bias])
    return output


def _padded(image: Any, pads: Sequence[int], kernel: Sequence[int], strides: Sequence[int]) -> tuple[Any, str]:
    """The image and Keras's padding word: where the ONNX pads are those of `same`, no layer is needed."""
    top, left, bottom, right = pads
    if not any(pads):
        return image, "valid"
    totals = [
        max((-(-size // stride) - 1) * stride + taps - size, 0)
        for size, taps, stride in zip(image.shape[1:3], kernel, strides, strict=True)
    ]
    if [top, left, bottom, right] == [*(total // 2 for total in totals), *(total - total // 2 for total in totals)]:
        return image, "same"
    return keras.layers.ZeroPadding2D(((top, bottom), (left, right)))(image), "valid"


def _prelu(node: onnx.NodeProto, tensors: Mapping[str, Any], weights: Arrays) -> Any:
    layer = keras.layers.PReLU(shared_axes=[1, 2])
    output = layer(tensors[node.input[0]])
    layer.set_weights([weights[node.input[1]].reshape(1, 1, -1)])
    return output


def _hard_sigmoid(node: onnx.NodeProto, tensors: Mapping[str, Any], _weights: Arrays) -> Any:
    numbers = {attribute.name: attribute.f for attribute in node.attribute}
    return tf.clip_by_value(tensors[node.input[0]] * numbers["alpha"] + numbers["beta"], 0.0, 1.0)


def _joined(layer: str, **settings: int) -> Callable[[onnx.NodeProto, Mapping[str, Any], Arrays], Any]:
    """A layer without weights over all of a node's inputs."""

    def apply(node: onnx.NodeProto, tensors: Mapping[str, Any], _weights: Arrays) -> Any:
        inputs = [tensors[name] for name in node.input]
        return getattr(keras.layers, layer)(**settings)(inputs if len(inputs) > 1 else inputs[0])

    return apply


_LAYERS: Final[Mapping[str, Callable[[onnx.NodeProto, Mapping[str, Any], Arrays], Any]]] = MappingProxyType(
    {
        "Add": _joined("Add"),
        "Concat": _joined("Concatenate", axis=-1),
        "Conv": _convolution,
        "Flatten": _joined("Flatten"),
        "GlobalAveragePool": _joined("GlobalAveragePooling2D", keepdims=True),
        "HardSigmoid": _hard_sigmoid,
        "Mul": _joined("Multiply"),
        "PRelu": _prelu,
        "Relu": _joined("ReLU"),
    }
)


def main(folder: Path) -> None:
    """Convert what lies in a folder; see the module."""
    network = build(onnx.load(folder / "exported.onnx"))
    inputs = (np.load(folder / "faces.npy").astype(np.float32) - np.float32(_MEAN)) / np.float32(_SCALE)
    embeddings = [network(face[None], training=False).numpy() for face in inputs]
    np.save(folder / "tensorflow.npy", np.concatenate(embeddings))
    (folder / "tensorflow-fp32.tflite").write_bytes(to_tflite(network, None))
    (folder / "tensorflow-int8.tflite").write_bytes(to_tflite(network, inputs))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
