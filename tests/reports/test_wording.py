import pytest

from ghostface_edge.reports import wording
from ghostface_edge.reports.blocks import Tone


def test_counts_and_lists() -> None:
    assert wording.count(1, "operator") == "1 operator"
    assert wording.count(1_200, "operator") == "1,200 operators"
    assert wording.enumeration(["a", "b", "c"]) == "a, b and c"
    assert wording.enumeration(["a"]) == "a"


@pytest.mark.parametrize(
    ("loss", "tone"), [(-0.2, Tone.GAIN), (0.05, Tone.NOTHING), (0.2, Tone.LOSS_1), (30.0, Tone.LOSS_5)]
)
def test_losses_are_graded(loss: float, tone: Tone) -> None:
    assert wording.loss(loss).tone is tone


def test_figures_that_are_not_known() -> None:
    assert wording.number(None, ".2f") == wording.percent(None) == wording.interval(None) == wording.MISSING
    assert wording.share(0.0001) == "under 0.1 %"
    assert wording.share(0.0) == "nothing"
