"""Latency of one runtime's artifacts on a device, taken in turns, and what decides over times there."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

from ghostface_edge.pipeline.stages.artifacts import Artifact
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.device_session import DeviceSession
from ghostface_edge.pipeline.stages.latency import (
    ROUNDS,
    RUNS_PER_ROUND,
    StopWatch,
    Timing,
    read_timings,
    take_turns,
    write_timings,
)
from ghostface_edge.pipeline.support.json_value import read_value, write_value
from ghostface_edge.reports.errors import ToolError
from ghostface_edge.targets.devices.facts import Conditions
from ghostface_edge.targets.devices.refusals import LineBroken

_CONDITIONS: Final = "conditions.json"


@dataclass(frozen=True, slots=True)
class Turns:
    """What was timed, and how the device was doing before and after."""

    timings: Mapping[str, Timing | ToolError]
    before: Conditions
    after: Conditions


@dataclass(frozen=True, slots=True)
class TimeThere:
    """The stage: one runtime's artifacts by label, and what they are compared with, each in its own process."""

    name: ClassVar[str] = "device-latency"
    artifacts: Mapping[str, Artifact]
    session: DeviceSession

    def inputs(self) -> dict[str, object]:
        digests = {label: artifact.sha256 for label, artifact in self.artifacts.items()}
        return {"artifacts": digests} | self.session.key()

    def build(self, folder: Path, context: StageContext) -> None:
        taken, conditions = self.session.again(lambda: self._take(context))
        write_value(folder / _CONDITIONS, conditions)
        write_timings(taken, self.session.device.threads, folder)

    def _take(self, context: StageContext) -> tuple[dict[str, Timing | ToolError], tuple[Conditions, Conditions]]:
        """Times, and the conditions before and after.

        Raises:
            LineBroken: times of which the half is missing were not taken in turns.
        """
        session, device = self.session, self.session.device
        title = f"{session.runtime}@{device.name}: time {len(self.artifacts)} models in turns"
        limit = context.limits.latency
        with ExitStack() as stack:
            advance = stack.enter_context(context.progress.stage(title, ROUNDS * RUNS_PER_ROUND * len(self.artifacts)))
            watches = {}
            for label, artifact in self.artifacts.items():
                log = context.logs / f"{label}@{device.name}.log"
                there = stack.enter_context(device.open(artifact.runtime, log=log, timeout_s=limit.timeout_s))
                watches[label] = StopWatch(there, partial(there.load, artifact.files, device.threads, 1))
            before = session.conditions()
            taken = take_turns(watches, device.threads, advance)
            for timing in taken.values():
                if isinstance(timing, LineBroken):
                    raise timing
            return taken, (before, session.conditions())

    def read(self, folder: Path) -> Turns:
        before, after = read_value(folder / _CONDITIONS, tuple[Conditions, Conditions])
        return Turns(read_timings(folder), before, after)
