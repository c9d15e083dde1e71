from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from ghostface_edge.calibration.preprocessing import normalize
from ghostface_edge.pipeline.quantize.options import CorrectionOptions, DistillationOptions, MixedOptions
from ghostface_edge.pipeline.quantize.recipe import RECIPES, Recipe, load_recipe, parse_recipe, quantize
from ghostface_edge.pipeline.quantize.report import FULL_INTEGER
from ghostface_edge.pipeline.simulation.reading import load_program
from ghostface_edge.pipeline.simulation.simulate import cosines, embed
from ghostface_edge.reports.errors import ExitCode, InputError, ToolError
from ghostface_edge.targets.tflite.target import TfliteTarget

QUICK = Recipe(sensitivity_faces=0)


def run_qdq(path, faces):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {"faces": np.ascontiguousarray(normalize(faces).transpose(0, 3, 1, 2))})[0]


def silent(_name, _share):
    pass


def assert_agrees(model, faces, qdq_model):
    report = quantize(model, faces, QUICK, qdq_model, seed=0, progress=silent)
    reference = embed(load_program(model), faces)
    assert report.cosine_mean > 0.97
    assert cosines(run_qdq(qdq_model, faces), reference).mean() > 0.97
    assert report.int8_mac_share == 1.0
    assert report.higher_precision == ()
    assert [point.step for point in report.curve] == ["sensitivity ranges", "bias correction"]


@pytest.mark.exact_int8
def test_balanced_agrees_with_float_in_simulation_and_in_onnx_runtime(network, faces, tmp_path):
    assert_agrees(network, faces, tmp_path / "model.qdq.onnx")


@pytest.mark.exact_int8
def test_balanced_agrees_on_v2_too(second_network, faces, tmp_path):
    assert_agrees(second_network, faces, tmp_path / "model.qdq.onnx")


def test_the_same_inputs_and_seed_give_the_same_bytes(network, faces, tmp_path):
    recipe = QUICK.model_copy(update={"distillation": DistillationOptions(steps=3, batch=8)})
    for name in ("first.onnx", "second.onnx"):
        quantize(network, faces, recipe, tmp_path / name, seed=4, progress=silent)
    assert (tmp_path / "first.onnx").read_bytes() == (tmp_path / "second.onnx").read_bytes()


def test_distillation_improves_on_its_start(network, faces, tmp_path):
    recipe = QUICK.model_copy(
        update={
            "correction": CorrectionOptions(biases=False),
            "distillation": DistillationOptions(steps=60, batch=16, learning_rate=1e-4, range_rate=30.0),
        }
    )
    report = quantize(network, faces, recipe, tmp_path / "model.qdq.onnx", seed=0, progress=silent)
    start, end = (1 - point.cosine_mean for point in report.curve)
    assert end < start
    assert report.method == "distilled"


def test_distillation_takes_batches_of_fewer_faces_than_workers(network, faces, tmp_path):
    recipe = QUICK.model_copy(update={"distillation": DistillationOptions(steps=1, batch=1)})
    report = quantize(network, faces, recipe, tmp_path / "model.qdq.onnx", seed=0, progress=silent)
    trained = [point.step for point in report.curve] + list(report.warnings)
    assert any("distillation" in said for said in trained)


def test_distillation_that_makes_things_worse_is_dropped_and_said(network, faces, tmp_path):
    recipe = QUICK.model_copy(update={"distillation": DistillationOptions(steps=4, batch=8, learning_rate=0.5)})
    report = quantize(network, faces, recipe, tmp_path / "model.qdq.onnx", seed=0, progress=silent)
    assert report.method == "balanced"
    assert report.cosine_mean > 0.97
    assert any("distillation gave cosine" in warning for warning in report.warnings)


def test_every_activation_weight_and_bias_of_the_qdq_model_is_an_integer(network, faces, tmp_path):
    quantize(network, faces, QUICK, tmp_path / "model.qdq.onnx", seed=0, progress=silent)
    graph = onnx.load(tmp_path / "model.qdq.onnx").graph
    producers = {node.output[0]: node.op_type for node in graph.node}
    for node in graph.node:
        if node.op_type in {"Conv", "PRelu", "Add", "Mul", "Concat", "GlobalAveragePool"} and node.input[0] != "faces":
            assert {producers[name] for name in node.input} == {"DequantizeLinear"}, node.name
    assert not {"HardSigmoid", "Clip"} & {node.op_type for node in graph.node}


