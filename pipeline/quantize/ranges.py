"""Ranges of activations, found on calibration faces, and the quantization parameters that cover them.

In: a program, its quantizer placement, faces, a method. Out: parameters per value; values of one group share them.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ghostface_edge.pipeline.quantize.histogram import histograms
from ghostface_edge.pipeline.quantize.options import RangeMethod
from ghostface_edge.pipeline.simulation.fake_quantize import params_between
from ghostface_edge.pipeline.simulation.noise import settle
from ghostface_edge.pipeline.simulation.placement import QuantizerPlacement
from ghostface_edge.pipeline.simulation.program import Program
from ghostface_edge.pipeline.simulation.statistics import ChannelRange, observe, observe_ranges
from ghostface_edge.targets.protocol import Faces
from ghostface_edge.targets.quant_params import QuantParams

Ranges = Mapping[str, tuple[float, float]]
"""Low and high by group of tensors."""


def find_ranges(
    program: Program,
    placement: QuantizerPlacement,
    faces: Faces,
    method: RangeMethod,
    *,
    percentile: float,
    seed: int,
    progress: Callable[[float], None],
) -> Ranges:
    """Range of every group that is not fixed.

    Args:
        program: float32 network.
        placement: of this program.
        faces: RGB uint8 (N, S, S, 3).
        method: how to choose.
        percentile: share of values kept by `RangeMethod.PERCENTILE`, in percent.
        seed: of the random directions that measure sensitivity.
        progress: told the share done.
    """
    if method is RangeMethod.SENSITIVITY:
        return settle(program, placement, observe(program, faces, seed=seed, progress=progress)).ranges
    extremes = group_ranges(placement, observe_ranges(program, faces))
    if method is RangeMethod.MIN_MAX:
        return extremes
    counted = histograms(program, placement, faces, extremes)
    if method is RangeMethod.PERCENTILE:
        return {name: histogram.percentile(percentile) for name, histogram in counted.items()}
    return {name: histogram.least_error() for name, histogram in counted.items()}


def group_ranges(placement: QuantizerPlacement, ranges: Mapping[str, ChannelRange]) -> Ranges:
    """Extremes over all channels and members of each free group."""
    return {
        name: (
            min(float(ranges[value].low.min()) for value in placement.members(name)),
            max(float(ranges[value].high.max()) for value in placement.members(name)),
        )
        for name in placement.free
    }


def activation_params(placement: QuantizerPlacement, ranges: Ranges) -> dict[str, QuantParams]:
    """Quantization parameters of every quantized value."""
    activations = {name: params_between(*ends) for name, ends in ranges.items()} | dict(placement.fixed)
    return {value: activations[name] for value, name in placement.group.items()}


def range_stability(placement: QuantizerPlacement, subsets: Sequence[Mapping[str, ChannelRange]]) -> dict[str, float]:
    """How far each group's min-max range differs between disjoint subsets of the faces.

    Args:
        placement: of the program.
        subsets: what `observe_ranges` saw on each.

    Returns:
        By group: (largest - smallest extent) / mean extent; 0 where all subsets agree.
    """
    seen = [group_ranges(placement, ranges) for ranges in subsets]
    extents = {name: [ranges[name][1] - ranges[name][0] for ranges in seen] for name in placement.free}
    return {name: float(np.ptp(sizes) / max(np.mean(sizes), 1e-12)) for name, sizes in extents.items()}
