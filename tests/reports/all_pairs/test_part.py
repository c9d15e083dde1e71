import numpy as np

from ghostface_edge.reports.all_pairs.gallery import Gallery
from ghostface_edge.reports.all_pairs.part import Part


def test_counts_are_those_of_all_pairs_of_names() -> None:
    rng = np.random.default_rng(0)
    names = [f"p{person:02d}" for person in rng.integers(0, 30, 120)]
    gallery = Gallery.of(names, [("p01", "p02"), ("p07", "p08")])
    value = rng.integers(-1, 3, len(gallery.names)).astype(np.int32)
    part, of = Part(gallery, value), dict(zip(gallery.names, value.tolist(), strict=True))
    one = [{"p01", "p02"}, {"p07", "p08"}]
    kept = [name for name in names if of[name] >= 0]
    pairs = [(first, second) for at, first in enumerate(kept) for second in kept[:at]]
    strangers = [pair for pair in pairs if pair[0] != pair[1] and of[pair[0]] == of[pair[1]] and {*pair} not in one]
    assert part.people == len({*kept})
    assert part.with_genuine == sum(kept.count(name) > 1 for name in {*kept})
    assert part.genuine == sum(first == second for first, second in pairs)
    assert part.impostors == len(strangers) > 100
    of_person = part.impostors_of
    apart = [
        sum(name in pair for pair in strangers) for name in gallery.names if name not in {"p01", "p02", "p07", "p08"}
    ]
    kept_apart = [of_person[at] for at, name in enumerate(gallery.names) if name not in {"p01", "p02", "p07", "p08"}]
    assert kept_apart == apart


def test_everybody_is_the_gallery() -> None:
    gallery = Gallery.of(["joseph", "other", "sepp", "sepp", "joseph", "joseph"], [("sepp", "joseph")])
    part = Part.everybody(gallery)
    assert (part.people, part.with_genuine) == (3, 2)
    assert (part.genuine, part.impostors) == (gallery.genuine, gallery.impostors)


def test_nobody() -> None:
    gallery = Gallery.of(["a", "a", "b"])
    part = Part(gallery, np.full(2, -1, np.int32))
    assert (part.people, part.with_genuine, part.genuine, part.impostors) == (0, 0, 0, 0)
    assert part.impostors_of.tolist() == [0, 0]
