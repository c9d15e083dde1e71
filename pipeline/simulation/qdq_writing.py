"""QDQ models: the quantized network as ONNX, which every runtime reads or lowers.

In: a `QuantizedProgram`. Out: ONNX, opset 18: float operators between DequantizeLinear and QuantizeLinear.
Input and output are those of the float32 model. See docs/quantization.md for the exact form.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from ghostface_edge.pipeline.graph.model import OPSET
from ghostface_edge.pipeline.simulation.fake_quantize import WEIGHT_LIMIT
from ghostface_edge.pipeline.simulation.placement import PIXEL_SHIFT
from ghostface_edge.pipeline.simulation.program import Step
from ghostface_edge.pipeline.simulation.quantized_program import QuantizedProgram
from ghostface_edge.reports.write import replacing

_IR_VERSION = 10


def write_qdq(
    quantized: QuantizedProgram, path: Path, *, image_size: int, metadata: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Write the QDQ model; the file appears whole or not at all.

    Args:
        quantized: what to write.
        path: where to.
        image_size: side of the input in pixels.
        metadata: the float model's own, such as its preprocessing.
    """
    model = _Writer(quantized, image_size).model()
    helper.set_model_props(model, dict(metadata))
    model = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    onnx.checker.check_model(model, full_check=True)
    with replacing(path) as partial:
        onnx.save(model, partial)


