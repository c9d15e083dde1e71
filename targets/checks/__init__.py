"""Checks of artifacts, for `targets.judge`: a module per kind of file, none of which needs its target."""
