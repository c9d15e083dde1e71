import numpy as np

from ghostface_edge.calibration.contact_sheet import contact_sheet
from ghostface_edge.calibration.image_file import decode


def test_faces_stand_in_rows_with_marks():
    faces = np.stack([np.full((112, 112, 3), level, np.uint8) for level in (20, 60, 100, 140, 180)])
    sheet = decode(contact_sheet(faces, 3, marked={4}))
    assert sheet.shape == (224, 336, 3)
    levels = sheet[56::112, 56::112].mean(axis=2).round().astype(int)
    assert np.abs(levels - [[20, 60, 100], [140, 180, 255]]).max() <= 2
    assert sheet[113, 168, 0] > 200
    assert sheet[113, 168, 1] < 60
    assert abs(int(sheet[1, 56, 0]) - 20) <= 2


def test_fewer_faces_than_columns():
    assert decode(contact_sheet(np.zeros((2, 112, 112, 3), np.uint8), 10)).shape == (112, 224, 3)
