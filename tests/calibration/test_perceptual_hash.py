import numpy as np

from ghostface_edge.calibration.perceptual_hash import perceptual_hash


def test_hash_ignores_brightness_and_tells_pictures_apart(picture):
    face = picture(1)
    same = np.bitwise_count(perceptual_hash(face) ^ perceptual_hash(face // 2 + 40)).sum()
    other = np.bitwise_count(perceptual_hash(face) ^ perceptual_hash(picture(2))).sum()
    assert same < 16
    assert other > 52
