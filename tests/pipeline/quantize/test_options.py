from pathlib import Path

import pytest

from ghostface_edge.pipeline.quantize.options import load_recipe
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
