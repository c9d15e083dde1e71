from pathlib import Path

import pytest

from ghostface_edge.pipeline.quantize.options import Recipe, load_recipe, parse_recipe
from ghostface_edge.reports.errors import ExitCode, InputError


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: Is a directory"),
        ("ranges: {method: ¼}".encode("latin-1"), "not readable as YAML"),
        (b"ranges: [", "not readable as YAML"),
        (b"[" * 5000, "not readable as YAML"),
        (b"- 1", "holds no mapping"),
        (b"", "holds no mapping"),
        (b"ranges: 3", "ranges"),
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
