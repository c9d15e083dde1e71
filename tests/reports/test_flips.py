import numpy as np

from ghostface_edge.reports.flips import by_person, find_flips
from ghostface_edge.reports.metrics import cosine_scores
from ghostface_edge.reports.paired import compare


def _names(faces) -> list[tuple[str, str]]:
    return [(f"p{left // 2}", f"p{right // 2}") for left, right in faces.index.tolist()]


def test_every_changed_decision_is_listed_once_the_clearest_first(faces) -> None:
    embeddings = faces.noisy(1.2)
    variant, reference = cosine_scores(embeddings, faces.index), cosine_scores(faces.embeddings, faces.index)
    names = _names(faces)
    flips = find_flips(variant, reference, faces.same, faces.index, names=names)
    versus = compare(variant, reference, faces.same, embeddings, faces.embeddings, seed=0)
    assert len({flip.pair for flip in flips}) == len(flips) == versus.flipped_pairs
    lost = [flip for flip in flips if flip.lost]
    assert len(lost) == versus.lost_pairs
    assert list(flips[: len(lost)]) == lost
    assert [flip.margin for flip in lost] == sorted((flip.margin for flip in lost), reverse=True)
    first = flips[0]
    assert (first.variant_score >= first.variant_threshold) != first.same
    assert (first.reference_score >= first.reference_threshold) == first.same
    assert first.fold == first.pair // 200
    assert first.names == names[first.pair]
    assert first.images == tuple(faces.index[first.pair].tolist())


def test_people_who_lost_most_come_first(faces) -> None:
    variant = cosine_scores(faces.noisy(1.2), faces.index)
    reference = cosine_scores(faces.embeddings, faces.index)
    names = _names(faces)
    flips = find_flips(variant, reference, faces.same, faces.index, names=names)
    people = by_person(flips, names)
    nets = [person.lost - person.gained for person in people]
    assert nets == sorted(nets, reverse=True)
    # a pair of two people counts for both, a pair of one person once
    expected = sum(1 if flip.same else 2 for flip in flips if flip.lost)
    assert sum(person.lost for person in people) == expected


def test_no_change_no_flips(faces) -> None:
    scores = cosine_scores(faces.embeddings, faces.index)
    assert find_flips(scores, scores, faces.same, faces.index) == ()
    assert by_person((), [("a", "b")]) == ()


def test_scores_without_names() -> None:
    rng = np.random.default_rng(0)
    same = np.arange(100) % 2 == 0
    flips = find_flips(same + rng.normal(0, 1, 100), same + 0.0, same, np.zeros((100, 2), int))
    assert flips
    assert all(flip.names is None for flip in flips)
