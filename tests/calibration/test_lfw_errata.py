from ghostface_edge.calibration.lfw_errata import ONE_PERSON
from ghostface_edge.calibration.pairs_file import read_pairs_file


def test_one_person_is_two_names_of_which_the_list_has_one(assets):
    sides = {
        side.person for pair in read_pairs_file(assets / "lfw/pairs.txt").pairs for side in (pair.left, pair.right)
    }
    assert len(set(map(frozenset, ONE_PERSON))) == len(ONE_PERSON)
    for pair in ONE_PERSON:
        assert len({*pair}) == 2
        assert sides & {*pair}, pair


def test_nobody_is_three_people():
    """A chain would make people one whom nobody said to be one."""
    names = [name for pair in ONE_PERSON for name in pair]
    assert len({*names}) == len(names)
