"""Plans as people write them."""

from pathlib import Path

import pytest

from ghostface_edge.pipeline.matrix.plan import Plan
from ghostface_edge.reports.errors import InputError


def _read(tmp_path: Path, text: str) -> Plan:
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    return Plan.read(path)


def test_a_list_in_a_list_is_one_cell_and_so_are_names_with_commas(tmp_path: Path) -> None:
    plan = _read(tmp_path, "targets: [openvino, 'c-int8, tflite', [tflite-fp32, c]]\npairs: [[a.bin, b.bin], c.bin]\n")
    assert plan.targets == (("openvino",), ("c-int8", "tflite"), ("tflite-fp32", "c"))
    assert plan.pairs == (("a.bin", "b.bin"), ("c.bin",))
    assert (plan.checkpoints, plan.recipes, plan.devices, plan.seeds) == ((), ("balanced",), ((),), (0,))


@pytest.mark.parametrize(
    ("text", "said", "mended"),
    [
        ("recipe: [fast]\n", "unknown key `recipe`", "did you mean `recipes`"),
        ("nothing_like_it: 1\n", "unknown key `nothing_like_it`", "known keys: calibration"),
        ("seeds: [-1]\n", "seeds.0", "correct the value in the plan"),
        ("seeds: []\n", "seeds", "correct the value in the plan"),
        ("targets: 3\n", "targets", "correct the value in the plan"),
    ],
)
def test_what_is_no_plan_is_refused(tmp_path: Path, text: str, said: str, mended: str) -> None:
    with pytest.raises(InputError) as refused:
        _read(tmp_path, text)
    assert said in refused.value.message
    assert mended in refused.value.fix
