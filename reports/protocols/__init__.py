"""Protocols beside LFW View 2, so that published figures can be compared with ours: each result says its name."""
