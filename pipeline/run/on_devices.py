"""Built variants on devices: the same files, the same faces, there.

In: devices and what was built here. Out: per device its facts, and per variant its embeddings, its times or
instructions, or why there are none.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import numpy as np

from ghostface_edge.calibration.pair_sample import PairSample
from ghostface_edge.pipeline.run.variant_build import Built
from ghostface_edge.pipeline.stages.artifacts import Artifact
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.convert import Convert
from ghostface_edge.pipeline.stages.decoded_faces import DecodedFaces
from ghostface_edge.pipeline.stages.device_embed import embed_there
from ghostface_edge.pipeline.stages.device_endurance import Endure, Meter, all_cores
from ghostface_edge.pipeline.stages.device_footprint import MeasureFootprint
from ghostface_edge.pipeline.stages.device_instructions import CountInstructions
from ghostface_edge.pipeline.stages.device_latency import TimeThere, Turns
from ghostface_edge.pipeline.stages.device_session import DeviceSession, session
from ghostface_edge.pipeline.stages.embed import require_useful
from ghostface_edge.pipeline.stages.latency import Timing
from ghostface_edge.reports.devices import DeviceKind, Footprint, Sustained
from ghostface_edge.reports.errors import GhostfaceEdgeError, RuntimeMissingError
from ghostface_edge.targets.devices.device import Device
from ghostface_edge.targets.devices.facts import Conditions, DeviceFacts
from ghostface_edge.targets.places.board import LOADERS
from ghostface_edge.targets.places.board_facts import PACKAGES
from ghostface_edge.targets.protocol import Embeddings
from ghostface_edge.targets.table import VariantId, fp32_of


@dataclass(frozen=True, slots=True)
class There:
    """A variant on a device."""

    built: Built
    embeddings: Embeddings
    """(I, E) of the sample's images."""
    timing: Timing | None = None
    """None, as the next, under emulation."""
    baseline: Timing | None = None
    """Of the FP32 of the same runtime, taken in the same turns."""
    instructions_per_face: float | None = None
    footprint: Footprint | None = None
    """None where there is a system."""


@dataclass(frozen=True, slots=True)
class NotThere:
    """Why a variant has no figures on a device."""

    built: Built
    error: GhostfaceEdgeError


@dataclass(frozen=True, slots=True)
class DeviceRun:
    """All that ran on one device."""

    device: Device
    facts: DeviceFacts
    sample: PairSample
    rows: tuple[There | NotThere, ...]
    conditions: tuple[Conditions, Conditions] | None = None
    """Before and after the timing."""
    energy_mj_per_face: Mapping[str, float] = field(default_factory=dict)
    """By variant, where a meter told."""
    sustained: tuple[Sustained, ...] = ()


def reach(device: Device, context: StageContext) -> DeviceFacts:
    """Ask a device what it is, before hours of work that it would not be there for.

    Raises:
        ToolError: it cannot be reached, or computes wrongly.
    """
    with context.progress.stage(f"{device.name}: reach it"), session(device, next(iter(LOADERS)), context) as there:
        return there.facts()


def run_on_device(
    device: Device,
    facts: DeviceFacts,
    variants: Sequence[Built],
    sample: PairSample,
    faces: DecodedFaces,
    baselines: Mapping[str, Convert],
    context: StageContext,
) -> DeviceRun:
    """Run every variant that a device could have a runtime for; what goes wrong is that variant's.

    Args:
        device: where.
        facts: what it is, see `reach`.
        variants: that were built here.
        sample: pairs to judge by, and their faces.
        faces: of the whole set.
        baselines: by runtime, what converts to the FP32 that its speed is compared with.
        context: what stages share.
    """
    known = [one for one in variants if one.id.runtime in LOADERS]
    rows: dict[VariantId, There | NotThere] = {}
    conditions = None
    energy: dict[str, float] = {}
    with ExitStack() as stack:
        runtimes = dict.fromkeys(one.id.runtime for one in known)
        sessions = {runtime: stack.enter_context(session(device, runtime, context, facts)) for runtime in runtimes}
        for one in known:
            rows[one.id] = _embed(one, sessions[one.id.runtime], sample, faces)
        for runtime, there in sessions.items():
            ran = [row for row in rows.values() if isinstance(row, There) and row.built.id.runtime == runtime]
            if not ran:
                continue
            if device.kind is DeviceKind.EMULATED:
                rows |= {row.built.id: _counted(row, there) for row in ran}
                continue
            try:
                turns = _time(ran, context.run(baselines[runtime]), there)
                conditions = _around(conditions, turns)
                rows |= {row.built.id: _timed(row, turns) for row in ran}
            except GhostfaceEdgeError as error:
                rows |= {row.built.id: NotThere(row.built, error) for row in ran}
                continue
            energy |= _metered(ran, there)
        sustained = _sustained(rows.values(), sessions)
    return DeviceRun(device, facts, sample, tuple(rows.values()), conditions, energy, sustained)


