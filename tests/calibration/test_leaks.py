import cv2
import numpy as np
import pytest

from ghostface_edge.calibration import leaks
from ghostface_edge.calibration.faces import sample, scan_folder
from ghostface_edge.calibration.leaks import Leak, LeakKind, LeakReport, exclude_leaks, find_leaks, merged, refuse_leaks
from ghostface_edge.calibration.lfw_errata import PHOTOGRAPHS_UNDER_TWO_NAMES
from ghostface_edge.calibration.perceptual_hash import perceptual_hash
from ghostface_edge.calibration.sampling import SamplingMethod
from ghostface_edge.calibration.verification import VerificationSet, load_pairs
from ghostface_edge.reports.errors import ExitCode, InputError


def pairs_of(path, images, identities=None):
    index = np.arange(len(images)).reshape(-1, 2)
    return VerificationSet(
        name="set",
        path=path,
        sha256="0" * 64,
        images=tuple(images),
        index=index,
        same=np.ones(len(index), np.bool_),
        folds=1,
        identities=identities,
    )


@pytest.fixture
def calibration(face_folder):
    return sample(scan_folder(face_folder({"Ann": 2, "Bo": 1, "Cy": 1})), 9, 0)


@pytest.fixture
def strangers(picture, encode):
    return [encode(picture(seed)) for seed in range(50, 54)]


def test_finds_nothing_among_strangers(calibration, strangers):
    report = find_leaks(calibration, pairs_of(calibration.path, strangers, ("Dee", "Eve", "Flo", "Gus")))
    assert report.leaks == ()
    assert report.checked == (LeakKind.NAME, LeakKind.FILE, LeakKind.PERCEPTUAL)
    refuse_leaks(report)


def test_finds_a_planted_name(calibration, strangers):
    report = find_leaks(calibration, pairs_of(calibration.path, strangers, ("Dee", "ANN", "Flo", "Gus")))
    assert report.leaks == (Leak(LeakKind.NAME, "Ann", "Ann", "ANN", 0),)


def test_finds_a_planted_file(calibration, strangers):
    file = calibration.files[1]
    images = [*strangers[:3], file.path.read_bytes()]
    report = find_leaks(calibration, pairs_of(calibration.path, images))
    assert {leak.kind for leak in report.leaks} == {LeakKind.FILE, LeakKind.PERCEPTUAL}
    assert {leak.calibration for leak in report.leaks} == {file.name}
    assert {leak.evaluation for leak in report.leaks} == {"pair 2"}
    assert {leak.measured for leak in report.leaks} == {0}
    assert LeakKind.NAME not in report.checked


@pytest.mark.parametrize("change", ["re-encoded", "brighter", "smaller", "gray"])
def test_finds_a_planted_copy_of_a_photograph(calibration, strangers, encode, change):
    face = calibration.load()[2]
    half = cv2.resize(face, (56, 56), interpolation=cv2.INTER_AREA)
    changed = {
        "re-encoded": cv2.imdecode(cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], cv2.IMREAD_COLOR),
        "brighter": np.clip(face.astype(int) + 20, 0, 255).astype(np.uint8),
        "smaller": cv2.resize(half, (112, 112)),
        "gray": cv2.cvtColor(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB),
    }[change]
    report = find_leaks(calibration, pairs_of(calibration.path, [*strangers[:3], encode(changed, ".png")]))
    assert [(leak.kind, leak.calibration) for leak in report.leaks] == [
        (LeakKind.PERCEPTUAL, calibration.files[2].name)
    ]


@pytest.mark.parametrize(("more", "found"), [(0, 1), (-1, 0)])
def test_a_photograph_is_the_same_up_to_so_many_bits(calibration, strangers, picture, encode, monkeypatch, more, found):
    face, other = (image.astype(int) for image in (calibration.load()[2], picture(99)))
    copy = ((4 * face + other) // 5).astype(np.uint8)
    one, two = (perceptual_hash(image) for image in (calibration.load()[2], copy))
    apart = int(np.bitwise_count(one ^ two).sum())
    monkeypatch.setattr(leaks, "SAME_PHOTOGRAPH_BITS", apart + more)
    pairs = pairs_of(calibration.path, [*strangers[:3], encode(copy, ".png")])
    assert apart > 0
    assert [leak.measured for leak in find_leaks(calibration, pairs).leaks] == [apart] * found


@pytest.fixture
def many_pairs(calibration, picture, encode):
    """400 pairs of two people each and one of one person, over 40 images."""
    images = tuple(encode(picture(seed)) for seed in range(60, 100))
    index = np.array([(one, other) for one in range(40) for other in range(one + 1, one + 11) if other < 40] * 2)[:401]
    same = np.zeros(401, np.bool_)
    same[7] = True
    return VerificationSet(
        name="set",
        path=calibration.path,
        sha256="0" * 64,
        images=images,
        index=index,
        same=same,
        folds=1,
        identities=None,
    )


def test_finds_a_planted_near_duplicate_embedding(calibration, many_pairs):
    rng = np.random.default_rng(0)
    own = rng.normal(size=(4, 256)).astype(np.float32)
    others = rng.normal(size=(40, 256)).astype(np.float32)
    nothing = find_leaks(calibration, many_pairs, (own, others))
    assert nothing.leaks == ()
    assert nothing.checked == (LeakKind.FILE, LeakKind.PERCEPTUAL, LeakKind.EMBEDDING)
    assert nothing.stranger_bound is not None
    others[2] = own[1] + np.float32(0.4) * own[0]
    (leak,) = find_leaks(calibration, many_pairs, (own, others)).leaks
    assert (leak.kind, leak.calibration, leak.evaluation) == (
        LeakKind.EMBEDDING,
        calibration.files[1].name,
        "pair 2",
    )
    assert leak.measured == pytest.approx(1 / np.sqrt(1.16), abs=0.02)


def test_a_handful_of_pairs_says_nothing_about_strangers(calibration, strangers):
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(2, 4, 8)).astype(np.float32)
    report = find_leaks(calibration, pairs_of(calibration.path, strangers), (embeddings[0], embeddings[1]))
    assert report.stranger_bound is None
    assert LeakKind.EMBEDDING not in report.checked


