from ghostface_edge.reports.deployment import (
    ESTIMATE_COLUMNS,
    count,
    estimate_rows,
    estimate_warnings,
    estimates_title,
    firmware,
)
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.wording import latency_search


def test_estimates_name_their_tool_and_what_they_are(deployed: Report) -> None:
    assert estimates_title(deployed) == "Ethos-U, estimated by Vela 4.2.0, not measured"
    rows = estimate_rows(deployed)
    assert [row[:5] for row in rows] == [
        ("tflite-int8", "Ethos-U55-128", "6.40", "271", "1,717"),
        ("tflite-int8", "Ethos-U65-256", "6.40", "271", "1,717"),
    ]
    assert {len(row) for row in rows} == {len(ESTIMATE_COLUMNS)}


def test_warnings_say_what_to_do(deployed: Report) -> None:
    shared, left = estimate_warnings(deployed)
    assert shared.startswith("tflite-int8 on Ethos-U55-128: ")
    assert "fill the input anew before every inference" in shared
    assert "leaves its input alone" in shared
    assert "input kept" in shared
    assert left == "tflite-int8 on Ethos-U65-256: 1 operator left on the CPU."


def test_firmware_in_words(deployed: Report) -> None:
    micro = deployed.variants[-1]
    assert firmware(micro) == ("tensor arena 283 KiB, measured; 2 operators to register: CONV_2D, MAXIMUM; m.cc, m.h")
    assert firmware(deployed.variants[0]) is None
    assert count(1, "operator") == "1 operator"


def test_a_search_says_what_it_gained(deployed: Report) -> None:
    variant = deployed.variants[1]
    text = latency_search(variant)
    assert text is not None
    assert "of 24 assignments" in text
    assert "0.93 × [0.91, 0.95] the time of the same network wholly in INT8; 4.2 %" in text
    assert variant.latency_search is not None
    doubtful = variant.latency_search.model_copy(update={"versus_int8_ci95": (0.9, 1.02)})
    assert "no gain beyond chance" in str(latency_search(variant.model_copy(update={"latency_search": doubtful})))
    nothing = doubtful.model_copy(update={"float_share": 0.0})
    assert "none of 24 assignments" in str(latency_search(variant.model_copy(update={"latency_search": nothing})))
    assert latency_search(deployed.variants[0]) is None


def test_no_limit_counts_an_estimate(deployed: Report, report: Report) -> None:
    bare = {(check.variant, check.name): check.verdict for check in report.gate.checks}
    full = {(check.variant, check.name): check.verdict for check in deployed.gate.checks}
    assert bare.items() <= full.items()
    assert {name for _, name in full} == {name for _, name in bare}
