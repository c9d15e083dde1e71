"""A device: where a model will live, and how to run it there.

Its far side is `places.board.Board`; nothing that it says is believed beyond its type and its size.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from ghostface_edge.reports.devices import DeviceKind, Footprint
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import ToolError
from ghostface_edge.reports.record import Count, NotNegative, Positive
from ghostface_edge.targets.devices.compiled import sent_files
from ghostface_edge.targets.devices.facts import Conditions, DeviceFacts
from ghostface_edge.targets.devices.refusals import explain
from ghostface_edge.targets.places.board import Board
from ghostface_edge.targets.places.board_facts import canary
from ghostface_edge.targets.places.connection import ChildDeath
from ghostface_edge.targets.places.place import Place, each
from ghostface_edge.targets.protocol import Embeddings, Faces

_PART_BYTES: Final = 1 << 20
_LARGEST_ANSWER: Final = 1 << 28
"""Bytes: the largest tensor of a network on a batch of faces takes a tenth of it."""
_LONGEST: Final = 1e9
"""Milliseconds and seconds."""
_STEP: Final = 16
"""Faces of a message, of which two are under way: as much as `ssh` takes without being read."""
_LOG_END_BYTES: Final = 1 << 14
Told = TypeVar("Told", bound=BaseModel)
Number = TypeVar("Number", int, float)
_FINITE: Final = ConfigDict(allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class Device:
    """A place to run models, by name.

    Args:
        name: for reports; what follows the `@` of a variant's id.
        kind: how it is reached.
        place: that a `Board` answers in.
        folder: there, for models.
        cores: that models may run on; all if none.
        threads: of one inference.
        power: file there that tells energy or power; None: not metered.
        sustained_minutes: how long its fastest variant runs without a pause; None: not at all.
    """

    name: str
    kind: DeviceKind
    place: Place
    folder: str = "~/.cache/ghostface-edge-device"
    cores: tuple[int, ...] = ()
    threads: int = 1
    power: str | None = None
    sustained_minutes: float | None = None

    @property
    def is_timed(self) -> bool:
        """Whether its times say something: an emulator's do not."""
        return self.kind is not DeviceKind.EMULATED

    @contextmanager
    def open(
        self, runtime: str, *, log: Path, timeout_s: float = 1800.0, reference_kernels: bool = False
    ) -> "Iterator[OnDevice]":
        """A runtime there, until the context ends; the device is reached with the first question."""
        start = log.stat().st_size if log.is_file() else 0
        arguments = (runtime, reference_kernels, self.folder, self.cores)
        place = replace(self.place, largest_answer=_LARGEST_ANSWER)
        with place.open(Board, *arguments, log=log, timeout_s=timeout_s) as board:
            yield OnDevice(self.name, runtime, board, log, start)


