"""The vendor's exporter, where PyTorch and ExecuTorch are: calls of PyTorch's operators in, `.pte` out.

Runs in the environment of `target.EXECUTORCH`; imported here for its methods' names alone, so that what it needs is
imported by them. Source of the steps: "XNNPACK Backend" and "XNNPACK Quantization" of ExecuTorch's documentation.
"""

from pathlib import Path
from typing import Any

from ghostface_edge.targets.places.wire import Array


class Exporter:
    """Writes a module as a program for XNNPACK.

    Args:
        calls: of PyTorch's operators, the last of which gives the embedding; see `lowering.Module`.
        constants: `.npz` of what they are called with.
        shape: of the input.
    """

    def __init__(self, calls: list[Any], constants: Path, shape: tuple[int, ...]) -> None:
        import torch

        self._module = module_of(calls, constants)
        self._example = (torch.zeros(*shape),)

    def export(self, artifact: Path) -> None:
        """Write it as it is."""
        _write(self._module, self._example, artifact)

    def export_quantized(self, faces: Array, artifact: Path) -> None:
        """Write a float module in INT8, by ExecuTorch's own quantizer with its defaults.

        Args:
            faces: float32 (N, 3, S, S) to observe.
            artifact: to write.
        """
        import torch
        from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
            XNNPACKQuantizer,
            get_symmetric_quantization_config,
        )
        from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

        quantizer = XNNPACKQuantizer().set_global(get_symmetric_quantization_config(is_per_channel=True))
        observed = prepare_pt2e(torch.export.export(self._module, self._example).module(), quantizer)
        for face in torch.from_numpy(faces.copy()):
            observed(face[None])
        _write(convert_pt2e(observed), self._example, artifact)


def module_of(calls: list[Any], constants: Path) -> Any:
    """A PyTorch module that makes these calls; see `Exporter`."""
    import numpy as np
    import torch
    from torch.ao.quantization.fx import _decomposed  # noqa: F401 - registers the operators that quantize

    root, graph, stored = torch.nn.Module(), torch.fx.Graph(), np.load(constants)
    known: dict[str, Any] = {"faces": graph.placeholder("faces")}

    def meant(argument: Any) -> Any:
        if isinstance(argument, list):
            return [meant(each) for each in argument]
        if not isinstance(argument, str):
            return argument
        if argument not in known:
            values = torch.from_numpy(stored[argument])
            root.register_parameter(argument, torch.nn.Parameter(values, requires_grad=False))
            known[argument] = graph.get_attr(argument)
        return known[argument]

    for name, operator, arguments in calls:
        namespace, packet, overload = operator.split(".")
        function = getattr(getattr(getattr(torch.ops, namespace), packet), overload)
        types = [torch.int8] if namespace == "quantized_decomposed" else []
        known[name] = graph.call_function(function, (*map(meant, arguments), *types))
    graph.output(known[calls[-1][0]])
    return torch.fx.GraphModule(root, graph).eval()


def _write(module: Any, example: tuple[Any, ...], artifact: Path) -> None:
    import torch
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower
    from executorch.exir.backend.utils import tag_constant_data

    class Partitioner(XnnpackPartitioner):  # type: ignore[misc]
        """Takes the constants of an addition into the delegate as well; else they are arguments of its call."""

        def partition(self, exported_program: Any) -> Any:
            parts = super().partition(exported_program)
            tag_constant_data(parts.tagged_exported_program)
            return parts

    program = torch.export.export(module, example)
    edge = to_edge_transform_and_lower(program, partitioner=[Partitioner()])
    Path(artifact).write_bytes(edge.to_executorch().buffer)
