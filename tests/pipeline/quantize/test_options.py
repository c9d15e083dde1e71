from pathlib import Path

import pytest

from ghostface_edge.pipeline.quantize.options import Recipe, load_recipe, parse_recipe
from ghostface_edge.reports.errors import ExitCode, InputError


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "is a folder, not a file"),
        ("ranges: {method: ¼}".encode("latin-1"), "not UTF-8 text"),
        (b"ranges: [", "is no YAML: line 2"),
        (b"[" * 5000, "is no YAML: line 1"),
        (b"- 1", "holds no mapping"),
        (b"", "holds no mapping"),
        (b"ranges: 3", "ranges"),
        (b"ranges: {percentile: .nan}", "percentile"),
        (b"ranges: {faces: 256.0}", "faces"),
        (b"distillation: {learning_rate: yes}", "learning_rate"),
    ],
)
def test_an_unreadable_recipe_is_bad_input(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "recipe.yaml"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(InputError, match=reason) as caught:
        load_recipe(str(path))
    assert str(path) in caught.value.message
    assert caught.value.fix
    assert caught.value.exit_code is ExitCode.BAD_INPUT


def test_a_recipe_that_is_not_there_gets_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no quantization recipe") as caught:
        load_recipe("balancd")
    assert caught.value.fix == "did you mean `balanced`?"


def test_numbers_may_have_an_exponent_without_a_point(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("distillation: {learning_rate: 4e-3}\n")
    distillation = load_recipe(str(tmp_path / "recipe.yaml")).distillation
    assert distillation is not None
    assert distillation.learning_rate == 0.004


def test_a_name_that_no_file_can_have_is_bad_input() -> None:
    for name in ("a\0b", "x" * 5000, "/home/\udc80"):
        with pytest.raises(InputError, match="no quantization recipe"):
            load_recipe(name)


def test_limits_are_by_stage_and_decide_no_outcome():
    given = {"limits": {"quantize": {"minutes": 0.5}, "embed": {"memory_mb": 1024}}}
    recipe = parse_recipe(given, "mine.yaml")
    assert (recipe.limits.quantize.timeout_s, recipe.limits.quantize.memory_mb) == (30.0, 8192)
    assert (recipe.limits.embed.timeout_s, recipe.limits.embed.memory_mb) == (1800.0, 1024)
    assert recipe.decisive == Recipe().decisive
    assert "limits" not in recipe.decisive


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ({"quantise": {}}, "did you mean `quantize`"),
        ({"quantize": {"minuts": 1}}, "did you mean `minutes`"),
        ({"quantize": {"minutes": 0}}, "limits.quantize.minutes"),
        ({"quantize": {"memory_mb": 1}}, "limits.quantize.memory_mb"),
    ],
)
def test_limits_that_make_no_sense_are_refused(limits, says):
    with pytest.raises(InputError, match=says):
        parse_recipe({"limits": limits}, "mine.yaml")
