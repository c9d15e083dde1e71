"""Rendered people: identities made of numbers, seen under changing pose, light and expression.

For machines without face data: training, calibration and verification work on these, offline and reproducibly.
"""
