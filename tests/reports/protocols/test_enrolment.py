import pytest

from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.protocols.enrolment import Enrolment


def test_the_first_image_of_who_has_several_is_enrolled() -> None:
    found = Enrolment.of(Gallery.of(["bob", "ann", None, "bob", "cat", "ann", "bob"]))
    assert found.enrolled.tolist() == [1, 0]
    assert found.probes.tolist() == [5, 3, 6, 4]
    assert found.mated.tolist() == [True, True, True, False]
    assert (found.enrolled_person.tolist(), found.probe_person.tolist()) == ([0, 1], [0, 1, 1, 2])
    assert (found.people, found.ambiguous) == (3, 0)


def test_who_may_be_somebody_else_is_left_out() -> None:
    """Neither as a stranger of herself nor as a person of two images that may be of two."""
    names = ["ann", "ann", "anne", "bob", "bob", "cat"]
    found = Enrolment.of(Gallery.of(names, [("ann", "anne"), ("bob", "nobody")]))
    assert (found.enrolled.tolist(), found.probes.tolist(), found.ambiguous) == ([3], [4, 5], 2)


def test_nobody_to_search_for() -> None:
    with pytest.raises(InputError, match="nobody has two images"):
        Enrolment.of(Gallery.of(["ann", "bob"]))
