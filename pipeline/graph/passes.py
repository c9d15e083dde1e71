"""Passes in sequence: rewrites of an ONNX graph, after which it still computes what it did.

A pass is an `onnx_ir.passes.InPlacePass`: it says what it requires and ensures, and whether it modified the graph.
Whether the function is kept is nobody's own business: it is checked here, once, behind the last of them.
"""

from collections.abc import Sequence
from pathlib import Path

import onnx_ir as ir

from ghostface_edge.pipeline.graph import model as graph_model
from ghostface_edge.pipeline.network.parity import Reference
from ghostface_edge.reports.write import replacing


def rewrite(
    model: ir.Model, passes: Sequence[ir.passes.InPlacePass], output: Path, reference: Reference, *, fix: str
) -> float:
    """Run passes in order, in place, and write the result, which appears only if it computes what it should.

    Args:
        model: what to rewrite.
        passes: each one's requirements are what those before it ensure.
        output: where to.
        reference: what the result must compute.
        fix: for the user, if it does not.

    Returns:
        The largest absolute difference of any embedding dimension.

    Raises:
        ParityError: that difference exceeds 1e-4.
    """
    for one in passes:
        one(model)
    with replacing(output) as partial:
        graph_model.save(model, partial)
        return reference.require(partial, fix=fix)
