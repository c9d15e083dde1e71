import numpy as np

from ghostface_edge.targets.face_like import face_like


def test_the_images_are_the_same_every_time_and_differ_from_each_other():
    images = face_like(2, 112)
    assert images.shape == (2, 112, 112, 3)
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, face_like(2, 112))
    assert not np.array_equal(images[0], images[1])


def test_neighbouring_pixels_are_as_alike_as_in_photographs():
    pixels = face_like(1, 112)[0].astype(float)
    alike = np.corrcoef(pixels[:, 1:].ravel(), pixels[:, :-1].ravel())[0, 1]
    assert 0.9 < alike < 0.99
    assert 50 < pixels.std() < 70
