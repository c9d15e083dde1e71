import numpy as np
import pytest

from ghostface_edge.calibration.bin_file import write_bin
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
        write_pairs(loaded, tmp_path / "none" / "again.bin")
    assert not list(tmp_path.glob(".*partial"))
