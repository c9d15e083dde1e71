"""ghostface-edge as a library: `run`, `evaluate`, `match` and `match_video`, as the command line calls them.

    import ghostface_edge

    report, exit_code = ghostface_edge.run("net.h5", ["lfw.bin"], "faces", targets=["openvino-int8"], out="out")
    facts = ghostface_edge.evaluate("out/models/net-openvino-int8.xml", pairs=["lfw.bin"])
    answer = ghostface_edge.match("a.jpg", "b.jpg", run="out")

What stands in `__all__` is stable: names and parameters stay, further ones may come. Paths are text or `Path`; images
are JPEG or PNG; fractions are fractions, `*_pp` percentage points, `*_ms` milliseconds, scores cosines from -1 to 1.
Native code and strangers' files are worked on in child processes, and progress goes to standard error. Importing this
costs next to nothing: libraries are imported by the functions that need them.

Every error on purpose is a `GhostfaceEdgeError`, with `message`, `fix` and the `exit_code` of the command line.
"""

from typing import TYPE_CHECKING

from ghostface_edge.pipeline.run.as_function import run
from ghostface_edge.pipeline.tools.as_functions import evaluate, match, match_video
from ghostface_edge.reports.errors import ExitCode, GhostfaceEdgeError, InputError, RuntimeMissingError, ToolError

if TYPE_CHECKING:
    from ghostface_edge.pipeline.tools.match_film import Seen, Sighting
    from ghostface_edge.pipeline.tools.matching import Match, Matching
    from ghostface_edge.reports.report import Report

__all__ = [
    "ExitCode",
    "GhostfaceEdgeError",
    "InputError",
    "Match",
    "Matching",
    "Report",
    "RuntimeMissingError",
    "Seen",
    "Sighting",
    "ToolError",
    "evaluate",
    "match",
    "match_video",
    "run",
]

_LAZY = {
    "Match": "ghostface_edge.pipeline.tools.matching",
    "Matching": "ghostface_edge.pipeline.tools.matching",
    "Report": "ghostface_edge.reports.report",
    "Seen": "ghostface_edge.pipeline.tools.match_film",
    "Sighting": "ghostface_edge.pipeline.tools.match_film",
}
"""Results, by the module that they come with."""


if not TYPE_CHECKING:  # type checkers know the names, and should complain of others

    def __getattr__(name: str) -> object:
        """Results, when somebody asks for their types."""
        if name not in _LAZY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
