import numpy as np

from ghostface_edge.calibration.faces import sample, scan_folder
from ghostface_edge.calibration.overlap import find_overlap, name_key
from ghostface_edge.calibration.verification import VerificationSet


def pairs_of(path, images, identities):
    index = np.arange(len(images)).reshape(-1, 2)
    return VerificationSet("set", path, "0" * 64, tuple(images), index, np.ones(len(index), np.bool_), 1, identities)


def test_names_and_contents(face_folder, picture, encode):
    folder = face_folder({"Ann_Lee": 2, "Bo": 1, "Cy": 1})
    calibration = sample(scan_folder(folder), 4, 0)
    copied = (folder / "Cy/Cy_0001.jpg").read_bytes()
    overlap = find_overlap(calibration, pairs_of(folder, [copied, encode(picture(50))], ("ann lee", "Dee")))
    assert overlap.names_known
    assert overlap.by_name == ("Ann_Lee",)
    assert overlap.by_content == ("Cy/Cy_0001.jpg",)
    assert overlap.identities == ("Ann_Lee", "Cy")


def test_unknown_names_leave_contents(face_folder, picture, encode):
    calibration = sample(scan_folder(face_folder({"Ann": 1})), 1, 0)
    overlap = find_overlap(calibration, pairs_of(calibration.path, [encode(picture(50)), encode(picture(51))], None))
    assert not overlap.names_known
    assert overlap.identities == ()


def test_spellings_of_one_name():
    assert name_key("José_Müller") == name_key("JOSE MULLER") == name_key("jose-muller")
    assert name_key("Ann_Lee") != name_key("Ann_Lea")
