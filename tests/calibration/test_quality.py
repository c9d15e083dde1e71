import cv2
import numpy as np

from ghostface_edge.calibration.quality import Flag, assess


def test_flags_by_what_is_wrong():
    noise = np.random.default_rng(0).integers(90, 160, (112, 112, 3), dtype=np.uint8)
    near, far = np.zeros((5, 2)), np.zeros((5, 2))
    near[1, 0], far[1, 0] = 60, 12
    assert assess(noise) == ()
    assert assess(noise, near) == ()
    assert assess(noise, far) == (Flag.TINY,)
    assert assess(np.asarray(cv2.GaussianBlur(noise, (0, 0), 6), np.uint8)) == (Flag.BLUR,)
    assert assess(noise // 5) == (Flag.DARK,)
    assert assess(255 - noise // 5) == (Flag.BRIGHT,)
    assert assess(np.zeros((112, 112, 3), np.uint8)) == (Flag.BLUR, Flag.DARK)
