"""Folders of rendered people, for tests of galleries."""

from collections.abc import Sequence
from pathlib import Path

import cv2

from ghostface_edge.pipeline.synthetic.sets import Population, picture

_SEED = 77
"""Nobody of the rendered pairs and calibration faces."""


def write_people(folder: Path, pictures: Sequence[int]) -> Path:
    """Write NAME/NAME_0001.png ... with so many pictures of each person."""
    for who, count in enumerate(pictures):
        name = f"person{who:03d}"
        (folder / name).mkdir(parents=True)
        for view in range(count):
            face = picture(Population.PAIRS, _SEED, who, view)
            cv2.imwrite(str(folder / name / f"{name}_{view + 1:04d}.png"), face[:, :, ::-1])
    return folder
