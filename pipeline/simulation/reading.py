"""Reads a canonical float32 ONNX graph as a `Program`.

In: an ONNX model. Out: steps in order and their parameters as float32 tensors, hard sigmoids folded.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx_ir as ir
import torch
from numpy.typing import NDArray

from ghostface_edge.pipeline.graph import model as graph_model
from ghostface_edge.pipeline.graph.canonical import constant
from ghostface_edge.pipeline.simulation.program import Parameters, Program, Step
from ghostface_edge.reports.errors import InputError

_PLAIN = {"PRelu", "Relu", "Concat", "Add", "Mul", "GlobalAveragePool", "Sigmoid", "Flatten"}


def load_program(path: Path) -> Program:
    """Read a canonical ONNX model.

    Raises:
        InputError: an operator that the simulation does not know, or weights that are NaN or infinite.
    """
    return build_program(graph_model.load(path), str(path))


def load_metadata(path: Path) -> dict[str, str]:
    """What an ONNX model says about itself, its preprocessing among it."""
    return dict(graph_model.load(path).metadata_props)


def build_program(model: ir.Model, origin: str) -> Program:
    """The same, from a graph in memory; `origin` names it in errors."""
    graph = model.graph
    refuse_bad_weights(graph, origin)
    steps: list[Step] = []
    parameters: Parameters = {}
    for node in graph:
        if _computes_a_size(node):
            continue
        steps.append(_step(node, origin))
        parameters |= {f"{node.name}.{role}": torch.from_numpy(array) for role, array in _parameters(node).items()}
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise InputError(
            f"{origin}: {len(graph.inputs)} inputs and {len(graph.outputs)} outputs, expected one of each",
            fix="give the network from faces to embeddings alone",
        )
    ends = str(graph.inputs[0].name), str(graph.outputs[0].name)
    return _program(_saturate(_fold_hard_sigmoids(steps, parameters)), parameters, ends)


def refuse_bad_weights(graph: ir.Graph, origin: str) -> None:
    """Raise InputError for the first constant that holds NaN or infinity; `origin` names the graph."""
    for value in graph.initializers.values():
        array = constant(value)
        if array is None or not np.issubdtype(array.dtype, np.floating) or np.isfinite(array).all():
            continue
        bad = int(array.size - np.isfinite(array).sum())
        raise InputError(
            f"{origin}: {bad} of the {array.size} values of {value.name} are NaN or infinite",
            fix="export the checkpoint again; a network with such weights cannot be quantized",
        )


def _step(node: ir.Node, origin: str) -> Step:
    """Translate one node; refuse what the simulation cannot run."""
    name, op = str(node.name), node.op_type
    computed = tuple(str(value.name) for value in node.inputs if value is not None and constant(value) is None)
    step = Step(op, name, computed, str(node.outputs[0].name))
    if op in _PLAIN and _is_plain(node, len(computed)):
        return step
    if op == "Conv" and _attribute(node, "dilations", [1, 1]) == [1, 1]:
        weight = constant(node.inputs[1])
        pads = _attribute(node, "pads", [0, 0, 0, 0])
        if weight is not None and len(computed) == 1 and _text(node, "auto_pad", "NOTSET") == "NOTSET":
            stride = _attribute(node, "strides", [1, 1])
            return replace(
                step,
                stride=(stride[0], stride[1]),
                kernel=(weight.shape[2], weight.shape[3]),
                pads=(pads[0], pads[1], pads[2], pads[3]),
                groups=int(node.attributes["group"].as_int()) if "group" in node.attributes else 1,
            )
    if op == "AveragePool" and not any(_attribute(node, "pads", [0])) and not _integer(node, "ceil_mode"):
        kernel, stride = _attribute(node, "kernel_shape", [1, 1]), _attribute(node, "strides", [1, 1])
        return replace(step, kernel=(kernel[0], kernel[1]), stride=(stride[0], stride[1]))
    if op == "HardSigmoid":
        return replace(step, bounds=(_number(node, "alpha", 0.2), _number(node, "beta", 0.5)))
    if op == "Resize" and _text(node, "mode", "") == "linear":
        size = _target_size(node)
        pixels = _text(node, "coordinate_transformation_mode", "half_pixel")
        if size is not None and pixels == "half_pixel" and not _integer(node, "antialias"):
            return replace(step, inputs=computed[:1], kernel=size)
    raise InputError(
        f"{origin}: node {name or '(unnamed)'} is a {op} in a form that cannot be simulated in INT8",
        fix="quantize a GhostFaceNet in this project's canonical form (ghostface-edge export writes it)",
    )


def _is_plain(node: ir.Node, computed: int) -> bool:
    """Whether a node of a plain kind has the inputs and settings that `evaluate` assumes."""
    slope = constant(node.inputs[1]) if node.op_type == "PRelu" else None
    match node.op_type:
        case "PRelu":
            return computed == 1 and slope is not None and slope.size in {1, max(slope.shape)}
        case "Add" | "Mul":
            return computed == 2
        case "Concat" | "Flatten":
            return _integer(node, "axis", 1) == 1
        case _:
            return computed == 1


def _parameters(node: ir.Node) -> dict[str, NDArray[np.float32]]:
    """Constants by role, each owned by this node alone."""
    if node.op_type == "PRelu":
        slope = constant(node.inputs[1])
        return {} if slope is None else {"slope": slope.astype(np.float32).reshape(-1)}
    if node.op_type != "Conv":
        return {}
    weight = constant(node.inputs[1])
    assert weight is not None
    bias = constant(node.inputs[2]) if len(node.inputs) > 2 else None
    shift = np.zeros(len(weight)) if bias is None else bias
    return {"weight": weight.astype(np.float32), "bias": shift.astype(np.float32)}


def _computes_a_size(node: ir.Node) -> bool:
    """Shape arithmetic in front of a resize; `_target_size` reads through it."""
    users = [user for user, _ in node.outputs[0].uses()]
    return node.op_type == "Shape" or (
        node.op_type == "Concat" and bool(users) and all(u.op_type == "Resize" for u in users)
    )


def _target_size(resize: ir.Node) -> tuple[int, int] | None:
    """Height and width of a resize's output: constant sizes, or constants behind the batch's own shape."""
    sizes = resize.inputs[3] if len(resize.inputs) > 3 else None
    known = constant(sizes)
    producer = sizes.producer() if sizes is not None else None
    if known is None and producer is not None and producer.op_type == "Concat":
        known = constant(producer.inputs[-1])
    return (int(known[-2]), int(known[-1])) if known is not None and known.size in {2, 4} else None


def _fold_hard_sigmoids(steps: list[Step], parameters: Parameters) -> list[Step]:
    """Move alpha and beta into the convolution; only the clip to [0, 1] stays."""
    producers = {step.output: step for step in steps}
    uses = Counter(name for step in steps for name in step.inputs)
    folded = []
    for step in steps:
        source = producers.get(step.inputs[0])
        if step.op == "HardSigmoid" and source is not None and source.op == "Conv" and uses[source.output] == 1:
            alpha, beta = step.bounds
            parameters[f"{source.name}.weight"] = parameters[f"{source.name}.weight"] * alpha
            parameters[f"{source.name}.bias"] = parameters[f"{source.name}.bias"] * alpha + beta
            folded.append(replace(step, op="Clip", bounds=(0.0, 1.0)))
        else:
            folded.append(step)
    return folded


def _saturate(steps: list[Step]) -> list[Step]:
    """Mark the clips and ReLUs that have a convolution to themselves."""
    producers = {step.output: step for step in steps}
    uses = Counter(name for step in steps for name in step.inputs)

    def alone(step: Step) -> bool:
        source = producers.get(step.inputs[0])
        return source is not None and source.op == "Conv" and uses[source.output] == 1

    return [replace(step, saturating=True) if step.op in {"Clip", "Relu"} and alone(step) else step for step in steps]


def _program(steps: list[Step], parameters: Parameters, ends: tuple[str, str]) -> Program:
    last_use = {ends[0]: -1}
    for index, step in enumerate(steps):
        last_use[step.output] = index
        for name in step.inputs:
            last_use[name] = index
    last_use[ends[1]] = len(steps)
    return Program(tuple(steps), parameters, *ends, last_use)


def _attribute(node: ir.Node, name: str, default: list[int]) -> list[int]:
    return list(node.attributes[name].as_ints()) if name in node.attributes else default


def _integer(node: ir.Node, name: str, default: int = 0) -> int:
    return node.attributes[name].as_int() if name in node.attributes else default


def _number(node: ir.Node, name: str, default: float) -> float:
    return node.attributes[name].as_float() if name in node.attributes else default


def _text(node: ir.Node, name: str, default: str) -> str:
    return node.attributes[name].as_string() if name in node.attributes else default
