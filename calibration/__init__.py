"""Faces in: verification pairs, calibration sets, alignment, sampling."""
