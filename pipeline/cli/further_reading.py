"""Where the documentation says more on an error: a section of the troubleshooting page, by the module it comes from."""

from typing import Final

from ghostface_edge.reports.error_topics import topic_of
from ghostface_edge.reports.errors import GhostfaceEdgeError

_HERE: Final = "docs/troubleshooting/index.md"
_THERE: Final = "troubleshooting/index.html"
_MESSENGERS: Final = ("ghostface_edge.targets.places", "ghostface_edge.targets.judge")
"""They hand on what was raised in another process; whoever asked there knows better what it is about."""


def further_reading(error: GhostfaceEdgeError) -> str:
    """The page on the site that the package's metadata names, or in the repository where it names none."""
    from importlib.metadata import metadata

    site = next(
        (
            address.strip()
            for label, _, address in (
                line.partition(",") for line in metadata("ghostface-edge").get_all("Project-URL", ())
            )
            if label.strip().lower() == "documentation"
        ),
        None,
    )
    page = _HERE if site is None else f"{site.rstrip('/')}/{_THERE}"
    topic = next((topic for module in _modules(error) if (topic := topic_of(module))), "")
    return f"{page}#{topic}" if topic else page


def _modules(error: GhostfaceEdgeError) -> list[str]:
    """Of the frames that the error came through, the innermost first; of one that never was raised, this room."""
    frames, found = error.__traceback__, list[str]()
    while frames is not None:
        found.append(str(frames.tb_frame.f_globals.get("__name__")))
        frames = frames.tb_next
    return [module for module in reversed(found) if not module.startswith(_MESSENGERS)] or [__name__]
