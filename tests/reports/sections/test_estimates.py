from ghostface_edge.reports.blocks import Bullets, Note, Table, plain
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.section import Findings
from ghostface_edge.reports.sections.estimates import estimates, warnings
from ghostface_edge.reports.variant import Variant


def test_estimates_name_their_tool_and_what_they_are(deployed: Report) -> None:
    section = estimates(Findings(deployed))
    assert section is not None
    assert section.framed
    assert section.title == "NPUs, estimated by Vela 4.2.0, not measured"
    note, table, careful = section.blocks
    assert isinstance(note, Note)
    assert isinstance(careful, Bullets)
    assert isinstance(table, Table)
    rows = [[plain(cell.text) for cell in cells] for cells, _ in table.lines]
    assert [row[:5] for row in rows] == [
        ["tflite-int8", "Ethos-U55-128", "6.40", "271", "1,717"],
        ["tflite-int8", "Ethos-U65-256", "6.40", "271", "1,717"],
    ]
    assert {len(row) for row in rows} == {len(table.heads)}


def test_warnings_say_what_to_do(deployed: Report) -> None:
    left, shared = warnings(deployed)
    assert shared.startswith("tflite-int8 on Ethos-U55-128: ")
    assert "fill the input anew before every inference" in shared
    assert "leaves its input alone" in shared
    assert "input kept" in shared
    assert left == "tflite-int8 on Ethos-U65-256: 1 operator left on the CPU."


def test_four_questions_are_asked_of_every_model(deployed: Report) -> None:
    """A report that states no arena leaves that question open; nothing else does."""
    assert _fails(deployed) == ["input", "NPU"]
    # the limits themselves hold, one step beyond them fails
    assert _fails(_changed(deployed, arena_bytes=600_000, fast_memory_bytes=100_000)) == ["input", "NPU"]
    assert _fails(_changed(deployed, arena_bytes=600_001, fast_memory_bytes=100_000)) == [
        "memory, input",
        "NPU, memory",
    ]
    assert _fails(_changed(deployed, cosine=0.98)) == ["input", "NPU"]
    assert _fails(_changed(deployed, cosine=0.9799)) == ["cosine, input", "cosine, NPU"]
    assert _fails(_changed(deployed, output_in_input=False, cpu_operators=0)) == ["none", "none"]


def test_what_fails_is_warned_of(deployed: Report) -> None:
    low, *_ = warnings(_changed(deployed, cosine=0.9712))
    assert low.startswith("tflite-int8: mean cosine to the reference is 0.9712, below 0.98")
    (large,) = (line for line in warnings(_changed(deployed, arena_bytes=812_000)) if "memory take" in line)
    assert large == (
        "tflite-int8 on Ethos-U55-128 and Ethos-U65-256: arena and fast memory take up to 812 kB, more than 700."
    )


def _fails(report: Report) -> list[str]:
    section = estimates(Findings(report))
    assert section is not None
    table = section.blocks[1]
    assert isinstance(table, Table)
    column = [head.name for head in table.heads].index("Fails")
    return [plain(cells[column].text) for cells, _ in table.lines]


def _changed(report: Report, cosine: float | None = None, **figures: object) -> Report:
    """With other figures in every estimate, and another mean cosine of the variant that has them."""

    def change(variant: Variant) -> Variant:
        reference = variant.versus_reference
        if reference is None or not variant.estimates:
            return variant
        changed = tuple(estimate.model_copy(update=figures) for estimate in variant.estimates)
        changed_cosine = {} if cosine is None else {"cosine_mean": cosine}
        return variant.model_copy(
            update={"estimates": changed, "versus_reference": reference.model_copy(update=changed_cosine)}
        )

    return report.model_copy(update={"variants": tuple(map(change, report.variants))})


def test_no_limit_counts_an_estimate(deployed: Report, report: Report) -> None:
    bare = {(check.variant, check.name): check.verdict for check in report.gate.checks}
    full = {(check.variant, check.name): check.verdict for check in deployed.gate.checks}
    assert bare.items() <= full.items()
    assert {name for _, name in full} == {name for _, name in bare}
