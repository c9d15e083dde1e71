"""Every variant on all images of the main set, against each other: operating points and groups."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ghostface_edge.pipeline.run.job import Inputs
from ghostface_edge.pipeline.run.reference import Reference
from ghostface_edge.pipeline.run.variant_timing import Measured
from ghostface_edge.reports.all_against_all import AllPairs
from ghostface_edge.reports.all_pairs.comparison import judge_all_pairs
from ghostface_edge.reports.all_pairs.groups import judge_groups
from ghostface_edge.reports.all_pairs.review import review
from ghostface_edge.reports.all_pairs.scores import compare_all
from ghostface_edge.reports.groups import Groups
from ghostface_edge.reports.review import Review


@dataclass(frozen=True, slots=True)
class AllAgainstAll:
    """By name of the variant, what all images say of it; empty where it is not known who they show."""

    all_pairs: Mapping[str, AllPairs] = field(default_factory=dict)
    groups: Mapping[str, Groups | None] = field(default_factory=dict)
    review: Review | None = None
    """What a person should look at, by the reference's scores."""


def compare_variants(
    measured: Mapping[str, Measured], inputs: Inputs, reference: Reference, threads: int
) -> AllAgainstAll:
    """Compare all images of the main set, by every variant and by the reference.

    Args:
        measured: variants by name.
        inputs: the faces, and the attributes of people where they are known.
        reference: the float network's embeddings.
        threads: blocks compared at once.
    """
    main, people = inputs.sets[0], inputs.people
    gallery = main.gallery
    if gallery is None:
        return AllAgainstAll()
    before = compare_all(reference.embeddings[main.name], gallery, threads)
    all_pairs, groups = {}, {}
    for label, one in measured.items():
        scores = compare_all(one.built.embeddings[main.name], gallery, threads)
        all_pairs[label] = judge_all_pairs(scores, before)
        groups[label] = None if people is None else judge_groups(scores, before, people.attributes)
    return AllAgainstAll(all_pairs, groups, review(before))
