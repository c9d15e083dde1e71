import json

import pytest

from ghostface_edge.reports.variant import Variant
from ghostface_edge.targets.runners.golden_text import thresholds_header
from ghostface_edge.targets.runners.thresholds import Threshold, Thresholds, thresholds

POINT = {"threshold": 0.4, "far": 0.01, "frr": 0.02}


def variant(**parts):
    told = {
        "id": "c-int8",
        "runtime": "c",
        "precision": "int8",
        "method": "balanced",
        "status": "failed",
        "error": "no",
    }
    return Variant.model_validate_json(json.dumps(told | parts))


def rate(support, threshold):
    return {"support": support, "threshold": threshold, "fmr": 0.0, "fnmr": 0.1, "ci95": [0.0, 0.2]}


def test_all_against_all_decides_where_it_is_told():
    told = {"0.01": rate("figure", 0.41), "0.001": rate("figure", 0.5), "0.0001": rate("bound", 0.7)}
    counts = {"images": 9, "people": 3, "genuine": 9, "impostor": 27, "eer": 0.1}
    found = thresholds(variant(all_pairs={**counts, "fnmr_at_fmr": told}, thresholds={}))
    assert [(each.rate, each.value) for each in found.all] == [("0.01", 0.41), ("0.001", 0.5), ("0.0001", 0.7)]
    assert found.chosen == Threshold("FMR", "0.001", 0.5)


def test_pairs_without_names_tell_false_accept_rates():
    point = {"reference": POINT, "frozen": POINT, "retuned": POINT | {"threshold": 0.45}}
    found = thresholds(variant(thresholds={"0.01": point, "0.001": None}))
    assert found.chosen == Threshold("FAR", "0.01", 0.45)
    assert found.all == (found.chosen,)


@pytest.mark.parametrize("parts", [{}, {"thresholds": {"0.01": None}}])
def test_without_figures_there_is_no_verdict(parts):
    found = thresholds(variant(**parts))
    assert found == Thresholds()
    assert "#define" not in thresholds_header(found)


def test_the_header_names_every_rate_and_the_one_that_decides():
    strict, mild = Threshold("FMR", "0.00001", 0.75), Threshold("FAR", "0.01", 0.25)
    lines = thresholds_header(Thresholds((mild, strict), mild)).splitlines()
    assert "#define THRESHOLD_FAR_1E_2 0.25f /* FAR 0.01 */" in lines
    assert "#define THRESHOLD_FMR_1E_5 0.75f /* FMR 0.00001 */" in lines
    assert "#define THRESHOLD THRESHOLD_FAR_1E_2" in lines
    assert '#define THRESHOLD_RATE "FAR 0.01"' in lines
