"""Small pictures of faces inside the page.

In: encoded images and which are wanted. Out: JPEG data URIs, made anew from the pixels, so that nothing else that a
file may carry gets in.
"""

import base64
from collections.abc import Iterable, Mapping

import numpy as np

SIDE = 72
_QUALITY = 72


def thumbnails(images: Mapping[int, bytes], wanted: Iterable[int]) -> dict[int, str]:
    """Encode the wanted images as SIDE x SIDE JPEG data URIs; what is missing or no image is left out."""
    import cv2

    pictures = {}
    for number in sorted(set(wanted) & images.keys()):
        pixels = cv2.imdecode(np.frombuffer(images[number], np.uint8), cv2.IMREAD_COLOR)
        if pixels is None:
            continue
        small = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
        pictures[number] = "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode()
    return pictures
