"""Runs kept over releases: records, series of comparable figures, and where they changed."""
