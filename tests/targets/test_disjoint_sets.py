"""Sets grow together, whatever the order."""

from hypothesis import given
from hypothesis import strategies as st

from ghostface_edge.targets.disjoint_sets import DisjointSets


@given(st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=4)))
def test_items_share_a_root_exactly_if_a_chain_of_ties_joins_them(ties):
    sets: DisjointSets[int] = DisjointSets()
    expected = {item: {item} for item in range(13)}
    for items in ties:
        sets.tie(items)
        merged = set().union(*(expected[item] for item in items))
        expected |= dict.fromkeys(merged, merged)
    for item in range(13):
        assert {other for other in range(13) if sets.root(other) == sets.root(item)} == expected[item]
