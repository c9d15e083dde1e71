import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ghostface_edge.reports.all_against_all import FMRS
from ghostface_edge.reports.all_pairs import scores as module
from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.all_pairs.operating_points import at, point_at
from ghostface_edge.reports.all_pairs.scores import BINS, AllPairScores, compare_all, cosine_of
from ghostface_edge.reports.errors import InputError

from .conftest import Drawn, cosines_by_hand, draw_people


def same(one: AllPairScores, other: AllPairScores) -> bool:
    """All counts, and the tail whatever its order."""
    tails = [sorted(zip(its.tail.first, its.tail.second, its.tail.bin, strict=True)) for its in (one, other)]
    counts = ((one.above, other.above), (one.genuine_bin, other.genuine_bin))
    return all(np.array_equal(*pair) for pair in counts) and tails[0] == tails[1]


def test_equal_to_a_count_by_hand_at_every_threshold(exact: Drawn) -> None:
    found = compare_all(exact.reference, Gallery.of(exact.names))
    wanted = [point_at(found, fmr).threshold for fmr in FMRS]
    step = BINS // 1024
    assert len(set(wanted)) >= 4
    impostor, genuine = cosines_by_hand(exact.reference, exact.names)
    for threshold in [*wanted, *range(0, BINS, 16 * step)]:
        cosine = cosine_of(threshold)
        assert found.above[threshold] == (impostor >= cosine).sum()
        assert at(found, threshold).fnmr * len(genuine) == pytest.approx((genuine < cosine).sum(), abs=1e-6)


def test_equal_to_a_count_by_hand_where_rounding_decides() -> None:
    """Of embeddings as they are: within what a float32 product can err, 5e-7 of a cosine."""
    drawn = draw_people(3, 300)
    found = compare_all(drawn.reference, Gallery.of(drawn.names))
    impostor, genuine = cosines_by_hand(drawn.reference, drawn.names)
    for threshold in range(0, BINS, 997):
        low, high = cosine_of(threshold) - 5e-7, cosine_of(threshold) + 5e-7
        assert (impostor >= high).sum() <= found.above[threshold] <= (impostor >= low).sum()
        assert (genuine < low).sum() <= np.searchsorted(found.genuine_bin, threshold) <= (genuine < high).sum()


def test_ambiguous_comparisons_are_counted_nowhere(exact: Drawn) -> None:
    one = [("p001", "p159"), ("p002", "p003"), ("p003", "p004")]
    found = compare_all(exact.reference, Gallery.of(exact.names, one))
    root = {"p159": "p001", "p003": "p002", "p004": "p002"}
    merged = [root.get(name, name) for name in exact.names]
    assert found.gallery.ambiguous > 0
    assert found.above[0] == found.gallery.impostors
    impostor, _ = cosines_by_hand(exact.reference, merged)
    for threshold in (point_at(found, fmr).threshold for fmr in FMRS):
        assert found.above[threshold] == (impostor >= cosine_of(threshold)).sum()