@pytest.mark.exact_int8
def test_mixed_precision_keeps_few_tensors_and_reaches_its_goal(network, faces, tmp_path):
    plain = quantize(network, faces, QUICK, tmp_path / "plain.onnx", seed=0, progress=silent)
    goal = 1 - 0.7 * (1 - plain.cosine_mean)
    mixed = MixedOptions(cosine=goal, least_int8_share=0.2)
    recipe = Recipe(sensitivity_faces=16, mixed=mixed)
    report = quantize(network, faces, recipe, tmp_path / "mixed.onnx", seed=0, progress=silent)
    assert report.cosine_mean >= goal
    assert 0 < len(report.higher_precision) < len(plain.ranges) / 2
    assert report.int8_mac_share >= 0.2
    reference = embed(load_program(network), faces)
    plain_run, mixed_run = (cosines(run_qdq(tmp_path / f"{n}.onnx", faces), reference) for n in ("plain", "mixed"))
    assert mixed_run.mean() > plain_run.mean()
    full = tmp_path / FULL_INTEGER
    assert full.read_bytes() == (tmp_path / "plain.onnx").read_bytes()
    assert report.full_integer.higher_precision == ()
    assert report.full_integer.cosine_mean == plain.cosine_mean
    TfliteTarget().lower_quantized(full, tmp_path / "model.tflite")
    macs = TfliteTarget().inspect(tmp_path / "model.tflite").macs_by_precision
    assert macs["int8"] == sum(macs.values())
    with pytest.raises(ToolError, match="left in float"):
        TfliteTarget().lower_quantized(tmp_path / "mixed.onnx", tmp_path / "refused.tflite")


def test_mixed_precision_that_cannot_reach_its_goal_says_so(network, faces, tmp_path):
    recipe = Recipe(sensitivity_faces=0, mixed=MixedOptions(cosine=1.0, least_int8_share=1.0))
    report = quantize(network, faces, recipe, tmp_path / "model.qdq.onnx", seed=0, progress=silent)
    assert report.int8_mac_share == 1.0
    assert any("less than the 1.0 asked for" in warning for warning in report.warnings)


def test_a_network_good_enough_keeps_nothing_in_higher_precision(network, faces, tmp_path):
    recipe = Recipe(sensitivity_faces=0, mixed=MixedOptions(cosine=0.5))
    report = quantize(network, faces, recipe, tmp_path / "model.qdq.onnx", seed=0, progress=silent)
    assert (report.higher_precision, report.full_integer) == ((), None)
    assert not (tmp_path / FULL_INTEGER).exists()


def test_too_few_faces_are_refused_with_the_figure(network, faces, tmp_path):
    with pytest.raises(InputError, match="5 calibration faces are too few, at least 8") as error:
        quantize(network, faces[:5], QUICK, tmp_path / "model.qdq.onnx", seed=0, progress=silent)
    assert error.value.exit_code is ExitCode.BAD_INPUT
    assert not list(Path(tmp_path).iterdir())


def test_constant_faces_are_refused(network, faces, tmp_path):
    with pytest.raises(InputError, match="all 20 calibration images are constant or the same"):
        quantize(network, np.full_like(faces[:20], 90), QUICK, tmp_path / "model.qdq.onnx", seed=0, progress=silent)


def test_few_and_flat_faces_are_warned_of_with_figures(network, faces, tmp_path):
    some = faces[:40].copy()
    some[3] = 7
    report = quantize(network, some, QUICK, tmp_path / "model.qdq.onnx", seed=0, progress=silent)
    assert any("40 calibration faces are few" in warning for warning in report.warnings)
    assert any("1 of 40 calibration images are constant" in warning for warning in report.warnings)


def test_unknown_keys_are_refused_with_a_suggestion(tmp_path):
    with pytest.raises(InputError, match=r"unknown key `ranges.methd` \(fix: did you mean `method`"):
        parse_recipe({"ranges": {"methd": "sqnr"}}, "recipe.yaml")
    with pytest.raises(InputError, match=r"recipe.yaml: ranges.percentile"):
        parse_recipe({"ranges": {"percentile": 120}}, "recipe.yaml")
    with pytest.raises(InputError, match="did you mean `balanced`"):
        load_recipe("balancd")
    (tmp_path / "recipe.yaml").write_text("name: mine\nranges: {method: sqnr}\n")
    assert load_recipe(str(tmp_path / "recipe.yaml")).ranges.method == "sqnr"
    (tmp_path / "list.yaml").write_text("- a\n")
    with pytest.raises(InputError, match="holds no mapping"):
        load_recipe(str(tmp_path / "list.yaml"))


def test_built_in_recipes():
    assert RECIPES["balanced"].distillation is None
    assert RECIPES["best"].distillation is not None
    assert all(recipe.mixed is None for recipe in RECIPES.values())