class OnDevice:
    """A runtime on a device, and at most one loaded model.

    Args:
        name: of the device.
        runtime: whose models are loaded there.
        board: its far side.
        log: what is printed there.
        start: where in the log that begins.

    Raises:
        ChildDeath: from every method: it cannot be reached, or what runs there died; `LineBroken` where to ask again
            may help.
        ToolError: what it answers is of no use.
    """

    def __init__(self, name: str, runtime: str, board: Board, log: Path, start: int) -> None:
        self._name, self._runtime, self._board, self._log, self._start = name, runtime, board, log, start
        self._step = _STEP

    def facts(self) -> DeviceFacts:
        """What it is.

        Raises:
            ToolError: it computes wrongly, so no figure of it would count.
        """
        with self._asking() as board:
            facts = self._believed(DeviceFacts, board.facts())
            if board.canary() != canary():
                raise ToolError(
                    f"{self._name} computes wrongly: integers or single float operations come out as other bits",
                    fix="name a real CPU if it is emulated; test its memory if it is not",
                )
        return facts

    def conditions(self) -> Conditions:
        """How it is doing now."""
        with self._asking() as board:
            return self._believed(Conditions, board.conditions())

    def load(self, files: Sequence[Path], threads: int, batch: int) -> float:
        """Send a model (C as a library for the device) if it is not there, and load it; returns milliseconds of that.

        Args:
            files: all that make it up, the one to load first.
            threads: of one inference.
            batch: faces of one inference.
        """
        with sent_files(self._runtime, files, self.facts) as sent, self._asking() as board:
            key, self._step = file_sha256(*sent)[:32], -(-_STEP // batch) * batch
            for file in sent:
                _send(file, key + file.suffix, board)
            return _told(NotNegative, board.load_received(key + sent[0].suffix, threads, batch))

    def embed(self, faces: Faces) -> Embeddings:
        """Embed faces (N, S, S, 3) to (N, E).

        Raises:
            ToolError: what comes is no such array.
        """
        steps = [faces[at : at + self._step] for at in range(0, len(faces), self._step)]
        with self._asking() as board:
            found = [np.asarray(part) for part in each(board.embed, steps)]
        for step, part in zip(steps, found, strict=True):
            if part.dtype != np.float32 or part.ndim != 2 or part.shape != (len(step), found[0].shape[-1] or 1):
                raise ToolError(
                    f"{self._name} answered {len(step)} faces with {part.dtype} {part.shape}",
                    fix="this runtime cannot run this model there: ship another file",
                )
        return np.concatenate(found)

    def tensor(self, faces: Faces) -> NDArray[np.generic]:
        """The first output of the loaded model for one batch of faces, as it comes, of whatever type and shape."""
        with self._asking() as board:
            return np.asarray(board.tensor(faces))

    def sha256(self) -> str:
        """Of the loaded model as it lies there."""
        with self._asking() as board:
            return str(board.sha256())[:64]

    def time(self, face: NDArray[np.uint8], runs: int) -> list[float]:
        """Milliseconds of each of some inferences of one face."""
        with self._asking() as board:
            samples = board.time(face, runs)
        if len(samples) != runs:
            raise ToolError(f"{self._name} timed {len(samples)} of {runs} inferences", fix="run it again")
        return [_told(Positive, sample) for sample in samples]

    def sustain(self, face: NDArray[np.uint8], seconds: float) -> NDArray[np.float64]:
        """Infer one face again and again, so long; float64 (M, 2): seconds until its end, milliseconds, of each.

        Raises:
            ToolError: what comes is no such thing.
        """
        with self._asking() as board:
            found = np.asarray(board.sustain(face, seconds))
        if (
            found.dtype != np.float64
            or found.shape != (len(found) if found.ndim else 0, 2)
            or not len(found)
            or not ((found > 0) & (found < _LONGEST)).all()
            or not (np.diff(found[:, 0]) > 0).all()
        ):
            raise ToolError(f"{self._name} told no times of inferences", fix="see its log for who answers there")
        return found

    def energy_mj(self, face: NDArray[np.uint8], runs: int, power: str) -> float:
        """Millijoules of an inference of one face, as a file there tells.

        Raises:
            ToolError: it tells nothing that can be: the counter may have begun anew.
        """
        with self._asking() as board:
            return _told(Positive, board.energy_uj(face, runs, power)) / runs / 1e3

    def peak_rss_mb(self) -> float:
        """Peak resident memory there."""
        with self._asking() as board:
            return _told(NotNegative, board.peak_rss_mb())

    def footprint(self) -> Footprint | None:
        """What the loaded model takes as a program without a system; None under one."""
        with self._asking() as board:
            told = board.footprint()
            return None if told is None else self._believed(Footprint, told)

    def clean(self) -> int:
        """Remove all models there; returns bytes."""
        with self._asking() as board:
            return _told(Count, board.clean())

    @contextmanager
    def _asking(self) -> Iterator[Board]:
        try:
            yield self._board
        except ChildDeath as error:
            raise explain(self._name, error, _end_of(self._log, self._start)) from error

    def _believed(self, kind: type[Told], told: object) -> Told:
        try:
            return kind.model_validate(told)
        except ValidationError as error:
            raise ToolError(
                f"{self._name} describes itself as nothing that is known", fix="see its log for who answers there"
            ) from error


def _send(file: Path, name: str, board: Board) -> None:
    """Bring a file to a device, from where an earlier attempt ended."""
    size, sha256 = file.stat().st_size, file_sha256(file)
    if board.holds(name, sha256):
        return
    at = _told(Count, board.received(name))
    with file.open("rb") as content:
        content.seek(at if at < size else 0)
        while part := content.read(_PART_BYTES):
            at = content.tell() - len(part)
            board.receive(name, np.frombuffer(part, np.uint8), at, sha256, content.tell() == size)


def _told(kind: type[Number], value: object) -> Number:
    """A time or a size as a device tells it.

    Raises:
        ToolError: it is no such number.
    """
    try:
        return TypeAdapter(kind, config=_FINITE).validate_python(value)
    except ValidationError as error:
        raise ToolError(
            f"a device told {str(value)[:40]!r} where a number was due", fix="see its log for who answers there"
        ) from error


def _end_of(log: Path, start: int) -> str:
    """What was printed there since."""
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(max(start, file.seek(0, 2) - _LOG_END_BYTES))
        return file.read(_LOG_END_BYTES).decode(errors="replace")
