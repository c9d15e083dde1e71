from dataclasses import replace

from ghostface_edge.pipeline.quantize.correct import round_parameters
from ghostface_edge.pipeline.quantize.options import RangeMethod
from ghostface_edge.pipeline.quantize.ranges import activation_params, find_ranges
from ghostface_edge.pipeline.quantize.report import Part
from ghostface_edge.pipeline.quantize.sensitivity import rank_sensitivity
from ghostface_edge.pipeline.simulation.placement import place_quantizers
from ghostface_edge.pipeline.simulation.quantized_program import QuantizedProgram
from ghostface_edge.pipeline.simulation.simulate import cosines, embed, rounding


def silent(_share):
    pass


def test_each_row_is_a_run_of_the_whole_network_with_one_part_rounded(program, faces):
    """To the bit, although only what follows the part is run."""
    faces, placement = faces[:6], place_quantizers(program)
    ranges = find_ranges(program, placement, faces, RangeMethod.MIN_MAX, percentile=100.0, seed=0, progress=silent)
    quantized = round_parameters(program, activation_params(placement, ranges))
    losses = {
        (row.part, row.name): row.cosine_loss for row in rank_sensitivity(program, quantized, placement, faces, silent)
    }
    assert list(losses.values()) == sorted(losses.values(), reverse=True)
    reference = embed(program, faces)
    layers = [*quantized.weight_scales][::40] + [*quantized.slope_scales][-1:]
    for name in layers:
        key = f"{name}.{'weight' if name in quantized.weight_scales else 'slope'}"
        changed = program.parameters | {key: quantized.program.parameters[key]}
        alone = embed(replace(program, parameters=changed), faces)
        assert losses[Part.LAYER, name] == 1 - cosines(alone, reference).mean()
    for name in placement.free[::30]:
        activations = {value: quantized.activations[value] for value in placement.members(name)}
        alone = embed(program, faces, rounding(QuantizedProgram(program, activations, {}, {})))
        assert losses[Part.TENSOR, name] == 1 - cosines(alone, reference).mean()
