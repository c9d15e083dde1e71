"""Galleries of one variant with probes of another: what they say about each other and about the variants' own figures.

In: the record as a report states it. Out: every figure that others make impossible, with its place.
"""

from collections.abc import Iterator, Mapping

from ghostface_edge.reports.evidence import CrossPrecision
from ghostface_edge.reports.figures_agree import NEAR_PP, Problem, Result, near


def galleries_disagree(cross: CrossPrecision, measured: Mapping[str, Result]) -> Iterator[Problem]:
    """Every variant's gallery with its own probes is the variant's accuracy.

    Args:
        cross: every variant's gallery with every variant's probes.
        measured: every variant's result on the main pairs, by name.
    """
    size = len(cross.variants)
    if not set(cross.variants) <= measured.keys() or len(set(cross.variants)) != size:
        yield "variants", "they are not the measured variants, each once"
        return
    for name in ("accuracy", "tar", "cosine", "loss_pp", "reenroll"):
        rows = getattr(cross, name)
        if len(rows) != size or any(len(row) != size for row in rows):
            yield f"{name}", f"not {size} rows of {size}"
            return
    for row, name in enumerate(cross.variants):
        accuracy = measured[name].accuracy
        if not near(cross.accuracy[row][row], accuracy.mean):
            yield f"accuracy.{row}.{row}", f"{cross.accuracy[row][row]:g}, but {name} has another"
        tar = None if cross.far is None else accuracy.tar_at_far.get(cross.far)
        own = cross.tar[row][row]
        if (tar is None) != (own is None) or (tar is not None and own is not None and not near(tar, own)):
            yield f"tar.{row}.{row}", f"{own}, but {name} has another at FAR {cross.far}"
        for column in range(size):
            loss = 100 * (cross.accuracy[column][column] - cross.accuracy[row][column])
            if not near(loss, cross.loss_pp[row][column], NEAR_PP):
                yield f"loss_pp.{row}.{column}", f"the accuracies make it {loss:g}"
            yield from _cosine_of_two(
                cross.cosine[row][column], f"{row}.{column}", measured, name, cross.variants[column]
            )


def _cosine_of_two(
    cosine: float, cell: str, measured: Mapping[str, Result], first: str, second: str
) -> Iterator[Problem]:
    """Two embeddings near a third are near each other: |<a, b> - <r, b>| <= |a - r| = sqrt(2 - 2 <a, r>)."""
    one, other = measured[first].versus, measured[second].versus
    for near_one, far_one in ((one, other), (other, one)):
        apart = max(0.0, 2 - 2 * near_one.cosine_mean) ** 0.5 + NEAR_PP
        if abs(cosine - far_one.cosine_mean) > apart:
            yield (
                f"cosine.{cell}",
                f"{cosine:g}, but their cosines to the reference, {one.cosine_mean:g} and {other.cosine_mean:g}, "
                "leave no room for it",
            )
