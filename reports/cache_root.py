"""The folder that everything lies in which this tool makes once and keeps."""

import os
from pathlib import Path

from ghostface_edge.reports.errors import InputError

SET_ANOTHER = "set GHOSTFACE_EDGE_CACHE to a writable folder"


def default_root() -> Path:
    """The user's cache folder for this tool.

    Raises:
        InputError: the user has no home and names no other place.
    """
    if chosen := os.environ.get("GHOSTFACE_EDGE_CACHE"):
        return Path(chosen)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ghostface-edge"
    except RuntimeError:
        raise InputError("there is no home folder for the cache", fix=SET_ANOTHER) from None
