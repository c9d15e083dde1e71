"""One picture of one person."""

import functools

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.pipeline.synthetic import features, head
from ghostface_edge.pipeline.synthetic.canvas import Canvas
from ghostface_edge.pipeline.synthetic.geometry import SIDE, camera_for
from ghostface_edge.pipeline.synthetic.identity import Identity
from ghostface_edge.pipeline.synthetic.occlusion import cover
from ghostface_edge.pipeline.synthetic.view import View


def render(identity: Identity, view: View) -> NDArray[np.uint8]:
    """Paint a person under the given circumstances.

    Returns:
        RGB uint8 (112, 112, 3), aligned to the ArcFace template up to the view's landmark jitter.
    """
    canvas = Canvas(camera_for(identity, view), view.background)
    grain = _grain()
    head.hair_behind(canvas, identity)
    head.neck(canvas, identity, view.clothes)
    head.ears(canvas, identity)
    head.face(canvas, identity)
    features.relief(canvas, identity, view)
    features.blush(canvas, identity, grain)
    head.beard(canvas, identity, grain)
    features.skin_marks(canvas, identity)
    features.nose(canvas, identity)
    features.mouth(canvas, identity, view)
    features.eyes(canvas, identity, view)
    features.brows(canvas, identity, view)
    head.hair_before(canvas, identity)
    cover(canvas, identity, view)
    return canvas.finish(identity, view)


@functools.cache
def _grain() -> NDArray[np.float32]:
    """Unevenness of everything that grows."""
    return np.random.default_rng(112).uniform(0.6, 1.0, (SIDE, SIDE)).astype(np.float32)
