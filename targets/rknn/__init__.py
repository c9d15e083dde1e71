"""Rockchip's NPUs, by rknn-toolkit2: it compiles `.rknn` files, and its simulator says what they compute."""

from ghostface_edge.targets.rknn.target import rk3566, rk3588, rv1106

__all__ = ["rk3566", "rk3588", "rv1106"]
