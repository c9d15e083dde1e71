"""What a device gives for minutes without a pause, and what energy a face costs there.

A phone or a board without a fan is fast for a minute. So the fastest variant runs on until it is as warm as it gets,
face after face, then as many at a time as there are cores; and where a meter is named, every variant is metered.
"""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from ghostface_edge.calibration.aligned import FACE_SIZE
from ghostface_edge.pipeline.stages.artifacts import Artifact
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.device_session import DeviceSession
from ghostface_edge.pipeline.support.json_value import read_value, write_value
from ghostface_edge.reports.devices import Moment, Sample, Sustained
from ghostface_edge.targets.devices.device import OnDevice
from ghostface_edge.targets.devices.facts import Conditions
from ghostface_edge.targets.face_like import face_like

_STRETCHES: Final = 20
_METERED_RUNS: Final = 250
_WARM_UP_RUNS: Final = 25
_OUTCOME: Final = "outcome.json"


def _warm(there: OnDevice, artifact: Artifact, threads: int) -> None:
    there.load(artifact.files, threads, 1)
    there.time(face_like(1, FACE_SIZE), _WARM_UP_RUNS)


@dataclass(frozen=True, slots=True)
class Meter:
    """The stage: millijoules per face of artifacts by label, all that the meter sees included."""

    name: ClassVar[str] = "device-energy"
    artifacts: Mapping[str, Artifact]
    power: str
    """File there."""
    session: DeviceSession

    def inputs(self) -> dict[str, object]:
        digests = {label: artifact.sha256 for label, artifact in self.artifacts.items()}
        return {"artifacts": digests, "power": self.power} | self.session.key()

    def build(self, folder: Path, context: StageContext) -> None:
        session, metered = self.session, {}
        with context.progress.stage(f"{session.runtime}@{session.device.name}: meter", len(self.artifacts)) as advance:
            for label, artifact in self.artifacts.items():
                metered[label] = session.again(partial(self._meter, artifact, context))
                advance(1)
        write_value(folder / _OUTCOME, metered)

    def _meter(self, artifact: Artifact, context: StageContext) -> float:
        device = self.session.device
        log = context.logs / f"{device.name}-energy.log"
        with device.open(self.session.runtime, log=log, timeout_s=context.limits.latency.timeout_s) as there:
            _warm(there, artifact, device.threads)
            return there.energy_mj(face_like(1, FACE_SIZE), _METERED_RUNS, self.power)

    def read(self, folder: Path) -> dict[str, float]:
        return read_value(folder / _OUTCOME, dict[str, float])


@dataclass(frozen=True, slots=True)
class Endure:
    """The stage: one artifact, so many faces at a time, for minutes."""

    name: ClassVar[str] = "device-sustained"
    label: str
    artifact: Artifact
    streams: int
    minutes: float
    session: DeviceSession

    def inputs(self) -> dict[str, object]:
        asked = {"artifact": self.artifact.sha256, "streams": self.streams, "minutes": self.minutes}
        return {"label": self.label, **asked} | self.session.key()

    def build(self, folder: Path, context: StageContext) -> None:
        name = self.session.device.name
        with context.progress.stage(f"{self.label}@{name}: {self.streams} at a time for {self.minutes:g} minutes"):
            rows, moments = self.session.again(lambda: self._run(context))
            write_value(folder / _OUTCOME, self._summary(rows, moments))

    def _run(self, context: StageContext) -> tuple[list[NDArray[np.float64]], list[tuple[float, Conditions]]]:
        """Ends and milliseconds of every stream's inferences, and how the device was doing meanwhile."""
        session, seconds = self.session, 60 * self.minutes
        timeout_s = seconds + context.limits.latency.timeout_s
        face, moments = face_like(1, FACE_SIZE), []
        with ExitStack() as stack:
            pool = stack.enter_context(ThreadPoolExecutor(self.streams))  # last to end: its threads wait for streams
            streams = []
            for number in range(self.streams):
                cores = session.device.cores
                device = (
                    replace(session.device, cores=cores[number : number + 1]) if self.streams > 1 else session.device
                )
                log = context.logs / f"{device.name}-sustained-{number}.log"
                there = stack.enter_context(device.open(session.runtime, log=log, timeout_s=timeout_s))
                _warm(there, self.artifact, 1 if self.streams > 1 else device.threads)
                streams.append(there)
            session.conditions()
            started = time.monotonic()
            running = [pool.submit(there.sustain, face, seconds) for there in streams]
            while wait(running, seconds / _STRETCHES).not_done:
                moments.append((time.monotonic() - started, session.conditions()))
            moments.append((time.monotonic() - started, session.conditions()))
            return [each.result() for each in running], moments

    def _summary(self, rows: list[NDArray[np.float64]], moments: list[tuple[float, Conditions]]) -> Sustained:
        ends, times = np.concatenate(rows).T
        samples, begin = [], 0.0
        for end in np.linspace(0, ends.max(), _STRETCHES + 1)[1:]:
            within = times[(ends > begin) & (ends <= end)]
            if within.size:
                _, state = min(moments, key=lambda moment: abs(moment[0] - end))
                at = Moment(frequency_mhz=state.frequency_mhz, temperature_c=state.temperature_c)
                samples.append(Sample(seconds=float(end), p50_ms=float(np.median(within)), at=at))
            begin = end
        return Sustained(
            variant=self.label,
            streams=self.streams,
            p90_ms=float(np.quantile(times, 0.9)),
            faces_per_second=sum(len(stream) / stream[-1, 0] for stream in rows),
            samples=tuple(samples),
        )

    def read(self, folder: Path) -> Sustained:
        return read_value(folder / _OUTCOME, Sustained)


def all_cores(session: DeviceSession) -> int:
    """How many faces a device embeds at a time where each core has one."""
    return len(session.device.cores) or session.facts().cores
