import numpy as np
import pytest

from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.all_pairs.migration import Generations, judge_migration
from ghostface_edge.reports.all_pairs.operating_points import point_at
from ghostface_edge.reports.all_pairs.scores import compare_all

from .conftest import Drawn, cosines_by_hand, draw_people


def generations(drawn: Drawn) -> Generations:
    """The reference was the old model, the variant is the new one."""
    gallery = Gallery.of(drawn.names)
    return Generations(
        compare_all(drawn.reference, gallery),
        compare_all(drawn.variant, gallery, enrolled=drawn.reference),
        compare_all(drawn.variant, gallery),
    )


def test_equal_to_a_count_by_hand(exact: Drawn) -> None:
    found = judge_migration(generations(exact))
    names, one = np.array(exact.names), ~np.eye(700, dtype=np.bool_)
    mixed = exact.variant.astype(np.float64) @ exact.reference.T.astype(np.float64) / 1024
    genuine, impostor = mixed[(names[:, None] == names) & one], mixed[names[:, None] != names]
    assert (found.genuine, found.impostor) == (len(genuine), len(impostor))
    assert {*found.at_fmr} == {"0.01", "0.001", "0.0001"}
    assert {*found.not_answerable} == {"0.00001", "0.000001"}
    for fmr, row in found.at_fmr.items():
        old_impostor, old_genuine = cosines_by_hand(exact.reference, exact.names)
        assert (old_impostor >= row.at_old_threshold.threshold).sum() <= float(fmr) * len(old_impostor)
        assert row.old_fnmr == pytest.approx((old_genuine < row.at_old_threshold.threshold).mean(), abs=1e-12)
        for part in (row.at_old_threshold, row.at_new_threshold):
            assert part.fnmr == pytest.approx((genuine < part.threshold).mean(), abs=1e-12)
            assert part.fmr == pytest.approx((impostor >= part.threshold).mean(), abs=1e-12)
            assert part.rise_pp == pytest.approx(100 * (part.fnmr - row.old_fnmr))
            assert part.ci95[0] <= part.fnmr <= part.ci95[1]
            assert part.rise_ci95_pp[0] < part.rise_pp < part.rise_ci95_pp[1]
        _, new_genuine = cosines_by_hand(exact.variant, exact.names)
        again = row.enrolled_again
        assert again.fnmr == pytest.approx((new_genuine < again.threshold).mean(), abs=1e-12)
    assert found.fmr == "0.001"
    for person in found.enrol_again:
        mine = names == person.name
        pairs = mixed[np.ix_(mine, mine)][~np.eye(mine.sum(), dtype=np.bool_)]
        assert person.missed == (pairs < found.at_fmr["0.001"].at_old_threshold.threshold).mean()
        assert person.missed > person.missed_once_enrolled_again


def test_the_old_model_itself_costs_nothing() -> None:
    drawn = draw_people(7, 200)
    found = judge_migration(generations(Drawn(drawn.names, drawn.reference, drawn.reference)))
    for row in found.at_fmr.values():
        assert row.at_old_threshold.fnmr == row.at_new_threshold.fnmr == row.enrolled_again.fnmr == row.old_fnmr
    assert found.enrol_again == ()


def test_a_model_that_is_a_stranger_to_the_old_one_has_everybody_enrolled_again() -> None:
    drawn = draw_people(8, 200)
    turned = drawn.reference[:, ::-1].copy()
    by = generations(Drawn(drawn.names, drawn.reference, turned))
    found = judge_migration(by)
    assert found.fmr is not None
    row = found.at_fmr[found.fmr]
    assert row.at_old_threshold.fnmr > 0.8
    assert row.enrolled_again.fnmr == row.old_fnmr
    assert point_at(by.new, found.fmr).threshold == point_at(by.old, found.fmr).threshold
    assert len(found.enrol_again) > 0.8 * found.people
    assert found.enrol_again[0].missed >= found.enrol_again[-1].missed - 1
