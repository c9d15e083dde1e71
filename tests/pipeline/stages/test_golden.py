import numpy as np

from ghostface_edge.pipeline.stages.golden import golden_faces
from ghostface_edge.pipeline.synthetic.sets import Population, picture


def test_golden_faces_are_eight_pictures_of_four_people_whom_no_set_has():
    faces = golden_faces()
    assert (faces.shape, faces.dtype) == ((8, 112, 112, 3), np.uint8)
    assert np.array_equal(faces, golden_faces())
    assert len({face.tobytes() for face in faces}) == 8
    others = (Population.TRAINING, Population.CALIBRATION, Population.PAIRS)
    assert not any(np.array_equal(faces[0], picture(population, 0, 0, 0)) for population in others)
