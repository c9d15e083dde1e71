import numpy as np
import pytest
from numpy.typing import NDArray

from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.protocols import identification as module
from ghostface_edge.reports.protocols.enrolment import Enrolment
from ghostface_edge.reports.protocols.identification import Search, judge_identification, search


def at(*degrees: float) -> NDArray[np.float32]:
    angles = np.deg2rad(np.array(degrees, float))
    return (np.stack([np.cos(angles), np.sin(angles)], axis=1) * 4).astype(np.float32)


def searched(enrolled: dict[str, float], probes: list[tuple[str, float]]) -> Search:
    names = [*enrolled, *(name for name, _ in probes)]
    return search(at(*enrolled.values(), *(angle for _, angle in probes)), Enrolment.of(Gallery.of(names)))


def test_ranks_by_hand() -> None:
    """Persons a, b, c at 0, 60 and 120 degrees; a's second probe is nearer to both others, b's to a."""
    probes = [("a", 10), ("a", 100), ("b", 25), ("c", 112), ("x", 180)]
    found = searched({"a": 0, "b": 60, "c": 120}, probes)
    assert found.own_rank.tolist() == [1, 3, 2, 1, 4]
    np.testing.assert_allclose(found.top, np.cos(np.deg2rad([10, 20, 25, 8, 60])), rtol=1e-6)
    judged = judge_identification(found, ranks=(1, 2, 3))
    assert {rank: row.rate for rank, row in judged.rank.items()} == {"1": 0.5, "2": 0.75, "3": 1.0}
    assert (judged.enrolled, judged.mated, judged.mated_people, judged.non_mated) == (3, 4, 3, 1)


def test_a_tie_counts_against_the_probe() -> None:
    assert searched({"a": 0, "b": 0}, [("a", 0), ("b", 90)]).own_rank.tolist() == [2, 2]


def population(seed: int, people: int, noise: float = 0.5) -> tuple[list[str], NDArray[np.float32]]:
    """People with one image to five, some of whom look like everybody."""
    rng = np.random.default_rng(seed)
    count = np.minimum(rng.geometric(0.55, people), 5)
    centre = rng.normal(size=(people, 16)) + rng.gamma(1, 0.4, people)[:, None]
    images = np.repeat(centre, count, axis=0)
    names = [f"p{person:04d}" for person in np.repeat(np.arange(people), count)]
    return names, (images + noise * rng.normal(size=images.shape)).astype(np.float32)


@pytest.mark.parametrize(("fpir", "support"), [("0.1", "figure"), ("0.02", "bound")])
def test_equal_to_a_count_by_hand(monkeypatch: pytest.MonkeyPatch, fpir: str, support: str) -> None:
    monkeypatch.setattr(module, "_CHUNK", 37)
    names, embeddings = population(1, 700)
    enrolment = Enrolment.of(Gallery.of(names))
    found = judge_identification(search(embeddings, enrolment), fpirs=(fpir,))
    unit = embeddings.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    first = [place for place, name in enumerate(names) if names.count(name) > 1 and names.index(name) == place]
    enrolled = [names[place] for place in first]
    ranks, tops, strangers = [], [], []
    for place, name in enumerate(names):
        if place in first:
            continue
        cosines = unit[first] @ unit[place]
        if name in enrolled:
            ranks.append(1 + (cosines > cosines[enrolled.index(name)]).sum())
            tops.append(cosines.max())
        else:
            strangers.append(cosines.max())
    assert (found.mated, found.non_mated) == (len(ranks), len(strangers))
    for rank in (1, 5):
        assert found.rank[str(rank)].rate == pytest.approx(np.mean(np.array(ranks) <= rank), abs=1e-12)
    row = found.tpir[fpir]
    assert row.support == support
    above = row.threshold + 1e-9  # a product of matrices may round otherwise by hand
    hits = (np.array(ranks) == 1) & (np.array(tops) >= above)
    assert row.rate == pytest.approx(hits.mean(), abs=1e-12)
    passed = (np.array(strangers) >= above).sum()
    assert row.fpir == passed / len(strangers)
    assert passed <= float(fpir) * len(strangers)
    if support == "figure":
        assert passed == int(float(fpir) * len(strangers))


def test_too_few_strangers_are_refused() -> None:
    names, embeddings = population(2, 100)
    found = judge_identification(search(embeddings, Enrolment.of(Gallery.of(names))))
    assert {*found.tpir} == {"0.1"}
    more = 300 - found.non_mated
    assert found.not_answerable == {"0.01": f"{more} more probes of people who are not are needed even for a bound"}


def test_a_model_against_itself_lost_nothing_and_a_worse_one_did() -> None:
    names, embeddings = population(3, 900)
    enrolment = Enrolment.of(Gallery.of(names))
    good = search(embeddings, enrolment)
    same = judge_identification(good, good)
    for row in (*same.rank.values(), *same.tpir.values()):
        assert row.drop_pp == 0
        assert row.drop_ci95_pp is not None
        assert row.drop_ci95_pp[0] < 0 < row.drop_ci95_pp[1]
    noise = np.random.default_rng(0).normal(size=embeddings.shape)
    worse = judge_identification(search((embeddings + 0.5 * noise).astype(np.float32), enrolment), good)
    for now, before in ((worse.rank["1"], same.rank["1"]), (worse.tpir["0.1"], same.tpir["0.1"])):
        assert now.drop_pp == pytest.approx(100 * (before.rate - now.rate))
        assert now.drop_ci95_pp is not None
        assert now.drop_ci95_pp[0] > 0


def test_intervals_hold_what_other_people_give() -> None:
    """95 % of the draws, of 120 that err by 2 % themselves; truth is what all 8,000 people give."""
    names, embeddings = population(4, 8000)
    enrolment = Enrolment.of(Gallery.of(names))
    whole = search(embeddings, enrolment)
    truth = judge_identification(whole, fpirs=("0.1",))
    rng, held = np.random.default_rng(0), np.zeros(2)
    for _ in range(120):
        drawn = rng.random(enrolment.people) < 0.12
        kept = drawn[enrolment.probe_person]
        part = Enrolment(
            enrolment.enrolled,
            enrolment.enrolled_person,
            enrolment.probes[kept],
            enrolment.probe_person[kept],
            enrolment.people,
        )
        found = judge_identification(Search(part, whole.top[kept], whole.own_rank[kept]), fpirs=("0.1",))
        pairs = ((found.rank["1"], truth.rank["1"]), (found.tpir["0.1"], truth.tpir["0.1"]))
        held += [row.ci95[0] <= right.rate <= row.ci95[1] for row, right in pairs]
    assert ((held / 120) >= 0.89).all()


def test_refusals() -> None:
    names, embeddings = population(5, 50)
    embeddings[0] = 0
    with pytest.raises(InputError, match="zero or not finite"):
        search(embeddings, Enrolment.of(Gallery.of(names)))
