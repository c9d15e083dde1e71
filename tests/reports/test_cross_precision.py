import numpy as np
import pytest

from ghostface_edge.reports.cross_precision import cross_precision
from ghostface_edge.reports.metrics import cosine_scores, verification_accuracy


def test_a_rotated_model_needs_a_gallery_of_its_own(faces) -> None:
    rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((32, 32)))[0]
    embeddings = {
        "fp32": faces.embeddings,
        "int8": faces.noisy(0.02),
        "rotated": (faces.embeddings @ rotation).astype(np.float32),
    }
    cross = cross_precision(embeddings, faces.index, faces.same)
    assert cross.variants == ("fp32", "int8", "rotated")
    own = verification_accuracy(cosine_scores(faces.embeddings, faces.index), faces.same)
    assert cross.accuracy[0][0] == pytest.approx(own.mean)
    assert (cross.far, cross.tar[0][0]) == ("0.001", own.tar_at_far["0.001"])
    # alone the rotated model is as good as the first, together they cannot work
    assert cross.accuracy[2][2] == pytest.approx(own.mean)
    assert cross.loss_pp[0][2] > 20
    assert cross.reenroll == ((False, False, True), (False, False, True), (True, True, False))
    np.testing.assert_allclose(np.diag(cross.cosine), 1.0)
    assert cross.cosine[0][1] == pytest.approx(cross.cosine[1][0])
    assert cross.cosine[0][1] > 0.99
    assert abs(cross.cosine[0][2]) < 0.5


def test_few_impostors_take_the_next_far(faces) -> None:
    cross = cross_precision({"fp32": faces.embeddings}, faces.index[:400], faces.same[:400])
    assert cross.far == "0.01"
    cross = cross_precision({"fp32": faces.embeddings}, faces.index[50:200], faces.same[50:200])
    assert (cross.far, cross.tar) == ("0.01", ((cross.tar[0][0],),))
    cross = cross_precision({"fp32": faces.embeddings}, faces.index[60:140], faces.same[60:140])
    assert (cross.far, cross.tar) == (None, ((None,),))
