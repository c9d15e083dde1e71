"""Many aligned faces on one page, so that a person sees a wrong alignment at once."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

_QUALITY = 85
_MARK = (255, 0, 0)
_MARK_WIDTH = 3


def contact_sheet(faces: NDArray[np.uint8], columns: int, marked: Collection[int] = ()) -> bytes:
    """Lay faces out in rows.

    Args:
        faces: RGB uint8 (N, S, S, 3), N at least 1.
        columns: faces per row.
        marked: faces that get a red frame, by their place.

    Returns:
        A JPEG of ceil(N / columns) rows; what is left of the last row is white.
    """
    import cv2

    count, side = faces.shape[:2]
    columns = min(columns, count)
    rows = -(-count // columns)
    page = np.full((rows * columns, side, side, 3), 255, np.uint8)
    page[:count] = faces
    for place in marked:
        page[place, :_MARK_WIDTH] = page[place, -_MARK_WIDTH:] = _MARK
        page[place, :, :_MARK_WIDTH] = page[place, :, -_MARK_WIDTH:] = _MARK
    sheet = page.reshape(rows, columns, side, side, 3).swapaxes(1, 2).reshape(rows * side, columns * side, 3)
    return cv2.imencode(".jpg", sheet[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
