import math

from hypothesis import given, settings
from hypothesis import strategies as st

from ghostface_edge.targets.diagnosis.search import first_difference
from ghostface_edge.targets.protocol import INPUT, ComputedTensor


@st.composite
def graphs(draw):
    """Tensors in execution order, each made from one or two before it, and which of them a fault makes."""
    count = draw(st.integers(1, 40))
    tensors = [ComputedTensor("0", INPUT, ())]
    for place in range(1, count):
        sources = draw(st.sets(st.integers(max(0, place - 5), place - 1), min_size=1, max_size=2))
        tensors.append(ComputedTensor(str(place), "ADD", tuple(map(str, sorted(sources)))))
    return tensors, draw(st.integers(0, count - 1))


def spread(tensors, faulty, hidden=frozenset()):
    """Names of what differs: the faulty tensor and what is made from it, unless rounding hides it."""
    differing = set()
    for place, tensor in enumerate(tensors):
        if place == faulty or (differing & {*tensor.sources} and place not in hidden):
            differing.add(tensor.name)
    return differing


@settings(max_examples=50)
@given(graphs())
def test_the_faulty_tensor_is_found_in_few_trials(drawn):
    tensors, faulty = drawn
    differing, trials = spread(tensors, faulty), []

    def differs(tensor):
        trials.append(tensor.name)
        return tensor.name in differing

    last = next(tensor for tensor in reversed(tensors) if tensor.name in differing)
    assert first_difference(tensors, last, differs).name == str(faulty)
    assert len(trials) == len({*trials})
    assert len(trials) <= math.log2(len(tensors)) * 2 + 4


@settings(max_examples=50)
@given(graphs(), st.sets(st.integers(1, 39)))
def test_what_is_found_differs_and_its_sources_do_not_though_differences_vanish_on_the_way(drawn, hidden):
    tensors, faulty = drawn
    differing = spread(tensors, faulty, hidden - {faulty})
    last = next(tensor for tensor in reversed(tensors) if tensor.name in differing)
    found = first_difference(tensors, last, lambda tensor: tensor.name in differing)
    assert found.name in differing
    assert not differing & {*found.sources}
