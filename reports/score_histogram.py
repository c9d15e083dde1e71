"""Where one score lies among those of a run: its strangers, its pairs of one person, and the threshold between."""

from markupsafe import Markup

from ghostface_edge.reports.all_against_all import HISTOGRAM_BINS, ScoreHistogram
from ghostface_edge.reports.plots import staircase
from ghostface_edge.reports.svg import Axis, Chart

_WIDTH, _HEIGHT = 640, 300
_HEADROOM = 1.18
"""Above the higher hump, for names."""
_BESIDE = 0.15
"""A hump's name stands on its outer side, where scores are rare."""
_LAST_LABEL = 0.94
"""A number further to the right would leave the drawing."""


def humps(histogram: ScoreHistogram) -> tuple[list[float], dict[str, list[float]]]:
    """Edges of the bins from the lowest that is not empty up to 1, and percent of each kind in each.

    The kinds are those that there are comparisons of.
    """
    counts = {"impostor": histogram.impostor, "genuine": histogram.genuine}
    first = min((place for kind in counts.values() for place, count in enumerate(kind) if count), default=0)
    edges = [2 * place / HISTOGRAM_BINS - 1 for place in range(first, HISTOGRAM_BINS + 1)]
    shares = {name: [100 * count / sum(kind) for count in kind[first:]] for name, kind in counts.items() if sum(kind)}
    return edges, shares


def score_among(histogram: ScoreHistogram, score: float, threshold: float) -> Markup:
    """Draw a score and the threshold over the humps."""
    import numpy as np

    edges, shares = humps(histogram)
    highest = _HEADROOM * max((max(share) for share in shares.values()), default=1.0)
    chart = Chart(
        "The score among those of the run",
        Axis("cosine of a pair", min(edges[0], score), 1.0),
        Axis("% of pairs", 0.0, highest),
        width=_WIDTH,
        height=_HEIGHT,
    )
    names = {"genuine": "one person", "impostor": "strangers"}
    for kind, share in shares.items():
        chart.area(*staircase(np.array(edges), np.array(share)), f"area {kind}", f"pairs of {names[kind]}")
        flank = [place for place, part in enumerate(share) if part >= max(share) / 2]
        at = edges[flank[0]] - _BESIDE if kind == "impostor" else min(edges[flank[-1]] + _BESIDE, _LAST_LABEL)
        chart.text(at, 0.7 * max(share), names[kind])
    chart.line([threshold] * 2, [0.0, highest], "threshold", f"threshold: {threshold:.4f}")
    chart.line([score] * 2, [0.0, 0.93 * highest], "int8 c0", f"score: {score:.4f}")
    chart.text(min(score, _LAST_LABEL), 0.97 * highest, f"{score:.3f}")
    return chart.render()