def test_embeddings_of_other_faces_are_refused(calibration, strangers):
    with pytest.raises(InputError, match="3 and 4 embeddings for 4 and 4 faces"):
        find_leaks(
            calibration,
            pairs_of(calibration.path, strangers),
            (np.ones((3, 8), np.float32), np.ones((4, 8), np.float32)),
        )


def test_a_leak_is_an_error_unless_allowed_by_name(calibration, strangers):
    images = [*strangers[:3], calibration.files[0].path.read_bytes()]
    report = find_leaks(calibration, pairs_of(calibration.path, images, ("Dee", "Bo", "Flo", "Gus")))
    guilty = calibration.files[0].identity
    with pytest.raises(InputError, match="in the pairs too") as caught:
        refuse_leaks(report)
    assert caught.value.exit_code is ExitCode.BAD_INPUT
    assert f"{calibration.files[0].name} is Gus, pair 2 (by file)" in str(caught.value)
    assert set(report.identities) == {guilty, "Bo"}
    refuse_leaks(report, allowed=report.identities)
    if guilty != "Bo":
        with pytest.raises(InputError, match="1 calibration identities"):
            refuse_leaks(report, allowed=[guilty])


@pytest.mark.parametrize(("count", "more"), [(5, []), (6, ["  and 1 more"]), (9, ["  and 4 more"])])
def test_the_first_leaks_are_listed(count, more):
    found = tuple(Leak(LeakKind.NAME, f"P{number}", f"P{number}", f"p{number}", 0) for number in range(count))
    with pytest.raises(InputError) as refused:
        refuse_leaks(LeakReport((LeakKind.NAME,), found))
    head, *lines = refused.value.message.splitlines()
    assert head == f"{count} calibration identities are in the pairs too:"
    assert lines == [*(f"  P{number} is p{number} (by name)" for number in range(5)), *more]


def test_who_leaks_is_left_out_with_all_their_faces(calibration, strangers):
    images = [*strangers[:3], next(file for file in calibration.files if file.identity == "Ann").path.read_bytes()]
    report = find_leaks(calibration, pairs_of(calibration.path, images))
    kept = exclude_leaks(calibration, report)
    assert (len(calibration.files), sorted(file.identity for file in kept.files)) == (4, ["Bo", "Cy"])
    assert len(kept.excluded) == 2
    assert kept.sha256 == sample(kept.files, 9, 0, method=SamplingMethod.PER_IDENTITY).sha256 != calibration.sha256
    assert exclude_leaks(calibration, report, allowed=["ann"]) is calibration


def test_nobody_left_is_an_error(calibration, strangers):
    report = find_leaks(calibration, pairs_of(calibration.path, strangers, ("Ann", "Bo", "Cy", "Gus")))
    with pytest.raises(InputError, match="all 3 calibration identities are in the pairs"):
        exclude_leaks(calibration, report)


def test_several_sets_are_one_report(calibration, strangers):
    named = find_leaks(calibration, pairs_of(calibration.path, strangers, ("Ann", "Eve", "Flo", "Gus")))
    nameless = find_leaks(calibration, pairs_of(calibration.path, strangers))
    both = merged([named, nameless])
    assert both.checked == (LeakKind.FILE, LeakKind.PERCEPTUAL)
    assert both.identities == ("Ann",)


def test_the_assets_leak_nothing_but_lfws_own_double_names(assets):
    files = scan_folder(assets / "lfw/calibration")
    report = find_leaks(sample(files, 9999, 0), load_pairs(assets / "lfw/lfw.bin"))
    assert {(leak.kind, leak.identity) for leak in report.leaks} == {
        (kind, name) for kind in (LeakKind.FILE, LeakKind.PERCEPTUAL) for name in ("Raul_Ibanez", "Ricky_Ray")
    }
    clean = sample(files, 9999, 0, exclude=PHOTOGRAPHS_UNDER_TWO_NAMES)
    assert (len(clean.files), len(clean.excluded)) == (1544, 5)
    assert not set(report.identities) & clean.people
