import numpy as np
import pytest

from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.protocols.templates import Shard, pool_templates, template_scores, template_tar

TEMPLATES = np.array([7, 7, 7, 9, 9], np.int64)
MEDIA = np.array([1, 1, 2, 1, 3], np.int64)
EMBEDDINGS = np.array([[4, 0], [0, 2], [0, 2], [3, 0], [0, 4]], np.float32)
SCORES = np.array([0.5, 1.0, 0.5, 1.0, 0.0], np.float32)


def shards(*cuts):
    return [
        Shard(embeddings, scores)
        for embeddings, scores in zip(np.split(EMBEDDINGS, cuts), np.split(SCORES, cuts), strict=True)
    ]


@pytest.mark.parametrize("cuts", [(), (1,), (2, 3), (1, 2, 3, 4)])
def test_pools_by_hand_whatever_the_shards(cuts):
    """Template 7: medium 1 is the mean of (2, 0) and (0, 2), medium 2 is (0, 1); the sum is (1, 2).

    Template 9: medium 1, another one than template 7's, is (3, 0); medium 3 has weight 0.
    """
    pooled = pool_templates(shards(*cuts), TEMPLATES, MEDIA)
    assert pooled.ids.tolist() == [7, 9]
    assert pooled.embeddings == pytest.approx(np.array([[1, 2], [np.sqrt(5), 0]]) / np.sqrt(5))
    scores = template_scores(pooled, np.array([7, 9, 9]), np.array([9, 9, 7]))
    assert scores == pytest.approx([1 / np.sqrt(5), 1, 1 / np.sqrt(5)])


def test_images_in_any_order_give_the_same_templates():
    order = np.array([3, 1, 4, 0, 2])
    pooled = pool_templates([Shard(EMBEDDINGS[order], SCORES[order])], TEMPLATES[order], MEDIA[order])
    assert pooled.embeddings == pytest.approx(pool_templates(shards(), TEMPLATES, MEDIA).embeddings)


def test_tar_at_the_nearest_rate_by_hand():
    """Impostors 0.9, 0.5, 0.4, 0.1; genuine 0.8, 0.6, 0.45, 0.2. FAR 0.25 holds from 0.9 down to just above 0.5."""
    scores = np.array([0.9, 0.5, 0.4, 0.1, 0.8, 0.6, 0.45, 0.2], np.float32)
    same = np.arange(8) >= 4
    quarter, third, half, tenth = template_tar(scores, same, (0.25, 0.3, 0.5, 0.1))
    assert (quarter.far, quarter.tar) == (0.25, 0.5)
    assert (third.target, third.far, third.tar) == (0.3, 0.25, 0.5)
    assert (half.far, half.tar) == (0.5, 0.75)
    assert half.protocol == "IJB 1:1"
    assert tenth is None


def test_refuses_lists_that_do_not_match():
    with pytest.raises(InputError, match="5 embeddings for 4 images"):
        pool_templates(shards(), TEMPLATES[:4], MEDIA[:4])
    with pytest.raises(InputError, match="5 embeddings for 10 images"):
        pool_templates(shards(2), np.tile(TEMPLATES, 2), np.tile(MEDIA, 2))
    with pytest.raises(InputError, match="templates for"):
        pool_templates(shards(), TEMPLATES, MEDIA[:4])
    pooled = pool_templates(shards(), TEMPLATES, MEDIA)
    with pytest.raises(InputError, match="template 8 has no image"):
        template_scores(pooled, np.array([7, 8]), np.array([9, 9]))
    with pytest.raises(InputError, match="template 10 has no image"):
        template_scores(pooled, np.array([7]), np.array([10]))


def test_refuses_a_template_without_direction():
    with pytest.raises(InputError, match="1 templates have no direction, the first is 9"):
        pool_templates([Shard(EMBEDDINGS, np.array([1, 1, 1, 0, 0], np.float32))], TEMPLATES, MEDIA)
