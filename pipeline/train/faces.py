"""Sources of training faces: folders, RecordIO, or the renderer, behind one small interface."""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.aligned import check_aligned
from ghostface_edge.calibration.faces import read_image, scan_folder
from ghostface_edge.calibration.image_file import BadImageError, decode
from ghostface_edge.pipeline.train.options import SyntheticFaces
from ghostface_edge.pipeline.train.recordio import RecordFaces
from ghostface_edge.reports.errors import InputError


class TrainingFaces(Protocol):
    """Faces of known people, read one at a time."""

    @property
    def people(self) -> int:
        """Number of identities."""
        ...

    def __len__(self) -> int: ...

    def load(self, position: int, epoch: int) -> tuple[NDArray[np.uint8], int]:
        """RGB uint8 (S, S, 3), and whose it is, from 0 to people - 1."""
        ...


class FolderFaces:
    """A folder per identity.

    Raises:
        InputError: no such folder, or fewer than two people in it.
    """

    def __init__(self, folder: Path) -> None:
        self._files = scan_folder(folder)
        self._numbers = {name: number for number, name in enumerate(sorted({file.identity for file in self._files}))}
        if len(self._numbers) < 2:
            raise InputError(f"{folder} holds faces of one person", fix="lay the faces out as FOLDER/PERSON/*.jpg")

    def __len__(self) -> int:
        return len(self._files)

    @property
    def people(self) -> int:
        """Number of identities."""
        return len(self._numbers)

    def load(self, position: int, epoch: int) -> tuple[NDArray[np.uint8], int]:  # noqa: ARG002 - photographs stay
        """RGB uint8 (112, 112, 3) and whose it is."""
        file = self._files[position]
        try:
            data = read_image(file.path)
            check_aligned(data, gray=True)
            return decode(data, gray=True), self._numbers[file.identity]
        except BadImageError as error:
            raise InputError(f"{file.path} cannot be used: {error}", fix="replace or remove it") from None


class RenderedFaces:
    """People of the renderer's training population; every epoch shows them anew."""

    def __init__(self, options: SyntheticFaces, seed: int) -> None:
        if options.identities < 2 or options.views < 1:
            raise InputError(
                f"{options.identities} rendered people with {options.views} views", fix="render at least two people"
            )
        self._options, self._seed = options, seed

    def __len__(self) -> int:
        return self._options.identities * self._options.views

    @property
    def people(self) -> int:
        """Number of identities."""
        return self._options.identities

    def load(self, position: int, epoch: int) -> tuple[NDArray[np.uint8], int]:
        """RGB uint8 (112, 112, 3) and whose it is."""
        from ghostface_edge.pipeline.synthetic.sets import Population, picture

        view, who = divmod(position, self._options.identities)
        return picture(Population.TRAINING, self._seed, who, epoch * self._options.views + view), who


def open_faces(data: Path | SyntheticFaces, seed: int) -> TrainingFaces:
    """The faces that options name.

    Raises:
        InputError: they cannot be used.
    """
    if isinstance(data, SyntheticFaces):
        return RenderedFaces(data, seed)
    return RecordFaces(data) if (data / "train.idx").exists() else FolderFaces(data)
