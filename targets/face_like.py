"""Images that cost a network what faces cost it, for timing without any face at hand.

Kernels may branch on values: ONNX Runtime's PRelu takes 1.5 times as long on white noise, whose features change sign
between neighbours three times as often, as on photographs (docs/decisions/0010-onnxruntime-speed.md).
"""

import cv2
import numpy as np

from ghostface_edge.targets.protocol import Faces

_COARSEST = 7
_CONTRAST = 64


def face_like(count: int, side: int) -> Faces:
    """The same images every time: noise whose spectrum falls with the frequency, as that of photographs does.

    Args:
        count: how many.
        side: pixels.

    Returns:
        RGB uint8 (count, side, side, 3).
    """
    generator = np.random.default_rng(0)
    octaves = [_COARSEST << level for level in range(max(side // _COARSEST, 1).bit_length())]
    images = []
    for _ in range(count):
        layers = [
            cv2.resize(generator.standard_normal((size, size, 3)), (side, side), interpolation=cv2.INTER_LINEAR) / size
            for size in octaves
        ]
        image = np.sum(layers, axis=0)
        image = 127.5 + _CONTRAST * (image - image.mean()) / image.std()
        images.append(np.rint(image).clip(0, 255).astype(np.uint8))
    return np.stack(images)
