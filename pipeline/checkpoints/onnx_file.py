"""ONNX models from elsewhere, whoever exported them: weights found by following the graph the way the network goes.

In: a float32 GhostFaceNet with an NCHW or NHWC input and a fixed or dynamic batch, BatchNorm folded or not, PReLU
whole or spelled out, as PyTorch's exporters and tf2onnx write it. Out: a `Checkpoint` under this project's names. What
was found is then run against ONNX Runtime's result for the file itself, so padding, hard sigmoid, epsilon and order
of branches need no guessing: a file that computes something else is refused.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import torch
from numpy.typing import NDArray

from ghostface_edge.pipeline.checkpoints.architecture_from_shapes import widths
from ghostface_edge.pipeline.checkpoints.onnx_walk import Walk
from ghostface_edge.pipeline.network.architecture import Activation, Architecture
from ghostface_edge.pipeline.network.checkpoint import Checkpoint
from ghostface_edge.pipeline.network.ghostfacenet import ConvUnit, GhostFaceNet
from ghostface_edge.pipeline.network.parity import run_onnx
from ghostface_edge.pipeline.network.preprocessing import Preprocessing, from_metadata
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.onnx_file import read_onnx
from ghostface_edge.targets.protocol import Layout

_FIX = "give a float32 GhostFaceNet, or the checkpoint that it was exported from"
_TOLERANCE = 1e-3
"""Largest difference from the file's own result, relative to the largest embedding value."""


@dataclass(frozen=True, slots=True)
class OnnxInput:
    """What a file takes."""

    name: str
    layout: Layout
    side: int
    batch: int | None
    """None where it is dynamic."""


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a GhostFaceNet out of an ONNX file.

    Raises:
        InputError: damaged, with data in other files, quantized, with another input, or another network.
    """
    model = _load(path)
    entry = describe_input(path, model)
    preprocessing = from_metadata(model.metadata_props)
    declared = Preprocessing(preprocessing.colour, preprocessing.mean, preprocessing.scale, entry.layout)
    architecture = _architecture(path, model.graph, entry)
    with torch.device("meta"):
        network = GhostFaceNet(architecture)
    weights = Walk(path, network, _FIX).weights(model.graph.inputs[0])
    checkpoint = Checkpoint(path, file_sha256(path), architecture, weights, declared)
    _compare(checkpoint, entry)
    return checkpoint


def describe_input(path: Path, model: ir.Model) -> OnnxInput:
    """Name, layout, side and batch of the only input.

    Raises:
        InputError: not one float32 batch of square RGB images.
    """
    entries = [value for value in model.graph.inputs if value.name not in model.graph.initializers]
    shape = [dim if isinstance(dim, int) and dim > 0 else None for dim in (entries[0].shape or ())] if entries else []
    if len(entries) != 1 or len(shape) != 4 or entries[0].dtype is not ir.DataType.FLOAT:
        found = ", ".join(f"{value.name} {value.dtype} {value.shape}" for value in entries)
        raise InputError(f"{path}: takes {found or 'nothing'}, expected one float32 image batch", fix=_FIX)
    for layout, channels, height, width in ((Layout.NCHW, 1, 2, 3), (Layout.NHWC, 3, 1, 2)):
        side = shape[height]
        if shape[channels] == 3 and side is not None and side == shape[width]:
            return OnnxInput(str(entries[0].name), layout, side, shape[0])
    raise InputError(
        f"{path}: takes images of shape {entries[0].shape}, expected square RGB ones of a known size", fix=_FIX
    )


def _load(path: Path) -> ir.Model:
    proto = read_onnx(path)
    try:
        onnx.checker.check_model(proto)
        model = ir.from_proto(onnx.shape_inference.infer_shapes(proto))
    except Exception as error:  # the parsers raise whatever the bytes provoke
        raise InputError(f"{path}: not a readable ONNX model ({error})", fix="give a whole .onnx file") from error
    operators = {node.op_type for node in model.graph}
    if operators & {"QuantizeLinear", "DequantizeLinear", "QLinearConv", "ConvInteger"}:
        raise InputError(f"{path}: is quantized already", fix="give the float32 model")
    return model


def _architecture(path: Path, graph: ir.Graph, entry: OnnxInput) -> Architecture:
    """The member of the family with just these convolutions."""
    convs = [node for node in graph if node.op_type == "Conv"]
    shapes = Counter(shape for shape in map(_kernel_shape, convs) if shape is not None)
    if len(convs) < 2 or sum(shapes.values()) != len(convs):
        raise InputError(
            f"{path}: holds {len(convs)} convolutions with {sum(shapes.values())} stored kernels", fix=_FIX
        )
    operators = {node.op_type for node in graph}
    stem, last = _kernel_shape(convs[0]), _kernel_shape(convs[-1])
    assert stem is not None
    assert last is not None
    strides = convs[0].attributes["strides"].as_ints() if "strides" in convs[0].attributes else [1, 1]
    spelled_out = "Neg" in operators or "PRelu" in operators
    tried = []
    for width in widths():
        architecture = Architecture(
            width=width,
            stride=int(strides[0]),
            version=2 if operators & {"Resize", "Upsample"} else 1,
            image_size=entry.side,
            embedding_size=last[0],
            activation=Activation.PRELU if spelled_out else Activation.RELU,
        )
        if (architecture.stem_channels, architecture.tail_channels) == (stem[0], last[1]):
            with torch.device("meta"):
                units = [unit for unit in GhostFaceNet(architecture).modules() if isinstance(unit, ConvUnit)]
            if Counter(tuple(unit.conv.weight.shape) for unit in units) == shapes:
                return architecture
            tried.append(architecture.name)
    raise InputError(f"{path}: its {len(convs)} convolutions are not those of {tried or 'any GhostFaceNet'}", fix=_FIX)


def _kernel_shape(conv: ir.Node) -> tuple[int, ...] | None:
    kernel = conv.inputs[1]
    return None if kernel is None or kernel.const_value is None else tuple(kernel.const_value.shape.numpy())


def _compare(checkpoint: Checkpoint, entry: OnnxInput) -> None:
    """The file's own embeddings of noise against those of the weights that were found in it."""
    from ghostface_edge.pipeline.network.checkpoint import network_of

    noise = np.random.default_rng(0).uniform(-1, 1, (entry.batch or 2, 3, entry.side, entry.side)).astype(np.float32)
    try:
        fed = noise if entry.layout is Layout.NCHW else np.ascontiguousarray(noise.transpose(0, 2, 3, 1))
        outputs = run_onnx(checkpoint.path, fed, len(fed))
    except Exception as error:
        raise InputError(f"{checkpoint.path}: ONNX Runtime cannot run it ({error})", fix=_FIX) from error
    with torch.inference_mode():
        expected = network_of(checkpoint)(torch.from_numpy(noise)).numpy()
    differences = [_difference(output, expected) for output in outputs]
    if not min(differences) <= _TOLERANCE:
        raise InputError(
            f"{checkpoint.path}: looks like {checkpoint.architecture.name} but computes something else "
            f"(relative difference {min(differences):.2g})",
            fix=_FIX,
        )


def _difference(found: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    if np.shape(found)[:1] != expected.shape[:1] or np.size(found) != expected.size:
        return float("inf")
    return float(np.abs(np.reshape(found, expected.shape) - expected).max() / np.abs(expected).max())
