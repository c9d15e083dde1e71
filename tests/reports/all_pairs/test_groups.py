"""Groups' rates are those of a count by hand; planted harm is found, and chance is not taken for it."""

import numpy as np
import pytest

from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.all_pairs.groups import judge_groups
from ghostface_edge.reports.all_pairs.operating_points import point_at
from ghostface_edge.reports.all_pairs.scores import compare_all, cosine_of
from ghostface_edge.reports.groups import Finding, Groups

from .conftest import Drawn, draw_people

REGIONS = ("north", "south", "east")


def attributes(names: list[str], seed: int = 0) -> dict[str, dict[str, str]]:
    """Sex of most, region of all."""
    rng = np.random.default_rng(seed)
    people = sorted({*names})
    sex, region = rng.choice(["f", "m", ""], len(people), p=[0.4, 0.5, 0.1]), rng.choice(REGIONS, len(people))
    return {
        "sex": {name: str(value) for name, value in zip(people, sex, strict=True) if value},
        "region": dict(zip(people, region.tolist(), strict=True)),
    }


def judged(drawn: Drawn, told: dict[str, dict[str, str]]) -> Groups:
    gallery = Gallery.of(drawn.names)
    found = judge_groups(compare_all(drawn.variant, gallery), compare_all(drawn.reference, gallery), told)
    assert found is not None
    return found


def test_figures_are_those_of_a_count_by_hand(exact: Drawn) -> None:
    told = attributes(exact.names)
    found = judged(exact, told)
    assert found.fmr == "0.001"
    gallery = Gallery.of(exact.names)
    first, second = np.triu_indices(len(exact.names), 1)
    names = np.array(exact.names)
    same = names[first] == names[second]
    rates = {}
    for model, embeddings in (("reference", exact.reference), ("variant", exact.variant)):
        rows = embeddings.astype(np.float64) / np.linalg.norm(embeddings, axis=1, keepdims=True)
        threshold = cosine_of(point_at(compare_all(embeddings, gallery), found.fmr).threshold)
        accepted = (rows @ rows.T)[first, second] >= threshold
        for attribute, values in told.items():
            value = np.array([values.get(name, "") for name in exact.names])
            for one in {*values.values()}:
                inside = (value[first] == one) & (value[second] == one)
                rest = (value[first] != one) & (value[first] == value[second]) & (value[first] != "")
                rates[model, attribute, one] = (
                    *((~accepted[inside & same]).mean(), (~accepted[rest & same]).mean()),
                    *(accepted[inside & ~same].mean(), accepted[rest & ~same].mean()),
                )
    assert [(row.attribute, row.value) for row in found.rows] == [
        *(("sex", "f"), ("sex", "m"), ("region", "east"), ("region", "north"), ("region", "south"))
    ]
    for row in found.rows:
        (own, rest, own_fmr, _), (before, rest_before, fmr_before, _) = (
            rates[model, row.attribute, row.value] for model in ("variant", "reference")
        )
        assert row.fnmr is not None
        assert row.fmr is not None
        assert (row.fnmr.variant, row.fnmr.reference) == pytest.approx((own, before))
        assert (row.fmr.variant, row.fmr.reference) == pytest.approx((own_fmr, fmr_before))
        assert row.fnmr.added is not None
        assert row.fnmr.added.added_pp == pytest.approx(100 * ((own - before) - (rest - rest_before)))
        low, high = row.fnmr.added.ci_pp
        assert low < row.fnmr.added.added_pp < high


def test_two_groups_of_one_attribute_are_each_others_rest(exact: Drawn) -> None:
    found = judged(exact, {"sex": attributes(exact.names)["sex"]})
    women, men = (row.fnmr.added for row in found.rows if row.fnmr)
    assert women is not None
    assert men is not None
    assert women.added_pp == pytest.approx(-men.added_pp)
    # an interval of FNMR and one of FMR for each of the two
    assert found.confidence == pytest.approx(0.95 ** (1 / 4))


@pytest.mark.parametrize(("people", "told"), [(60, [False, False]), (160, [True, True])])
def test_false_matches_are_told_where_enough_are_expected(exact: Drawn, people: int, told: list[bool]) -> None:
    some = sorted({*exact.names})[:people]
    found = judged(exact, {"half": {name: "ab"[place % 2] for place, name in enumerate(some)}})
    assert [row.fmr is not None and row.fmr.added is not None for row in found.rows] == told
    assert [float(found.fmr) * row.impostor >= 30 for row in found.rows] == told


def test_a_model_against_itself_adds_nothing(exact: Drawn) -> None:
    found = judged(Drawn(exact.names, exact.variant, exact.variant), attributes(exact.names))
    for row in found.rows:
        assert row.fnmr is not None
        assert row.fnmr.added is not None
        assert row.fnmr.added.added_pp == 0
        assert row.fnmr.added.ci_pp[0] == -row.fnmr.added.ci_pp[1] < 0
        assert row.finding is Finding.NOT_SHOWN


def test_few_people_are_too_few_however_many_images_they_have() -> None:
    """Nine of them in the one group, with hundreds of comparisons of a person with itself."""
    drawn = draw_people(0, 400)
    people = sorted({*drawn.names}, key=drawn.names.count, reverse=True)
    told = {"team": {name: "few" if place < 9 else "many" for place, name in enumerate(people)}}
    found = judged(drawn, told)
    for row in found.rows:
        assert row.genuine > 300
        assert row.finding is Finding.TOO_SMALL
        assert row.fnmr is not None
        assert row.fnmr.added is None
    told["team"][people[9]] = "few"
    assert {row.finding for row in judged(drawn, told).rows} != {Finding.TOO_SMALL}


def test_too_few_images_for_any_rate() -> None:
    scores = compare_all(np.eye(9, dtype=np.float32), Gallery.of(list("aabbccdde")))
    assert judge_groups(scores, scores, {"sex": {"a": "f"}}) is None


def harmed(seed: int, amount: float, people: int = 400) -> Groups:
    """People whose quantization adds noise, more of it in the east."""
    drawn = draw_people(seed, people)
    told = attributes(drawn.names, seed)
    east = np.array([told["region"][name] == "east" for name in drawn.names])
    rng = np.random.default_rng(seed + 10_000)
    more = amount * east[:, None] * rng.normal(size=drawn.variant.shape)
    return judged(Drawn(drawn.names, drawn.reference, (drawn.variant + more).astype(np.float32)), told)


def test_planted_harm_is_found_where_it_is() -> None:
    found = harmed(1, 0.35)
    assert [(row.attribute, row.value) for row in found.rows if row.finding is Finding.HARMED] == [("region", "east")]


def test_chance_is_no_harm() -> None:
    """Of ten populations without any, at 5 % of false alarms two or fewer have one by chance, 99 times in 100."""
    alarms = sum(any(row.finding is Finding.HARMED for row in harmed(seed, 0.0, 200).rows) for seed in range(10))
    assert alarms <= 2
