"""What a user writes, for `nox -s lint`: types are seen, and what is wrong is noticed. Nothing runs it."""

from pathlib import Path
from typing import assert_type

import ghostface_edge

report, code = ghostface_edge.run(targets=["tflite-int8"], out="out")
assert_type(report, ghostface_edge.Report)
assert_type(code, ghostface_edge.ExitCode)
assert_type(report.variants[0].id, str)
assert_type(ghostface_edge.evaluate("net.onnx", pairs=[Path("lfw.bin")]), dict[str, dict[str, object]])
found = ghostface_edge.match("a.jpg", Path("b.jpg"), run="out")
assert_type(found, ghostface_edge.Matching)
assert_type(found.matches[0].same, bool | None)
ghostface_edge.match("a.jpg", "b.jpg", face="smallest")  # type: ignore[arg-type]
ghostface_edge.enrol("a.jpg")  # type: ignore[attr-defined]
