"""What lies beside a `.rknn`: the ONNX model that it was built from, and in its metadata how, and what came of it.

The simulator runs what is built anew from that; the vendor's code never reads a `.rknn` here. A pair that this project
did not write is refused: it lacks the metadata, or its `.rknn` is another one than was built from this model.
"""

import math
import re
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final

import onnx
from onnx import ModelProto, TensorProto, helper
from pydantic import Field, TypeAdapter, ValidationError

from ghostface_edge.calibration.preprocessing import MEAN
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.reports.read import open_file
from ghostface_edge.reports.record import AtLeastOne, Count, NotNegative, Record, Sha256, Text, first_problem
from ghostface_edge.targets.checks import onnx_form
from ghostface_edge.targets.computed import Step, needed
from ghostface_edge.targets.onnx_file import MAX_FILE_BYTES, read_onnx
from ghostface_edge.targets.qdq import graph_of

_KEY: Final = "ghostface-edge.rknn"
_MAX_LAYERS: Final = 10_000
_MAX_ACCOUNT: Final = 2**23
"""Characters of the metadata."""
_SHIFTED_MEAN: Final = 128.0
"""Of pixels, where a QDQ model takes pixel - 128: the toolkit folds it into the input's own quantization."""
_QDQ_RULES: Final = ("fuse_concat_conv",)
"""What the toolkit must not do to a QDQ model: with it, Concat's own range is lost."""
_FIX: Final = "give a .rknn that `ghostface-edge run` wrote, with the .onnx beside it"
_LAYER: Final = re.compile(
    r"\] +\d+ +(?P<operator>\w+) +(?P<type>\w+) +(?P<place>NPU|CPU|GPU) +(?P<reads>\S+) +(?P<writes>\S+) +"
    r"\d+/\d+/(?P<cycles>\d+) +\d+ +(?P<name>\S+)"
)
"""A row of the compiler's table of layers."""
_PRECISIONS: Final = MappingProxyType({"INT8": "int8", "FLOAT16": "fp16"})
_SHAPE: Final = re.compile(r"\(([\d,]+)\)")
_MEMORY: Final = re.compile(r"Total (Internal|Weight) Memory Size: ([\d.]+)KB")


class Range(Record):
    """What the toolkit found of one tensor, as its file of ranges lets a user set it; the grid follows from it."""

    min: tuple[float, ...]
    max: tuple[float, ...]


class Settings(Record):
    """How the toolkit builds; what `Toolkit` is given."""

    platform: Annotated[str, Field(pattern="^[a-z0-9]{1,20}$")]
    side: AtLeastOne
    mean: Annotated[float, Field(ge=0, le=255)]
    disable_rules: tuple[str, ...] = ()
    ranges: dict[str, Range] | None = None
    """Where the toolkit quantizes."""


class Layer(Record):
    """A row of the compiler's table."""

    name: Text
    operator: Text
    precision: Text
    place: Text
    macs: Count
    cycles: Count
    """Its estimate: the larger of what the NPU and the memory need."""


class Compiled(Record):
    """How a `.rknn` was built, and what the compiler says of it."""

    settings: Settings
    sha256: Sha256
    layers: Annotated[tuple[Layer, ...], Field(min_length=1, max_length=_MAX_LAYERS)]
    internal_kib: NotNegative
    weights_kib: NotNegative


