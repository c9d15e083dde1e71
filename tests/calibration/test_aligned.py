import numpy as np
import pytest

from ghostface_edge.calibration.aligned import check_aligned, iterate_faces
from ghostface_edge.calibration.image_file import BadImageError
from ghostface_edge.reports.errors import InputError


def test_batches_keep_order_and_pixels(picture, encode):
    pictures = [picture(seed) for seed in range(5)]
    batches = list(iterate_faces([encode(image, ".png") for image in pictures], 2))
    assert [len(batch) for batch in batches] == [2, 2, 1]
    assert (np.concatenate(batches) == np.stack(pictures)).all()


def test_names_the_image_that_fails(picture, encode):
    images = [encode(picture(0)), encode(picture(1)), encode(picture(2))[:-20]]
    batches = iterate_faces(images, 2)
    assert next(batches).shape == (2, 112, 112, 3)
    with pytest.raises(InputError, match="image 2 of 3 cannot be used: truncated"):
        next(batches)


def test_wrong_size(picture, encode):
    with pytest.raises(InputError, match="image 0 of 1 cannot be used: 96x112 pixels instead of 112x112"):
        next(iterate_faces([encode(picture(0, 96, 112))], 1))
    with pytest.raises(BadImageError, match="250x250"):
        check_aligned(encode(picture(0, 250, 250)))
