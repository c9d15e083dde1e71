import pytest

from ghostface_edge.reports.gate import judge_report
from ghostface_edge.reports.proven import NotProvenOn, Proven, family, proven, unseen
from ghostface_edge.reports.report import Report, Status

from .conftest import EMULATED, Faces, on_device

NONE = {"accuracy": None, "versus_reference": None, "versus_local": None, "latency": None}


@pytest.fixture(scope="module")
def board(faces: Faces, report: Report) -> Report:
    return on_device(report, "onnxruntime-int8", "cortex-a72", faces, faces.noisy(0.02), **EMULATED)


def _of_int8(report: Report) -> Proven:
    return proven(report, report.variants[1])


def _with_last(report: Report, **fields: object) -> Report:
    row = report.variants[-1].model_copy(update=fields)
    return judge_report(report.model_copy(update={"variants": (*report.variants[:-1], row)}))


def test_x86_is_no_evidence_for_arm(report: Report) -> None:
    found = _of_int8(report)
    (host,) = found.on
    assert (host.device, host.cpu, host.machine, host.emulated) == ("local", "a CPU", "x86_64", False)
    why = "it did not run there, and evidence of x86-64 is none for it"
    assert found.not_on == (NotProvenOn(where="64-bit ARM", why=why), NotProvenOn(where="32-bit ARM", why=why))
    assert unseen(report) == ["64-bit ARM", "32-bit ARM"]


def test_a_device_is_evidence_for_its_family_alone(board: Report) -> None:
    found = _of_int8(board)
    assert [(place.device, place.emulated) for place in found.on] == [("local", False), ("cortex-a72", True)]
    assert (found.on[1].faces, found.on[1].faces_with_equal_bytes) == (4000, 4000)
    (other,) = found.not_on
    assert (other.where, other.why) == (
        "32-bit ARM",
        "it did not run there, and evidence of x86-64 and 64-bit ARM is none for it",
    )
    assert [one.where for one in proven(board, board.variants[0]).not_on] == ["64-bit ARM", "32-bit ARM"]
    assert unseen(board) == ["32-bit ARM"]


def test_what_failed_there_is_said_with_its_reason(board: Report) -> None:
    failed = _with_last(board, status=Status.FAILED, error="an empty\noutput", **NONE)
    found = _of_int8(failed)
    assert [place.device for place in found.on] == ["local"]
    assert found.not_on[0] == NotProvenOn(where="cortex-a72", why="failed: an empty output")
    assert [one.where for one in found.not_on] == ["cortex-a72", "32-bit ARM"]
    skipped = _of_int8(_with_last(board, status=Status.SKIPPED, error="no runtime there", **NONE))
    assert [one.where for one in skipped.not_on] == ["cortex-a72", "64-bit ARM", "32-bit ARM"]


def test_what_was_lost_there_is_no_proof(board: Report) -> None:
    versus = board.variants[-1].versus_local
    assert versus is not None
    lost = versus.model_copy(update={"drop_pp": 2.0, "ci95_pp": (1.0, 3.0), "cosine_min": 0.9})
    found = _of_int8(_with_last(board, versus_local=lost))
    assert [place.device for place in found.on] == ["local"]
    assert found.not_on[0].why == "accuracy lost on the device 2 pp [1, 3], limit -0.5 to 0.5 pp"


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        ("x86_64", "x86-64"),
        ("AMD64", "x86-64"),
        ("arm64", "64-bit ARM"),
        ("armv7l", "32-bit ARM"),
        ("riscv64", "riscv64"),
    ],
)
def test_machines_have_a_family(machine: str, name: str) -> None:
    assert family(machine) == name