def _embed(built: Built, there: DeviceSession, sample: PairSample, faces: DecodedFaces) -> There | NotThere:
    device, runtime = there.device.name, built.id.runtime
    try:
        if not any(package in there.facts().versions for package in PACKAGES[runtime]):
            is_bare = there.facts().python is None
            fix = (
                "name c-int8: nothing else runs without a system"
                if is_bare
                else f"install {' or '.join(PACKAGES[runtime])} there"
            )
            raise RuntimeMissingError(f"{device} has no {runtime}", fix=fix)
        (size,) = {here.shape[1] for here in built.embeddings.values()}
        embeddings = embed_there(there, built.artifact, faces, sample.rows.tolist(), size, f"{built.id}@{device}")
        require_useful(embeddings, len(sample.rows))
        return There(built, embeddings)
    except GhostfaceEdgeError as error:
        there.context.progress.say(f"{built.id}@{device}: {error}")
        return NotThere(built, error)


def _counted(row: There, there: DeviceSession) -> There:
    """With its instructions and its footprint; what cannot be had is said, and costs the variant nothing."""
    try:
        row = replace(row, footprint=there.context.run(MeasureFootprint(row.built.artifact, there)))
        return replace(row, instructions_per_face=there.context.run(CountInstructions(row.built.artifact, there)))
    except GhostfaceEdgeError as error:
        there.context.progress.say(f"{row.built.id}@{there.device.name}: {error}")
        return row


def _time(ran: Sequence[There], fp32: Artifact, there: DeviceSession) -> Turns:
    name = str(fp32_of(there.runtime))
    artifacts = {name: fp32} | {str(row.built.id): row.built.artifact for row in ran}
    return there.context.run(TimeThere(artifacts, there))


def _timed(row: There, turns: Turns) -> There | NotThere:
    timing = turns.timings[str(row.built.id)]
    baseline = turns.timings[str(fp32_of(row.built.id.runtime))]
    for one in (timing, baseline):
        if not isinstance(one, Timing):
            return NotThere(row.built, one)
    assert isinstance(timing, Timing)
    assert isinstance(baseline, Timing)
    return There(row.built, row.embeddings, timing, baseline)


def _metered(ran: Sequence[There], there: DeviceSession) -> dict[str, float]:
    """Millijoules per face; where nothing can be metered that is said, and costs the variants nothing."""
    power = there.device.power
    if power is None:
        return {}
    try:
        return there.context.run(Meter({str(row.built.id): row.built.artifact for row in ran}, power, there))
    except GhostfaceEdgeError as error:
        there.context.progress.say(f"{there.device.name}: no energy: {error}")
        return {}


def _sustained(rows: Iterable[There | NotThere], sessions: Mapping[str, DeviceSession]) -> tuple[Sustained, ...]:
    """The fastest variant for minutes, single stream and all cores, where that is asked for."""
    timed = [(np.median(row.timing.samples_ms), row.built) for row in rows if isinstance(row, There) and row.timing]
    if not timed:
        return ()
    _, fastest = min(timed, key=lambda each: each[0])
    there = sessions[fastest.id.runtime]
    minutes, context = there.device.sustained_minutes, there.context
    if minutes is None:
        return ()
    try:
        streams = dict.fromkeys((1, all_cores(there)))
        return tuple(context.run(Endure(str(fastest.id), fastest.artifact, each, minutes, there)) for each in streams)
    except GhostfaceEdgeError as error:
        context.progress.say(f"{there.device.name}: nothing sustained: {error}")
        return ()


def _around(earlier: tuple[Conditions, Conditions] | None, turns: Turns) -> tuple[Conditions, Conditions]:
    return (turns.before if earlier is None else earlier[0], turns.after)
