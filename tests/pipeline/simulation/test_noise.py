import numpy as np
import pytest
import torch

from ghostface_edge.pipeline.quantize.options import RangeMethod
from ghostface_edge.pipeline.quantize.ranges import activation_params, find_ranges, range_stability
from ghostface_edge.pipeline.simulation.fake_quantize import fake_quantize
from ghostface_edge.pipeline.simulation.noise import settle
from ghostface_edge.pipeline.simulation.placement import PIXEL_SHIFT, place_quantizers
from ghostface_edge.pipeline.simulation.quantized_program import QuantizedProgram
from ghostface_edge.pipeline.simulation.simulate import cosines, embed, rounding
from ghostface_edge.pipeline.simulation.statistics import observe, observe_ranges


def test_predicted_cost_is_what_rounding_activations_costs(program, faces):
    """Twice (1 - cosine) of the simulation with rounded activations, between half and 1.75 times.

    Seeded networks give 1.3 to 1.6, and one face with a short embedding moves the mean of 64.
    """
    placement = place_quantizers(program)
    settled = settle(program, placement, observe(program, faces, seed=0))
    activations = {
        value: params
        for value, params in activation_params(placement, settled.ranges).items()
        if value != program.input
    }
    rounded = embed(program, faces, rounding(QuantizedProgram(program, activations, {}, {})))
    measured = 2 * (1 - cosines(rounded, embed(program, faces)).mean())
    assert measured / 2 <= sum(settled.cost.values()) <= 1.75 * measured


def test_sensitivity_ranges_beat_min_max_and_sqnr(program, faces):
    placement, reference = place_quantizers(program), embed(program, faces)
    loss = {}
    for method in RangeMethod:
        ranges = find_ranges(program, placement, faces, method, percentile=99.99, seed=0, progress=lambda _share: None)
        activations = {
            value: params for value, params in activation_params(placement, ranges).items() if value != program.input
        }
        rounded = embed(program, faces, rounding(QuantizedProgram(program, activations, {}, {})))
        loss[method] = 1 - cosines(rounded, reference).mean()
    assert loss[RangeMethod.SENSITIVITY] < min(loss[RangeMethod.MIN_MAX], loss[RangeMethod.SQNR])


def test_gain_is_the_squared_derivative_of_the_embedding(program, faces):
    """A small change of one channel moves the normalised embedding by gain times its square."""
    name = next(program.convolutions()).output
    gain = observe(program, faces, seed=0)[name].gain
    channel, size = int(gain.argmax()), 1e-3
    generator = torch.Generator().manual_seed(1)

    def disturb(value_name, value):
        if value_name == name:
            value = value.clone()
            value[:, channel] += size * torch.randn(value[:, channel].shape, generator=generator)
        return value

    before, after = embed(program, faces), embed(program, faces, disturb)
    unit_before, unit_after = (e / np.linalg.norm(e, axis=1, keepdims=True) for e in (before, after))
    moved = np.square(unit_after - unit_before).sum(1).mean()
    assert moved == pytest.approx(gain[channel] * size**2, rel=0.35)


def test_tied_values_share_one_grid(program):
    placement = place_quantizers(program)
    for step in program.steps:
        if step.op in {"Concat", "PRelu"}:
            assert len({placement.group[name] for name in (*step.inputs, step.output)}) == 1
        if step.op == "Clip":
            assert placement.fixed[placement.group[step.output]].high == pytest.approx(1.0)
            assert step.inputs[0] not in placement.group


def test_pixels_fall_on_the_grid_exactly():
    from ghostface_edge.pipeline.simulation.placement import PIXEL_PARAMS

    pixels = torch.arange(256, dtype=torch.float32)
    shifted = (pixels - 127.5) / 128 + PIXEL_SHIFT
    assert torch.equal(fake_quantize(PIXEL_PARAMS, shifted), shifted)
    assert torch.equal(shifted * 128, pixels - 128)


def test_statistics_do_not_depend_on_how_faces_are_split(program, faces):
    whole = observe_ranges(program, faces)
    first, second = observe_ranges(program, faces[:40]), observe_ranges(program, faces[40:])
    for name, seen in whole.items():
        np.testing.assert_allclose(seen.high, np.maximum(first[name].high, second[name].high), rtol=1e-4, atol=1e-5)


def test_range_stability_is_zero_for_identical_subsets(program, faces):
    placement, same, other = place_quantizers(program), observe_ranges(program, faces[:8]), faces[8:16]
    assert max(range_stability(placement, [same] * 4).values()) == 0
    assert max(range_stability(placement, [same, observe_ranges(program, other)]).values()) > 0.01