def as_built(path: Path, platform: str) -> tuple[ModelProto, Settings]:
    """What the toolkit is given, for one face, and how it has to build it.

    Args:
        path: float32 ONNX, or a QDQ model.
        platform: as the toolkit calls it.

    Raises:
        InputError: not an ONNX model of one input and one output.
    """
    model = read_onnx(path)
    graph_of(model)
    nodes, entry = model.graph.node, model.graph.input[0].name
    is_qdq = any(node.op_type == "QuantizeLinear" for node in nodes)
    if is_qdq and nodes[0].op_type == "Add" and entry in nodes[0].input:  # a float operator in front of the integers
        shifted = nodes[0].output[0]
        del nodes[0]
        for node in nodes:
            node.input[:] = [entry if name == shifted else name for name in node.input]
    for value in (model.graph.input[0], model.graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_value = 1
    used = {name for node in nodes for name in node.input}
    for tensor in [tensor for tensor in model.graph.initializer if tensor.name not in used]:
        model.graph.initializer.remove(tensor)
    settings = Settings(
        platform=platform,
        side=model.graph.input[0].type.tensor_type.shape.dim[2].dim_value,
        mean=_SHIFTED_MEAN if is_qdq else MEAN,
        disable_rules=_QDQ_RULES if is_qdq else (),
    )
    return model, settings


def ranges_from(text: str) -> dict[str, Range]:
    """What `Toolkit.calibrate` gives."""
    return TypeAdapter(dict[str, Range]).validate_json(text)


def beside(artifact: Path) -> Path:
    """The ONNX model of a `.rknn`."""
    return artifact.with_suffix(".onnx")


def write(model: ModelProto, settings: Settings, said: str, artifact: Path) -> None:
    """Write what lies beside a `.rknn`.

    Args:
        model: that it was built from.
        settings: how.
        said: by the compiler.
        artifact: the `.rknn`.

    Raises:
        ToolError: the compiler says nothing of the layers.
    """
    layers = tuple(_layer(row) for row in _LAYER.finditer(said) if not row["operator"].endswith("putOperator"))
    sizes = dict(_MEMORY.findall(said))
    if not layers or len(sizes) < 2:
        raise ToolError("rknn-toolkit2 shows no table of layers", fix="see the log; is it another version?")
    compiled = Compiled(
        settings=settings,
        sha256=file_sha256(artifact),
        layers=layers,
        internal_kib=float(sizes["Internal"]),
        weights_kib=float(sizes["Weight"]),
    )
    del model.metadata_props[:]
    helper.set_model_props(model, {_KEY: compiled.model_dump_json()})
    onnx.save(model, beside(artifact))


def read_model(artifact: Path) -> tuple[ModelProto, Compiled]:
    """A `.rknn`'s model, and how it was built.

    Raises:
        InputError: this project did not write them, or not both of them at once.
    """
    model = read_onnx(beside(artifact))
    text = next((entry.value for entry in model.metadata_props if entry.key == _KEY), None)
    if text is None or len(text) > _MAX_ACCOUNT:
        raise InputError(f"{artifact}: {beside(artifact).name} does not say how it was built", fix=_FIX)
    try:
        compiled = Compiled.model_validate_json(text)
    except ValidationError as error:
        raise InputError(f"{beside(artifact)}: {_KEY}: {first_problem(error)}", fix=_FIX) from error
    if compiled.model_dump_json() != text:  # a key twice, or a number that is another one elsewhere
        raise InputError(f"{beside(artifact)}: {_KEY} is not as it was written", fix=_FIX)
    taken = [[size.dim_value for size in entry.type.tensor_type.shape.dim] for entry in model.graph.input]
    if taken != [[1, 3, compiled.settings.side, compiled.settings.side]]:
        raise InputError(f"{beside(artifact)} takes no faces of {compiled.settings.side} pixels", fix=_FIX)
    open_file(artifact, fix=_FIX, at_most=MAX_FILE_BYTES).close()
    if file_sha256(artifact) != compiled.sha256:
        raise InputError(f"{artifact}: was not built from {beside(artifact).name}", fix=_FIX)
    return model, compiled


def check(artifact: Path) -> None:
    """Refuse what this project did not write, before the vendor's code sees any of it.

    Raises:
        InputError: what is wrong with it.
    """
    onnx_form.check(beside(artifact))
    read_model(artifact)


def steps(model: ModelProto) -> list[Step]:
    """The operators; one that only puts a tensor on its grid, or takes it off, is none."""
    real = _real(model)
    return [
        Step(node.op_type, tuple(real.get(name, name) for name in node.input if name), tuple(node.output))
        for node in model.graph.node
        if node.output[0] not in real
    ]


def cut(model: ModelProto, tensor: str) -> ModelProto:
    """The model up to one of its tensors, with its grid."""
    ending = next((name for name, real in reversed(_real(model).items()) if real == tensor), tensor)
    every = [Step(node.op_type, tuple(node.input), tuple(node.output)) for node in model.graph.node]
    nodes = [model.graph.node[place] for place in needed(ending, every)]
    if not nodes:
        ending = f"{tensor}.read"  # an output has to be some operator's
        nodes = [helper.make_node("Identity", [tensor], [ending])]
    read = {name for node in nodes for name in node.input}
    constants = [constant for constant in model.graph.initializer if constant.name in read]
    output = helper.make_tensor_value_info(ending, TensorProto.FLOAT, None)
    shortened = ModelProto()
    shortened.CopyFrom(model)
    shortened.graph.CopyFrom(helper.make_graph(nodes, model.graph.name, list(model.graph.input), [output], constants))
    return onnx.shape_inference.infer_shapes(shortened)


def _real(model: ModelProto) -> dict[str, str]:
    """Of what is read off a tensor's grid, the tensor."""
    constants = {constant.name for constant in model.graph.initializer}
    real: dict[str, str] = {}
    for node in model.graph.node:
        if node.op_type in {"QuantizeLinear", "DequantizeLinear"} and node.input[0] not in constants:
            real[node.output[0]] = real.get(node.input[0], node.input[0])
    return real


def _layer(row: re.Match[str]) -> Layer:
    """Of one row; weights are the second of the shapes that a convolution reads."""
    reads = [[int(size) for size in shape.split(",") if size] for shape in _SHAPE.findall(row["reads"])]
    writes = _SHAPE.findall(row["writes"])
    macs = 0
    if row["operator"].startswith("Conv") and len(reads) > 1 and writes:
        positions = [int(size) for size in writes[0].split(",")[2:]]
        macs = math.prod(reads[1]) * math.prod(positions)
    name, precision = row["name"].partition(":")[2], _PRECISIONS.get(row["type"], row["type"].lower())
    return Layer(
        name=name,
        operator=row["operator"],
        precision=precision,
        place=row["place"],
        macs=macs,
        cycles=int(row["cycles"]),
    )
