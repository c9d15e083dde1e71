"""Cross-layer equalization: gives every channel of every tensor the scale at which INT8 costs the embedding least.

In: a graph and calibration faces. Out: the same function with other channel scales.

Where the simulation can run the graph, scales minimise the predicted error of the embedding (`simulation.noise`): a
channel that matters is drawn larger, so that the tensor's one step is fine for it, and one that does not is drawn
smaller. Where it cannot (an operator it does not know), every channel's range is made the same.
Source: Nagel et al. 2019, arXiv:1906.04721, section 4.1, for two layers and equal ranges; whole graphs, PReLU and the
objective are ours. Measured in docs/decisions/0006-int8-by-predicted-error.md.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from ghostface_edge.pipeline.graph import model as graph_model
from ghostface_edge.pipeline.graph.canonical import constant
from ghostface_edge.pipeline.network.parity import onnx_input
from ghostface_edge.pipeline.prepare.channels import ChannelGroups, find_groups
from ghostface_edge.pipeline.prepare.fold import require_folded
from ghostface_edge.pipeline.prepare.rescale import rescale
from ghostface_edge.pipeline.simulation.determinism import deterministic
from ghostface_edge.pipeline.simulation.noise import ChannelTies, settle
from ghostface_edge.pipeline.simulation.placement import place_quantizers
from ghostface_edge.pipeline.simulation.reading import build_program
from ghostface_edge.pipeline.simulation.statistics import observe
from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.protocol import Faces

_BATCH = 16
_LARGEST_RATIO = 1e4
"""No channel is scaled further than this from 1 when only ranges are known."""


@dataclass(frozen=True)
class Equalize(ir.passes.InPlacePass):
    """Rescale by the predicted error of the embedding; a graph that cannot be simulated still gets equal ranges.

    Args:
        faces: RGB uint8 (N, S, S, 3), calibration.
        seed: of the random directions that measure sensitivity.
        progress: told the share done.
    """

    faces: Faces
    seed: int
    progress: Callable[[float], None]

    def requires(self, model: ir.Model) -> None:
        """BatchNorms are folded."""
        require_folded(model)

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Observe, minimise, rescale."""
        try:
            program = build_program(model, "the graph")
        except InputError:
            return EqualizeRanges(self.faces)(model)
        groups = find_groups(model.graph)
        with deterministic(threads=1):
            progress = self.progress
            statistics = observe(program, self.faces, seed=self.seed, progress=lambda share: progress(0.6 * share))
        settled = settle(program, place_quantizers(program), statistics, ChannelTies(groups.group, ~groups.fixed))
        rescale(model.graph, groups, np.where(groups.fixed, 1.0, np.exp(settled.log_scales)))
        return ir.passes.PassResult(model, modified=not groups.fixed.all())


@dataclass(frozen=True)
class EqualizeRanges(ir.passes.InPlacePass):
    """Rescale so that every free channel spans [-1, 1] on the faces; runs on ONNX Runtime.

    Args:
        faces: RGB uint8 (N, S, S, 3), calibration.
    """

    faces: Faces

    def requires(self, model: ir.Model) -> None:
        """BatchNorms are folded."""
        require_folded(model)

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Observe, rescale."""
        groups = find_groups(model.graph)
        extents = np.zeros(groups.count)
        for name, extent in _extents(model, groups, self.faces).items():
            np.maximum.at(extents, groups.group[name], extent)
        usable = ~groups.fixed & (extents > 0)
        factors = np.where(usable, np.clip(extents, 1 / _LARGEST_RATIO, _LARGEST_RATIO), 1.0)
        rescale(model.graph, groups, factors)
        return ir.passes.PassResult(model, modified=bool(usable.any()))


def _extents(model: ir.Model, groups: ChannelGroups, faces: Faces) -> dict[str, NDArray[np.float64]]:
    """Largest absolute value of every channel of every tensor, (C,)."""
    import onnxruntime

    watched = model.clone()
    graph = watched.graph
    names = {
        str(value.name)
        for node in graph
        for value in node.outputs
        if len(groups.group.get(str(value.name), ())) and constant(value) is None
    }
    ends = {str(value.name) for value in graph.outputs}
    graph.outputs.extend(value for node in graph for value in node.outputs if str(value.name) in names - ends)
    extents: dict[str, NDArray[np.float64]] = {}
    content = graph_model.checked(watched).SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    order = [output.name for output in session.get_outputs()]
    for at in range(0, len(faces), _BATCH):
        inputs = onnx_input(faces[at : at + _BATCH])
        for name, array in zip(order, session.run(order, {session.get_inputs()[0].name: inputs}), strict=True):
            if name in names:
                largest = np.abs(array).max((0, *range(2, array.ndim))).astype(np.float64)
                extents[name] = np.maximum(extents.get(name, 0.0), largest)
    return extents
