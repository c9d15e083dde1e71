import pytest

from ghostface_edge.reports.history.folder import Kept
from ghostface_edge.reports.history.history import look_at
from ghostface_edge.reports.history.kept_run import KeptRun
from ghostface_edge.reports.history.series import Quantity, Series, series_of
from ghostface_edge.reports.variant import Status

from .made import LOSS, SLOWDOWN, VARIANTS, made_history, planted


@pytest.fixture(scope="module")
def runs() -> list[KeptRun]:
    return made_history(40, 1, planted)


def of_variant(runs: list[KeptRun], quantity: Quantity, variant: str = "tflite-int8") -> list[Series]:
    return [one for one in series_of(runs) if (one.quantity, one.variant) == (quantity, variant)]


def test_a_loss_and_a_slowdown_are_found_in_their_releases_and_nothing_else(runs: list[KeptRun]) -> None:
    found = {(one.variant, one.quantity.value, change.run): change for one, change in look_at(Kept(runs)).changes}
    assert found.keys() == {LOSS, SLOWDOWN}
    loss, slowdown = found[LOSS], found[SLOWDOWN]
    assert (loss.release, slowdown.release) == ("v1.17", "v1.28")
    assert loss.is_worse
    assert slowdown.is_worse
    assert loss.ci95[0] < -0.5 < loss.ci95[1] < 0
    assert 0 < slowdown.ci95[0] < 10 < slowdown.ci95[1]


@pytest.mark.parametrize("seed", range(2))
def test_where_nothing_changes_nothing_is_found(seed: int) -> None:
    assert not list(look_at(Kept(made_history(24, seed))).changes)


def test_what_is_better_is_not_worse() -> None:
    def better(place: int, figure: str) -> float:
        return {"accuracy": 0.01, "fnmr": -0.06, "latency": -0.4, "bytes": -0.1}[figure.split()[1]] * (place >= 6)

    found = list(look_at(Kept(made_history(12, 3, better))).changes)
    assert {(one.quantity, change.run, change.is_worse) for one, change in found} == {
        (quantity, 6, False) for quantity in Quantity
    }
    assert len(found) == len(VARIANTS) * len(Quantity)


def test_a_change_says_what_was_new_in_its_first_run() -> None:
    def from_20(place: int, figure: str) -> float:
        return 0.02 if figure == "tflite-int8 bytes" and place >= 20 else 0.0

    ((series, change),) = look_at(Kept(made_history(24, 0, from_20))).changes
    assert series.quantity is Quantity.BYTES
    assert change.with_it == ("ghostface-edge 1.1 → 1.2",)
    assert change.difference == pytest.approx(2.0, abs=0.001)


@pytest.mark.parametrize(
    ("place", "changed", "parted"),
    [
        ("network", "another network", set(Quantity)),
        ("pairs", {"sha256": "c" * 64}, {Quantity.ACCURACY}),
        ("pairs", {"count": 5999}, {Quantity.ACCURACY}),
        ("compared", {"sha256": "c" * 64}, {Quantity.FNMR}),
        ("timed_on", "another CPU, 1 thread", {Quantity.LATENCY}),
        ("kernels", "x86_64 without VNNI", {Quantity.ACCURACY, Quantity.FNMR}),
        ("fmr", "0.001", {Quantity.FNMR}),
    ],
)
def test_what_cannot_be_compared_is_another_line(
    runs: list[KeptRun], place: str, changed: object, parted: set[Quantity]
) -> None:
    few = runs[:6]
    content = [run.model_dump() for run in few]
    for run in content[3:]:
        for part in [run, *run["variants"]]:
            if place in part:
                part[place] = {**part[place], **changed} if isinstance(changed, dict) else changed
    other = [KeptRun.model_validate(run) for run in content]
    for quantity in Quantity:
        lengths = [len(one.points) for one in of_variant(other, quantity)]
        assert lengths == ([3, 3] if quantity in parted else [6])


def test_a_run_without_the_figure_has_no_point(runs: list[KeptRun]) -> None:
    failed = {"status": Status.FAILED, "error": "it died", "accuracy": None, "versus_fp32": None, "bytes": None}
    variants = tuple(variant.model_copy(update=failed) for variant in runs[1].variants)
    holed = [runs[0], runs[1].model_copy(update={"variants": variants}), runs[2]]
    (series,) = of_variant(holed, Quantity.ACCURACY)
    assert [point.run for point in series.points] == [0, 2]
    assert "tflite-int8: it died" in look_at(Kept(holed)).runs[1].failed
