from ghostface_edge.reports.blocks import Definitions, plain
from ghostface_edge.reports.report import Report
from ghostface_edge.reports.section import Findings
from ghostface_edge.reports.sections.firmware import firmware


def test_firmware_in_words(deployed: Report, report: Report) -> None:
    section = firmware(Findings(deployed))
    assert section is not None
    (needs,) = section.blocks
    assert isinstance(needs, Definitions)
    ((variant, words),) = needs.items
    assert variant == "tflite-int8"
    assert plain(words) == (
        "tensor arena 283 KiB (289,792 bytes), measured in its own interpreter; 2 operators to register: CONV_2D ×54, "
        "MAXIMUM ×41; files beside the model: m.cc, m.h"
    )
    assert firmware(Findings(report)) is None
