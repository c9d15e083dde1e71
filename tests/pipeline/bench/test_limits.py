from rich.console import Console

from ghostface_edge.pipeline.bench.limits import BYTES, LIMITS, Comparison, Ratio, judge, table
from ghostface_edge.pipeline.bench.run import BenchRow, judge_rows

SMALL = "GhostFaceNetV1-0.5-2"


def ratio(value):
    return Ratio(value, (value - 0.01, value + 0.01))


def row(label, *, threads=1, size=100, stock=None, fp32=None):
    ratios = [None if value is None else ratio(value) for value in (stock, fp32)]
    return BenchRow(SMALL, "seeded", "onnxruntime", label, threads, size, 1.0, *ratios, None)


def test_a_ratio_at_its_limit_is_reached_and_one_above_is_missed():
    comparison = Comparison(SMALL, "tflite", "int8", "fp32")
    assert [judge({comparison: ratio(value)})[0].reached for value in (0.7, LIMITS[comparison], 1.001)] == [
        True,
        True,
        False,
    ]
    assert judge({Comparison(SMALL, "tflite", "fp32-relu", "fp32"): ratio(9)}) == []


def test_rows_of_one_thread_and_sizes_are_judged():
    verdicts = judge_rows(
        [
            row("stock", stock=1.0, fp32=2.0, size=90),
            row("fp32", stock=0.5, fp32=1.0),
            row("int8", stock=0.95, fp32=1.9, size=29),
            row("int8", stock=0.1, threads=2, size=29),
        ]
    )
    found = {(verdict.comparison.label, verdict.comparison.against): verdict for verdict in verdicts}
    assert found.keys() == {("fp32", "stock"), ("int8", "stock"), ("int8", BYTES)}
    assert found["fp32", "stock"].reached
    assert not found["int8", "stock"].reached
    assert found["int8", BYTES].measured.value == 0.29


def test_a_reader_sees_what_was_missed():
    console = Console(width=140, record=True)
    comparison = Comparison(SMALL, "tflite", "int8", "tensorflow-int8")
    console.print(table(judge({comparison: ratio(0.4)})))
    line = next(line for line in console.export_text().splitlines() if SMALL in line)
    assert [part in line for part in ("tflite-int8 / tensorflow-int8", "0.400 [0.390, 0.410]", "0.35", "missed")] == [
        True
    ] * 4