class _Writer:
    """Collects nodes and constants in order."""

    def __init__(self, quantized: QuantizedProgram, image_size: int) -> None:
        self.quantized, self.program, self.image_size = quantized, quantized.program, image_size
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}
        self.name_of: dict[str, str] = {}
        """What a consumer of a value reads."""

    def model(self) -> onnx.ModelProto:
        program = self.program
        source = program.input
        if source in self.quantized.activations:
            source = f"{program.input}.shifted"
            shift = self.constant("pixel_shift", np.float32(PIXEL_SHIFT))
            self.nodes.append(helper.make_node("Add", [program.input, shift], [source], source))
        self.quantize(program.input, source)
        for step in program.steps:
            self.step(step)
        side = self.image_size
        faces = helper.make_tensor_value_info(program.input, onnx.TensorProto.FLOAT, ["batch", 3, side, side])
        size = int(program.parameters[f"{list(program.convolutions())[-1].name}.bias"].shape[0])
        embeddings = helper.make_tensor_value_info(program.output, onnx.TensorProto.FLOAT, ["batch", size])
        graph = helper.make_graph(self.nodes, "ghostface", [faces], [embeddings], list(self.constants.values()))
        opset = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opset, ir_version=_IR_VERSION, producer_name="ghostface-edge")

    def step(self, step: Step) -> None:
        inputs = [self.name_of[name] for name in step.inputs]
        if step.saturating and step.output in self.quantized.activations:
            self.quantize(step.output, inputs[0])
            return
        attributes: dict[str, Any] = {}
        match step.op:
            case "Conv":
                inputs += self.convolution(step)
                attributes = {
                    "kernel_shape": step.kernel,
                    "strides": step.stride,
                    "pads": step.pads,
                    "group": step.groups,
                }
            case "PRelu":
                inputs.append(self.slope(step))
            case "AveragePool":
                attributes = {"kernel_shape": step.kernel, "strides": step.stride}
            case "Concat" | "Flatten":
                attributes = {"axis": 1}
            case "Clip":
                inputs += [
                    self.constant(f"{step.name}.{end}", np.float32(bound))
                    for end, bound in zip(("low", "high"), step.bounds, strict=True)
                ]
            case "HardSigmoid":
                attributes = {"alpha": step.bounds[0], "beta": step.bounds[1]}
            case "Resize":
                inputs += ["", "", self.sizes(step, inputs[0])]
                attributes = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
        self.nodes.append(helper.make_node(step.op, inputs, [step.output], step.name, **attributes))
        self.quantize(step.output, step.output)

    def quantize(self, value: str, source: str) -> None:
        """Put QuantizeLinear and DequantizeLinear behind a value that has a grid."""
        params = self.quantized.activations.get(value)
        if params is None:
            self.name_of[value] = source
            return
        ends = [
            self.constant(f"{value}.scale", np.float32(params.scale)),
            self.constant(f"{value}.zero_point", np.int8(params.zero_point)),
        ]
        integer, real = f"{value}.quantized", f"{value}.dequantized"
        self.nodes.append(helper.make_node("QuantizeLinear", [source, *ends], [integer], f"{value}.quantize"))
        self.nodes.append(helper.make_node("DequantizeLinear", [integer, *ends], [real], f"{value}.dequantize"))
        self.name_of[value] = real

    def convolution(self, step: Step) -> list[str]:
        """Weight and bias: int8 and int32 per output channel, or float."""
        weight, bias = (self.program.parameters[f"{step.name}.{role}"].numpy() for role in ("weight", "bias"))
        scales = self.quantized.weight_scales.get(step.name)
        params = self.quantized.activations.get(step.inputs[0])
        if scales is None:
            return [self.constant(f"{step.name}.weight", weight), self.constant(f"{step.name}.bias", bias)]
        integers = np.rint(weight / scales.reshape(-1, 1, 1, 1)).clip(-WEIGHT_LIMIT, WEIGHT_LIMIT)
        quantized = self.dequantized(f"{step.name}.weight", integers.astype(np.int8), scales, axis=0)
        if params is None:
            return [quantized, self.constant(f"{step.name}.bias", bias)]
        unit = (scales.astype(np.float64) * params.scale).astype(np.float32)
        limits = np.iinfo(np.int32)
        accumulator = np.rint(bias.astype(np.float64) / unit).clip(limits.min, limits.max).astype(np.int32)
        return [quantized, self.dequantized(f"{step.name}.bias", accumulator, unit, axis=0)]

    def slope(self, step: Step) -> str:
        slope = self.program.parameters[f"{step.name}.slope"].numpy().reshape(1, -1, 1, 1)
        scale = self.quantized.slope_scales.get(step.name)
        if scale is None:
            return self.constant(f"{step.name}.slope", slope)
        integers = np.rint(slope / scale).clip(-WEIGHT_LIMIT, WEIGHT_LIMIT).astype(np.int8)
        return self.dequantized(f"{step.name}.slope", integers, np.asarray(scale, np.float32))

    def sizes(self, step: Step, source: str) -> str:
        """A resize's output size, behind the batch and channels of its input.

        Constant sizes with `axes` would do, but ONNX Runtime 1.31 permutes them as if there were four when it moves a
        quantized graph to NHWC, and then refuses the graph.
        """
        shape, sizes = f"{step.name}.shape", f"{step.name}.sizes"
        self.nodes.append(helper.make_node("Shape", [source], [shape], shape, start=0, end=2))
        constant = self.constant(f"{step.name}.size", np.asarray(step.kernel, np.int64))
        self.nodes.append(helper.make_node("Concat", [shape, constant], [sizes], sizes, axis=0))
        return sizes

    def dequantized(
        self, name: str, integers: NDArray[np.generic], scales: NDArray[np.float32], axis: int | None = None
    ) -> str:
        zero = np.zeros(scales.shape, integers.dtype)
        inputs = [
            self.constant(f"{name}.quantized", integers),
            self.constant(f"{name}.scale", scales.astype(np.float32)),
            self.constant(f"{name}.zero_point", zero),
        ]
        attributes: dict[str, Any] = {} if axis is None else {"axis": axis}
        self.nodes.append(helper.make_node("DequantizeLinear", inputs, [name], f"{name}.dequantize", **attributes))
        return name

    def constant(self, name: str, array: NDArray[np.generic] | np.generic) -> str:
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(array).reshape(np.shape(array)), name)
        return name