def test_blocks_threads_and_order_change_nothing(exact: Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = compare_all(exact.reference, Gallery.of(exact.names))
    monkeypatch.setattr(module, "_ROWS", 37)
    monkeypatch.setattr(module, "_COLUMNS", 90)
    assert same(compare_all(exact.reference, Gallery.of(exact.names)), whole)
    assert same(compare_all(exact.reference, Gallery.of(exact.names), threads=3), whole)
    turned = compare_all(exact.reference[::-1], Gallery.of(exact.names[::-1]))
    assert_array_equal(turned.above, whole.above)
    assert_array_equal(turned.genuine_bin, whole.genuine_bin)


def test_images_without_a_name_are_left_out(exact: Drawn) -> None:
    some = [name if place % 3 else None for place, name in enumerate(exact.names)]
    kept = [place for place, name in enumerate(some) if name is not None]
    alone = compare_all(exact.reference[kept], Gallery.of([exact.names[place] for place in kept]))
    assert_array_equal(compare_all(exact.reference, Gallery.of(some)).above, alone.above)


def test_the_tail_is_complete_where_all_are_kept(exact: Drawn) -> None:
    found = compare_all(exact.reference, Gallery.of(exact.names))
    assert found.rates == (1.0,) * len(FMRS)
    for place, fmr in enumerate(FMRS):
        threshold = point_at(found, fmr).threshold
        drawn, rate = found.sample(place, threshold)
        assert rate == 1.0
        assert len(drawn.bin) == found.above[threshold]
        rows = exact.reference[found.gallery.order]
        cosines = (rows[drawn.first] * rows[drawn.second]).sum(1) / 1024
        assert (cosines >= cosine_of(threshold)).all()
        assert (found.gallery.person[drawn.first] != found.gallery.person[drawn.second]).all()


def test_a_thinned_tail_draws_the_same_comparisons_for_every_model(
    exact: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SAMPLE", 300)
    gallery = Gallery.of(exact.names)
    one, other = compare_all(exact.reference, gallery), compare_all(exact.variant, gallery)
    threshold = point_at(one, "0.01").threshold
    drawn, rate = one.sample(0, threshold)
    assert len(drawn.bin) == pytest.approx(300, abs=5 * 300**0.5)
    assert rate == pytest.approx(one.rates[0], rel=0.3)
    again, _ = other.sample(0, point_at(other, "0.01").threshold)
    both = {*zip(drawn.first, drawn.second, strict=True)} & {*zip(again.first, again.second, strict=True)}
    assert len(both) > 150


def test_two_models_equal_to_a_count_by_hand(exact: Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every image by one model with every other by the other: both ways, so twice as many comparisons."""
    gallery = Gallery.of(exact.names, [("p001", "p159")])
    found = compare_all(exact.variant, gallery, enrolled=exact.reference)
    cosines = (exact.variant.astype(np.float64) @ exact.reference.T.astype(np.float64)) / 1024
    merged = np.array([{"p159": "p001"}.get(name, name) for name in exact.names])
    one, other = np.array(exact.names), ~np.eye(len(cosines), dtype=np.bool_)
    genuine, impostor = cosines[(one[:, None] == one) & other], cosines[merged[:, None] != merged]
    assert (found.genuine, found.impostors) == (len(genuine), len(impostor))
    thresholds = [point_at(found, fmr).threshold for fmr in FMRS]
    for threshold in [*thresholds, *range(0, BINS, 16 * BINS // 1024)]:
        cosine = cosine_of(threshold)
        assert found.above[threshold] == (impostor >= cosine).sum()
        assert at(found, threshold).fmr * len(impostor) == pytest.approx((impostor >= cosine).sum(), abs=1e-6)
        assert at(found, threshold).fnmr * len(genuine) == pytest.approx((genuine < cosine).sum(), abs=1e-6)
    assert point_at(found, "0.001").fmr <= 0.001
    monkeypatch.setattr(module, "_ROWS", 37)
    monkeypatch.setattr(module, "_COLUMNS", 90)
    assert same(compare_all(exact.variant, gallery, threads=3, enrolled=exact.reference), found)


def test_a_model_that_enrolled_for_itself_is_one_model_counted_twice(exact: Drawn) -> None:
    gallery = Gallery.of(exact.names)
    alone, both = (compare_all(exact.variant, gallery, enrolled=it) for it in (None, exact.variant))
    assert_array_equal(both.above, 2 * alone.above)
    assert_array_equal(both.genuine_bin, np.repeat(alone.genuine_bin, 2))
    for fmr in FMRS:
        one, two = point_at(alone, fmr), point_at(both, fmr)
        assert (one.threshold, one.fmr, one.fnmr) == (two.threshold, two.fmr, two.fnmr)


def test_models_of_other_sizes_are_refused(exact: Drawn) -> None:
    with pytest.raises(InputError, match="1024 and 512 numbers per embedding cannot be compared"):
        compare_all(exact.variant, Gallery.of(exact.names), enrolled=exact.reference[:, :512])


def test_broken_embeddings_are_refused(exact: Drawn) -> None:
    broken = exact.reference.copy()
    broken[3] = 0
    with pytest.raises(InputError, match="zero or not finite"):
        compare_all(broken, Gallery.of(exact.names))


@pytest.mark.parametrize("names", [[], ["a"], ["a", "a"], ["a", "b"], [None, None]])
def test_the_smallest_galleries(names: list[str | None]) -> None:
    found = compare_all(np.ones((len(names), 4), np.float32), Gallery.of(names))
    assert (found.above[0], len(found.genuine_bin)) == (found.gallery.impostors, found.gallery.genuine)
