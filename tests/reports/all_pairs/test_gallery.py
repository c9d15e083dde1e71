import numpy as np
import pytest

from ghostface_edge.reports.all_pairs.gallery import Gallery


def test_images_of_a_person_lie_side_by_side() -> None:
    gallery = Gallery.of(["b", "a", "b", "c", "a", "b"])
    assert gallery.order.tolist() == [1, 4, 0, 2, 5, 3]
    assert gallery.person.tolist() == [0, 0, 1, 1, 1, 2]
    assert gallery.names == ("a", "b", "c")
    assert gallery.images_of.tolist() == [2, 3, 1]
    assert gallery.group_end.tolist() == [2, 2, 5, 5, 5, 6]
    assert (gallery.genuine, gallery.impostors, gallery.ambiguous) == (1 + 3, 15 - 4, 0)


def test_an_image_without_a_name_is_compared_with_none() -> None:
    gallery = Gallery.of(["b", None, "b", None, "a"])
    assert gallery.order.tolist() == [4, 0, 2]
    assert (len(gallery), gallery.genuine, gallery.impostors) == (3, 1, 2)


def test_two_names_of_one_person_are_neither_genuine_nor_impostor() -> None:
    names = ["joseph", "other", "sepp", "sepp", "joseph", "joseph"]
    gallery = Gallery.of(names, [("sepp", "joseph")])
    assert gallery.ambiguous == 2 * 3
    assert gallery.genuine == 1 + 3
    assert gallery.impostors == 5
    assert gallery.genuine + gallery.impostors + gallery.ambiguous == 6 * 5 // 2
    own = [names[at] for at in gallery.order]
    for place, end in enumerate(gallery.group_end):
        assert {own[place], own[end - 1]} <= {"sepp", "joseph"} or end == place + 1


@pytest.mark.parametrize(
    "pairs",
    [
        [("a", "b"), ("b", "c"), ("c", "d")],
        [("a", "b"), ("c", "d"), ("d", "b")],
        [("d", "c"), ("b", "a"), ("a", "d")],
        [("a", "b"), ("a", "b"), ("b", "a"), ("d", "a"), ("c", "d"), ("unseen", "c")],
    ],
)
def test_a_chain_of_equal_persons_is_one(pairs: list[tuple[str, str]]) -> None:
    gallery = Gallery.of(["e", "d", "b", "a", "c", "a"], pairs)
    assert gallery.ambiguous == 5 * 4 // 2 - 1
    assert sorted(gallery.group_end.tolist()) == [5, 5, 5, 5, 5, 6] or gallery.group_end.tolist() == [1, 6, 6, 6, 6, 6]


def test_names_that_an_array_would_take_for_one() -> None:
    """NumPy drops zeros at the end of a text."""
    assert Gallery.of(["a", "a\0", "a\0\0"]).impostors == 3


@pytest.mark.parametrize("names", [[], [None], ["a"], ["a", None]])
def test_nothing_to_compare(names: list[str | None]) -> None:
    gallery = Gallery.of(names)
    assert (gallery.genuine, gallery.impostors, gallery.ambiguous) == (0, 0, 0)


def test_counts_are_those_of_all_pairs_of_names() -> None:
    names = [f"p{person}" for person in np.random.default_rng(0).integers(0, 30, 120)]
    gallery = Gallery.of(names, [("p1", "p2"), ("p7", "p8")])
    pairs = [(first, second) for at, first in enumerate(names) for second in names[:at]]
    one = [{"p1", "p2"}, {"p7", "p8"}]
    assert gallery.genuine == sum(first == second for first, second in pairs)
    assert gallery.ambiguous == sum({first, second} in one for first, second in pairs)
    assert gallery.impostors == len(pairs) - gallery.genuine - gallery.ambiguous
