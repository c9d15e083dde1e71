from dataclasses import replace

import numpy as np
import pytest

from ghostface_edge.calibration.aligned import iterate_faces
from ghostface_edge.calibration.bin_file import read_bin, write_bin
from ghostface_edge.calibration.unusable import OnBadImage
from ghostface_edge.calibration.verification import LabelErrors, load_pairs, write_pairs
from ghostface_edge.reports.errors import InputError


@pytest.fixture
def small_bin(tmp_path, picture, encode):
    """Ten pairs over six faces: person P has images 2P and 2P + 1."""
    faces = [encode(picture(seed)) for seed in range(6)]
    pairs = [(0, 1), (2, 3), (4, 5), (1, 0), (3, 2), (0, 2), (1, 3), (2, 4), (3, 5), (5, 1)]
    path = tmp_path / "small.bin"
    write_bin(
        path, [faces[side] for pair in pairs for side in pair], [left // 2 == right // 2 for left, right in pairs]
    )
    lines = [
        f"P{left // 2}\t{left % 2 + 1}\t"
        + (f"{right % 2 + 1}" if left // 2 == right // 2 else f"P{right // 2}\t{right % 2 + 1}")
        for left, right in pairs
    ]
    return path, pairs, ["1\t5", *lines, ""]


def test_each_distinct_image_once(small_bin):
    path, pairs, _ = small_bin
    loaded = load_pairs(path)
    assert loaded.name == "small"
    assert len(loaded.images) == 6
    assert loaded.index.tolist() == [list(pair) for pair in pairs]
    assert loaded.same.tolist() == [True] * 5 + [False] * 5
    assert loaded.folds == 10
    assert loaded.identities is None
    assert loaded.people == frozenset()


def test_names_from_the_list_beside_it(small_bin):
    path, pairs, lines = small_bin
    path.with_name("pairs.txt").write_text("\n".join(lines))
    loaded = load_pairs(path)
    assert loaded.people == {"P0", "P1", "P2"}
    assert loaded.identities == tuple(f"P{side // 2}" for pair in pairs for side in pair)


def test_a_list_of_other_images_is_not_believed(small_bin):
    """Same labels, but the list says that two of the images are one."""
    path, _, lines = small_bin
    lines[1] = "P0\t1\t3"
    beside = path.with_name("pairs.txt")
    beside.write_text("\n".join(lines))
    assert load_pairs(path).identities is None
    with pytest.raises(InputError, match="is not the list that"):
        load_pairs(path, names=beside)


def test_too_few_pairs_for_ten_folds(tmp_path):
    write_bin(tmp_path / "tiny.bin", [b"x"] * 4, [True, False])
    with pytest.raises(InputError, match="holds 2 pairs"):
        load_pairs(tmp_path / "tiny.bin")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data, _: data[:-20], "truncated"),
        (lambda _, __: b"", "empty file"),
        (lambda _, encode: encode(np.zeros((96, 112, 3), np.uint8)), "112x96 pixels"),
        (lambda _, encode: encode(np.zeros((112, 112, 3), np.uint16), ".png"), "16 bits"),
    ],
)
def test_bad_images_are_refused_or_skipped_and_counted(small_bin, encode, damage, reason):
    path, pairs, lines = small_bin
    images, same = read_bin(path)
    bad = damage(images[5], encode)
    write_bin(path, [bad if image == images[5] else image for image in images], same.tolist())
    path.with_name("pairs.txt").write_text("\n".join(lines))
    with pytest.raises(InputError, match="1 of 6 images") as caught:
        load_pairs(path)
    assert "pair 3: " in str(caught.value)
    assert reason in str(caught.value)
    loaded = load_pairs(path, on_bad_image=OnBadImage.SKIP)
    kept = [pair for pair in pairs if 5 not in pair]
    assert len(kept) == 7
    assert loaded.index.tolist() == [list(pair) for pair in kept]
    assert loaded.identities == tuple(f"P{side // 2}" for pair in kept for side in pair)
    assert loaded.protocol == "10 contiguous folds, 3 pairs skipped for bad images"


def test_grayscale_faces_belong_to_a_bin(small_bin, encode, picture):
    path, _, _ = small_bin
    images, same = read_bin(path)
    write_bin(path, [encode(picture(9)[:, :, 1]), *images[1:]], same.tolist())
    loaded = load_pairs(path)
    faces = next(iterate_faces(loaded.images, 99))
    assert (faces[0, ..., 0] == faces[0, ..., 2]).all()


def test_a_list_is_not_a_bin(tmp_path):
    with pytest.raises(InputError, match="names images without holding them"):
        load_pairs(tmp_path / "pairs.txt")


def test_lfw(assets):
    lfw = load_pairs(assets / "lfw/lfw.bin")
    assert lfw.sha256.startswith("1d7db0b4")
    assert len(lfw.images) == 7701
    assert lfw.index.shape == (6000, 2)
    assert int(lfw.same.sum()) == 3000
    assert len(lfw.people) == 4281
    assert np.unique(lfw.index).size == 7701


def test_label_errors_of_lfw(assets):
    lfw = load_pairs(assets / "lfw/lfw.bin", label_errors=LabelErrors.EXCLUDE)
    assert (len(lfw.same), lfw.label_errors_excluded) == (5995, 5)
    assert lfw.protocol == "10 contiguous folds, 5 known label errors excluded"


def test_label_errors_need_names(small_bin):
    with pytest.raises(InputError, match="have no names"):
        load_pairs(small_bin[0], label_errors=LabelErrors.EXCLUDE)


def test_written_sets_read_back(small_bin, tmp_path):
    loaded = load_pairs(small_bin[0])
    write_pairs(loaded, tmp_path / "again.bin")
    again = load_pairs(tmp_path / "again.bin")
    assert again.images == loaded.images
    assert (again.index == loaded.index).all()
    assert (again.same == loaded.same).all()
    with pytest.raises(InputError, match="cannot be written"):
        write_pairs(loaded, tmp_path / "again.bin" / "again.bin")
    assert not list(tmp_path.glob(".*partial*"))


def test_people_of_distinct_images(small_bin):
    path, _, lines = small_bin
    assert load_pairs(path).people_of_images == (None,) * 6
    assert load_pairs(path).gallery is None
    path.with_name("pairs.txt").write_text("\n".join(lines))
    loaded = load_pairs(path)
    named = dict(zip(loaded.index.ravel().tolist(), loaded.identities, strict=True))
    assert loaded.people_of_images == tuple(named[image] for image in range(6))
    assert (len(loaded.gallery), loaded.gallery.genuine, loaded.gallery.impostors) == (6, 3, 12)


def test_an_image_under_two_names_has_none(small_bin):
    path, _, lines = small_bin
    path.with_name("pairs.txt").write_text("\n".join(lines))
    loaded = load_pairs(path)
    first = int(loaded.index[0, 0])
    other = replace(loaded, identities=("somebody else", *loaded.identities[1:]))
    assert (loaded.index == first).sum() > 1
    assert [place for place, name in enumerate(other.people_of_images) if name is None] == [first]
    assert len(other.gallery) == 5


def test_one_person_under_two_names_of_lfw(small_bin):
    path, _, lines = small_bin
    path.with_name("pairs.txt").write_text("\n".join(lines))
    loaded = load_pairs(path)
    renamed = tuple({"P0": "Sepp_Blatter", "P1": "Joseph_Blatter"}.get(name, name) for name in loaded.identities)
    gallery = replace(loaded, identities=renamed).gallery
    assert (gallery.genuine, gallery.ambiguous, gallery.impostors) == (3, 4, 8)
