"""Slopes of PReLU beyond 1 in magnitude, turned into slopes below 1.

PReLU with slope a at x is -a times PReLU with slope 1/a at -x, for any a but 0. So the convolution before it can
produce -x, the slope becomes 1/a, and the convolutions after it take -a times what they get. Slopes share one INT8
scale per tensor: one slope of 16 among slopes of 0.2 leaves these with two digits (the official W0.5 checkpoint has 924
slopes beyond 1 of 3,880; rounding them cost 0.005 of cosine, afterwards 0.001).
"""

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from ghostface_edge.pipeline.graph.canonical import constant
from ghostface_edge.pipeline.prepare.channels import find_groups
from ghostface_edge.pipeline.prepare.fold import require_folded
from ghostface_edge.pipeline.prepare.rescale import rescale, set_constant


class InvertLargeSlopes(ir.passes.InPlacePass):
    """Rewrite every PReLU channel whose slope exceeds 1 in magnitude and whose channels are free.

    A channel is left alone where its scale is fixed, or where another activation depends on the same sign.
    """

    def requires(self, model: ir.Model) -> None:
        """BatchNorms are folded."""
        require_folded(model)

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Invert, and take it back in the convolutions around."""
        return ir.passes.PassResult(model, modified=_invert(model.graph))


def count_large_slopes(graph: ir.Graph) -> int:
    """PReLU slopes beyond 1 in magnitude."""
    slopes = [constant(node.inputs[1]) for node in graph if node.op_type == "PRelu"]
    return sum(int((np.abs(slope.astype(np.float64)) > 1).sum()) for slope in slopes if slope is not None)


def _invert(graph: ir.Graph) -> bool:
    groups = find_groups(graph, through_activations=False)
    factors = np.ones(groups.count)
    users = np.zeros(groups.count, np.int64)
    activations = [node for node in graph if node.op_type in {"PRelu", "Relu", "MaxPool"}]
    for node in activations:
        for value in (node.inputs[0], node.outputs[0]):
            assert value is not None
            np.add.at(users, groups.group[str(value.name)], 1)
    free = ~groups.fixed & (users == 1)
    modified = False
    for node in activations:
        slope = constant(node.inputs[1]) if node.op_type == "PRelu" else None
        if slope is None:
            continue
        before, after = (groups.group[str(value.name)] for value in (node.inputs[0], node.outputs[0]) if value)
        if slope.size != len(before):
            continue
        flat: NDArray[np.float64] = slope.astype(np.float64).reshape(-1)
        chosen = (np.abs(flat) > 1) & free[before] & free[after]
        factors[before[chosen]], factors[after[chosen]] = -1.0, -flat[chosen]
        flat[chosen] = 1 / flat[chosen]
        set_constant(node, 1, flat.reshape(slope.shape))
        modified |= bool(chosen.any())
    if modified:
        rescale(graph, groups, factors)
    return modified
