import numpy as np

from ghostface_edge.reports.people import link_identities, owners


def test_pairs_belong_to_whoever_links_most() -> None:
    identities = np.array([[5, 5], [5, 7], [7, 9], [7, 7], [7, 8]])
    assert owners(identities).tolist() == [0, 1, 1, 1, 1]


def test_genuine_pairs_link_images_to_people() -> None:
    index = np.array([[0, 1], [4, 3], [1, 2], [2, 4], [5, 0]])
    people = link_identities(index, np.array([True, True, True, False, False]))
    assert people[0, 0] == people[2, 1]
    assert people[1, 0] == people[1, 1]
    assert len(np.unique(people)) == 3
