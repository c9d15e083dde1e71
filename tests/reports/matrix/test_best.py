"""The best file over all cells: by the rule of one report, and by every cell that judged it."""

from ghostface_edge.reports.matrix.best import best
from ghostface_edge.reports.recommend import Considered
from ghostface_edge.reports.verdicts import Verdict


def _file(
    cell: str, digest: str, ms: float, verdict: Verdict = Verdict.PASS, *, variant: str = "tflite-int8"
) -> Considered:
    return Considered(variant=f"{cell}/{variant}", verdict=verdict, why="", sha256=digest * 64, bytes=1000, p50_ms=ms)


def test_each_place_has_its_fastest_file() -> None:
    here, there = best({"a CPU": [_file("a", "1", 2.0), _file("b", "2", 1.0)], "pi4": [_file("a", "1", 3.0)]})
    assert here.chosen is not None
    assert (here.device, here.chosen.variant, here.chosen.p50_ms) == ("a CPU", "b/tflite-int8", 1.0)
    assert there.chosen is not None
    assert there.chosen.variant == "a/tflite-int8"


def test_a_file_that_fails_on_other_pairs_does_not_ship() -> None:
    files = [_file("a", "1", 1.0), _file("b", "1", 1.0, Verdict.FAIL), _file("c", "2", 2.0)]
    (choice,) = best({"a CPU": files})
    assert choice.chosen is not None
    assert choice.chosen.variant == "c/tflite-int8"
    (nothing,) = best({"a CPU": files[:2]})
    assert nothing.chosen is None


def test_a_file_that_also_stands_for_comparison_ships_under_its_own_name() -> None:
    files = [_file("a", "1", 1.0), _file("a", "1", 1.0, Verdict.FAIL, variant="tflite-int8-stock")]
    (choice,) = best({"a CPU": files})
    assert choice.chosen is not None
    assert choice.chosen.variant == "a/tflite-int8"
