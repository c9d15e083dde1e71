from ghostface_edge.reports.all_against_all import HISTOGRAM_BINS, ScoreHistogram
from ghostface_edge.reports.score_histogram import humps, score_among


def histogram(**counts: dict[int, int]) -> ScoreHistogram:
    bins = {kind: [0] * HISTOGRAM_BINS for kind in ("genuine", "impostor")}
    for kind, some in counts.items():
        for place, count in some.items():
            bins[kind][place] = count
    return ScoreHistogram.model_validate(bins)


def test_humps_begin_where_there_are_scores_and_are_percent_of_their_kind() -> None:
    edges, shares = humps(histogram(genuine={100: 1, 127: 3}, impostor={64: 10}))
    assert (edges[0], edges[-1], len(edges)) == (0.0, 1.0, 65)
    assert (shares["impostor"][0], sum(shares["impostor"])) == (100, 100)
    assert (shares["genuine"][36], shares["genuine"][63]) == (25, 75)
    assert humps(histogram(impostor={64: 10}))[1].keys() == {"impostor"}


def test_score_and_threshold_are_drawn_with_their_numbers() -> None:
    drawn = score_among(histogram(genuine={100: 1}, impostor={64: 10}), 1.0, 0.31)
    assert "<title>threshold: 0.3100</title>" in drawn
    assert ">1.000</text>" in drawn
    assert "<title>pairs of strangers</title>" in drawn
    assert "<title>pairs of one person</title>" in drawn
