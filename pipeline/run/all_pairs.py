"""Every variant on all images of known people, against each other: operating points, groups, thresholds elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ghostface_edge.pipeline.run.job import Inputs
from ghostface_edge.pipeline.run.reference import Reference
from ghostface_edge.pipeline.run.variant_timing import Measured
from ghostface_edge.reports.all_against_all import AllPairs
from ghostface_edge.reports.all_pairs.comparison import judge_all_pairs
from ghostface_edge.reports.all_pairs.groups import judge_groups
from ghostface_edge.reports.all_pairs.other_sets import OtherSet, keep_thresholds
from ghostface_edge.reports.all_pairs.review import review
from ghostface_edge.reports.all_pairs.scores import compare_all
from ghostface_edge.reports.assess import Assessment
from ghostface_edge.reports.groups import Groups
from ghostface_edge.reports.one_threshold import OnAnotherSet
from ghostface_edge.reports.review import Review


@dataclass(frozen=True, slots=True)
class AllAgainstAll:
    """By name of the variant, what all images say of it."""

    all_pairs: Mapping[str, AllPairs] = field(default_factory=dict)
    """Empty, as the next, where it is not known who the images show."""
    groups: Mapping[str, Groups | None] = field(default_factory=dict)
    one_threshold: Mapping[str, dict[str, dict[str, OnAnotherSet]]] = field(default_factory=dict)
    """What thresholds chosen on the first set do on the others."""
    review: Review | None = None
    """What a person should look at, by the reference's scores."""


def compare_variants(
    measured: Mapping[str, Measured],
    inputs: Inputs,
    reference: Reference,
    judged: Mapping[str, Mapping[str, Assessment]],
    threads: int,
) -> AllAgainstAll:
    """Compare all images of the first set, by every variant and by the reference.

    Args:
        measured: variants by name.
        inputs: the faces, and the attributes of people where they are known.
        reference: the float network's embeddings.
        judged: by variant and set, what the pairs say.
        threads: blocks compared at once.
    """
    first, people = inputs.first, inputs.people
    all_pairs, groups, kept = {}, {}, {}
    others = {each.name: OtherSet(each.index, each.same, each.gallery) for each in inputs.sets if each is not first}
    gallery = first.gallery
    before = None if gallery is None else compare_all(reference.embeddings[first.name], gallery, threads)
    for label, one in measured.items():
        found = one.built.embeddings
        if gallery is not None and before is not None:
            scores = compare_all(found[first.name], gallery, threads)
            all_pairs[label] = judge_all_pairs(scores, before)
            groups[label] = None if people is None else judge_groups(scores, before, people.attributes)
        elsewhere = {name: (other, found[name]) for name, other in others.items()}
        transfers = judged[label][inputs.sets[0].name].thresholds
        kept[label] = keep_thresholds(all_pairs.get(label), transfers, elsewhere, threads)
    return AllAgainstAll(all_pairs, groups, kept, None if before is None else review(before))
