"""A runtime on a device for as long as a run needs it: a line that breaks is taken up again, and work goes on."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

from ghostface_edge.pipeline.stages.artifacts import Artifact
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.reports.devices import Footprint
from ghostface_edge.targets.devices.device import Device, OnDevice
from ghostface_edge.targets.devices.facts import Conditions, DeviceFacts
from ghostface_edge.targets.devices.refusals import LineBroken
from ghostface_edge.targets.places.connection import ChildDeath
from ghostface_edge.targets.protocol import Embeddings, Faces

_WAITS_S: Final = (1, 2, 4, 8, 15, 30, 60)
"""Before each attempt to reach a device that was there before: two minutes, which a board needs to start."""
Answer = TypeVar("Answer")


@dataclass(slots=True)
class DeviceSession:
    """One runtime on one device.

    Args:
        device: which.
        runtime: a runtime's name.
        context: what stages share.
    """

    device: Device
    runtime: str
    context: StageContext
    _facts: DeviceFacts | None = None
    _stack: ExitStack = field(default_factory=ExitStack)
    _there: OnDevice | None = None
    _loaded: Artifact | None = None

    def facts(self) -> DeviceFacts:
        """What the device is; asked once."""
        if self._facts is None:
            self._facts = self._ask(lambda there: there.facts())
        return self._facts

    def key(self) -> dict[str, object]:
        """What of the device decides over figures, for the keys of stages."""
        device, decisive = self.device, {"machine", "cpu", "os", "python", "features", "versions", "cores"}
        return {
            "device": [device.name, *device.place.command],
            "threads": device.threads,
            "cores": device.cores,
            "facts": self.facts().model_dump(include=decisive),
        }

    def conditions(self) -> Conditions:
        """How the device is doing now."""
        return self._ask(lambda there: there.conditions())

    def embed(self, artifact: Artifact, faces: Faces) -> Embeddings:
        """Embed faces, one inference each, as they are at a door."""
        return self._ask(lambda there: self._with(artifact, there).embed(faces))

    def footprint(self, artifact: Artifact) -> Footprint | None:
        """What it takes there; see `OnDevice.footprint`."""
        return self._ask(lambda there: self._with(artifact, there).footprint())

    def close(self) -> None:
        """Leave the device; the next question reaches it again."""
        self._there = self._loaded = None
        self._stack.close()

    def again(self, attempt: Callable[[], Answer]) -> Answer:
        """Try something there until the line lasts; a device that nobody reached yet gets one attempt."""
        waits = iter(_WAITS_S)
        while True:
            try:
                return attempt()
            except LineBroken as error:
                self.close()
                wait = next(waits, None)
                if self._facts is None or wait is None:
                    raise
                self.context.progress.say(f"{error.message}; again in {wait} s")
                time.sleep(wait)

    def _ask(self, question: Callable[[OnDevice], Answer]) -> Answer:
        def attempt() -> Answer:
            try:
                return question(self._reached())
            except ChildDeath:
                self.close()  # what died answers nobody, the next model neither
                raise

        return self.again(attempt)

    def _with(self, artifact: Artifact, there: OnDevice) -> OnDevice:
        """The same, with this artifact loaded."""
        if self._loaded != artifact:
            there.load(artifact.files, self.device.threads, 1)
            self._loaded = artifact
        return there

    def _reached(self) -> OnDevice:
        if self._there is None:
            log = self.context.logs / f"{self.device.name}-{self.runtime}.log"
            limit = self.context.limits.embed
            self._there = self._stack.enter_context(self.device.open(self.runtime, log=log, timeout_s=limit.timeout_s))
        return self._there


@contextmanager
def session(
    device: Device, runtime: str, context: StageContext, facts: DeviceFacts | None = None
) -> Iterator[DeviceSession]:
    """A session that ends with the context.

    Args:
        device: where.
        runtime: a runtime's name.
        context: what stages share.
        facts: of the device, where it was asked for them before.
    """
    opened = DeviceSession(device, runtime, context, facts)
    try:
        yield opened
    finally:
        opened.close()
