"""Mistakes made before the network: each as the input tensor that it leads to.

In: faces, and what the artifact says of its input. Out: the tensors that a device would feed if it made the mistake.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.preprocessing import MEAN, SCALE, normalize
from ghostface_edge.targets.diagnosis.cause import Cause, Hypothesis
from ghostface_edge.targets.protocol import ArtifactInfo, Faces, Layout

Real = NDArray[np.floating[Any]]
"""RGB, (N, S, S, 3), as the network was trained on it."""
_INT8: Final = np.iinfo(np.int8)
_BYTE: Final = np.iinfo(np.uint8)


def input_hypotheses(faces: Faces, info: ArtifactInfo) -> Iterator[Hypothesis]:
    """Every mistake with an artifact's input."""
    for cause, real in _mistaken(faces):
        yield Hypothesis(cause, encode_real(real, info))
    if info.input_dtype == "int8":
        assert info.input_scale is not None
        assert info.input_zero_point is not None
        cause = Cause("input range: the bytes as they are instead of byte - 128", "subtract 128 from each byte")
        yield Hypothesis(cause, faces.view(np.int8))
        fine = normalize(faces) / np.float32(info.input_scale)
        for how, steps in (("half to even", np.rint(fine)), ("towards zero", np.trunc(fine))):
            cause = Cause(f"the input is rounded {how}", "feed byte - 128: ties go down")
            yield Hypothesis(cause, (steps + info.input_zero_point).clip(_INT8.min, _INT8.max).astype(np.int8))


def encode_real(real: Real, info: ArtifactInfo) -> NDArray[Any]:
    """Real values to an artifact's own input: its layout, its type, its grid."""
    if info.input_dtype == "uint8":
        grey = np.rint(real * np.float32(SCALE) + np.float32(MEAN))
        return np.asarray(grey.clip(_BYTE.min, _BYTE.max), np.uint8)
    if info.input_dtype == "int8":
        assert info.input_scale is not None
        assert info.input_zero_point is not None
        steps = np.ceil(real / np.float32(info.input_scale) - np.float32(0.5)) + np.float32(info.input_zero_point)
        return np.asarray(steps.clip(_INT8.min, _INT8.max), np.int8)
    real = real.astype(np.float32)
    return np.ascontiguousarray(real.transpose(0, 3, 1, 2)) if info.layout is Layout.NCHW else real


def _mistaken(faces: Faces) -> Iterator[tuple[Cause, Real]]:
    real, grey = normalize(faces), faces.astype(np.float32)
    count, side = len(faces), faces.shape[1]
    colour, scale = "give RGB", "give (x - 127.5) / 128 of each byte, once"
    yield Cause("colour order: BGR instead of RGB", colour), real[..., ::-1]
    yield Cause("input range: x / 255 instead of (x - 127.5) / 128", scale), grey / 255
    yield Cause("input range: BGR and x / 255", f"{colour}; {scale}"), grey[..., ::-1] / 255
    yield Cause("input range: (x - 127.5) / 127.5 instead of / 128", scale), (grey - MEAN) / MEAN
    yield Cause("normalised twice", scale), (real - MEAN) / SCALE
    yield Cause("not normalised", scale), grey
    rows, planes = "give rows of pixels (NHWC)", "give three planes (NCHW)"
    swapped = real.transpose(0, 3, 1, 2).reshape(count, side, side, 3)
    yield Cause("layout: NCHW bytes in an NHWC input", rows), swapped
    yield Cause("layout: NHWC bytes in an NCHW input", planes), real.reshape(count, 3, side, side).transpose(0, 2, 3, 1)
    for step in (1, -1):
        yield Cause(f"zero point of the input off by one ({step:+})", "check the zero point"), real + step / SCALE
    for half in (0.5, -0.5):
        mean = MEAN - half
        yield Cause(f"input range: mean {mean:g} instead of 127.5", scale), real + half / SCALE
    yield Cause("faces are mirrored", "give them as they are"), real[:, :, ::-1]
    yield Cause("faces are upside down", "give rows from the top"), real[:, ::-1]
    yield Cause("faces are transposed: columns as rows", "give rows of pixels"), real.transpose(0, 2, 1, 3)
