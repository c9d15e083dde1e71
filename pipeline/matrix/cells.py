"""A plan's cells: for each of its axes one, and the ordinary job that comes of it.

In: a plan. Out: cells with names that stay the same as long as what decides them does.
"""

import functools
import hashlib
import itertools
import json
import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ghostface_edge.calibration.first_look import look_at_pairs
from ghostface_edge.calibration.pairs_source import sources
from ghostface_edge.calibration.photos import open_photos
from ghostface_edge.pipeline.checkpoints.formats import judge_checkpoint
from ghostface_edge.pipeline.default import default_checkpoint
from ghostface_edge.pipeline.matrix.plan import Names, Plan
from ghostface_edge.pipeline.quantize.options import RECIPES, Recipe, load_recipe
from ghostface_edge.pipeline.run.job import Job
from ghostface_edge.pipeline.support.code_version import code_version
from ghostface_edge.reports.cache_root import default_root
from ghostface_edge.reports.devices import DeviceKind
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.matrix.record import CELLS, Axes
from ghostface_edge.reports.policy import SHIPPED, Policy
from ghostface_edge.targets.devices.device import Device
from ghostface_edge.targets.devices.table import devices_file, find_devices
from ghostface_edge.targets.table import parse_variants

MOST: Final = 40_000
"""Cells of a plan: the record of more could not be read again, see `record.MAX_BYTES`."""
_EMBEDDED: Final = "embedded"
_LONGEST: Final = 60
"""Characters of a cell's name before its digest."""


@dataclass(frozen=True, slots=True)
class PlannedCell:
    """A run that a plan asks for."""

    id: str
    axes: Axes
    job: Job
    """Without its devices, which are looked up where it runs."""
    boards: tuple[str, ...]
    """Devices that nothing else may use meanwhile."""
    devices_file: Path | None
    """What names devices."""

    def job_there(self, *, beside_other_work: bool) -> Job:
        """The job on the machine that runs it."""
        found = find_devices(self.axes.devices, default_root() / "userlands", self.devices_file)
        return replace(self.job, devices=_elsewhere(found), beside_other_work=beside_other_work)


def cells_of(plan: Plan, folder: Path, out: Path) -> tuple[PlannedCell, ...]:
    """The cells of a plan, in the order of its axes, the last of which changes fastest.

    Args:
        plan: as it was read.
        folder: that its paths are meant from.
        out: of the matrix.

    Raises:
        InputError: something that it names cannot be used, or two cells are one.
    """
    count = 1
    for axis in (plan.recipes, plan.targets, plan.devices, plan.seeds, plan.checkpoints or "-", plan.pairs or "-"):
        count *= len(axis)
    if count > MOST:
        raise InputError(f"the plan has {count:,} cells, more than {MOST:,}", fix="split it into several plans")
    if bool(plan.pairs) != (plan.calibration is not None):
        raise InputError("pairs and calibration belong together", fix="name both, or none for rendered faces")
    reader = _Reader(plan, folder, out.absolute())
    checkpoints: tuple[str | None, ...] = plan.checkpoints or (None,)
    axes = itertools.product(checkpoints, plan.recipes, plan.targets, plan.devices, plan.pairs or ((),), plan.seeds)
    cells = tuple(reader.cell(*each) for each in axes)
    twice = [name for name, group in itertools.groupby(sorted(cell.id for cell in cells)) if len(list(group)) > 1]
    if twice:
        raise InputError(f"the plan asks twice for {twice[0]}", fix="name each value of an axis once")
    return cells


class _Reader:
    """Reads what cells name, each thing once."""

    def __init__(self, plan: Plan, folder: Path, out: Path) -> None:
        self.plan, self.folder, self.out = plan, folder.absolute(), out
        self.policy = self._policy()
        self.calibration = None if plan.calibration is None else self.folder / plan.calibration
        named = devices_file()
        self.devices_file = None if named is None else named.absolute()
        self.recipe = functools.cache(self._recipe)
        self.digest = functools.cache(file_sha256)
        self.variants = functools.cache(parse_variants)
        self.boards = functools.cache(self._boards)
        self.checkpoint = functools.cache(self._checkpoint)
        self._shared = _digest(
            [
                self.policy.model_dump(mode="json"),
                self._calibration_digest(),
                plan.calibration_faces,
                plan.device_faces,
                plan.jobs,
                code_version(),
            ]
        )

    def cell(
        self, checkpoint: str | None, recipe: str, targets: Names, devices: Names, pairs: Names, seed: int
    ) -> PlannedCell:
        """One cell of these values."""
        network, how, variants = self.checkpoint(checkpoint), self.recipe(recipe), self.variants(targets)
        sets = tuple(self.folder / path for path in pairs)
        for path in sets:
            look_at_pairs(path)
        axes = Axes(
            checkpoint=checkpoint or _EMBEDDED,
            recipe=recipe,
            targets=targets,
            devices=devices,
            pairs=pairs,
            seed=seed,
        )
        boards = self.boards(devices)
        decisive = [
            self.digest(network),
            how.decisive,
            [str(variant) for variant in variants],
            devices,
            [self.digest(path) if path.is_file() else str(path) for path in sets],
            seed,
            self._shared,
        ]
        name = _name(axes, _digest(decisive))
        job = Job(
            checkpoint=network,
            pairs=sources(sets),
            calibration=self.calibration,
            variants=variants,
            out=self.out / CELLS / name,
            recipe=how,
            policy=self.policy,
            nobody_shared=not sets,
            seed=seed,
            calibration_faces=self.plan.calibration_faces,
            cores=self.plan.jobs,
            device_faces=self.plan.device_faces,
        )
        return PlannedCell(name, axes, replace(job, command=self._command(job, axes)), boards, self.devices_file)

    def _command(self, job: Job, axes: Axes) -> str:
        """That makes the same report alone."""
        words = ["ghostface-edge", "run", axes.recipe if axes.recipe in RECIPES else str(self.folder / axes.recipe)]
        if job.pairs:
            words += ["--checkpoint", str(job.checkpoint), "--calibration", str(job.calibration)]
            words += [word for one in job.pairs for word in ("--pairs", str(one.path))]
        words += ["--targets", ",".join(axes.targets), "--calibration-faces", str(job.calibration_faces)]
        words += ["--devices", ",".join(axes.devices)] if axes.devices else []
        words += ["--device-faces", str(job.device_faces)] if job.device_faces else []
        words += ["--policy", self._policy_name()] if self.plan.policy else []
        return shlex.join([*words, "--seed", str(job.seed), "--jobs", str(job.cores)])

    def _calibration_digest(self) -> str | None:
        if self.calibration is None:
            return None
        if not self.calibration.is_dir():
            raise InputError(f"{self.calibration} is no folder", fix="give the path of a folder of faces")
        photos = open_photos(self.calibration)
        return photos.fingerprint(photos.names())

    def _policy_name(self) -> str:
        name = self.plan.policy or ""
        return name if name in SHIPPED else str(self.folder / name)

    def _policy(self) -> Policy:
        return Policy.read() if self.plan.policy is None else Policy.named(self._policy_name())

    def _recipe(self, name: str) -> Recipe:
        return load_recipe(name if name in RECIPES else str(self.folder / name))

    def _checkpoint(self, name: str | None) -> Path:
        path = default_checkpoint() if name is None else self.folder / name
        judge_checkpoint(path)
        return path

    def _boards(self, names: Names) -> tuple[str, ...]:
        found = find_devices(names, default_root() / "userlands", self.devices_file)
        return tuple(device.name for device in _elsewhere(found) if device.kind is not DeviceKind.EMULATED)


def _elsewhere(devices: tuple[Device, ...]) -> tuple[Device, ...]:
    return tuple(device for device in devices if device.kind is not DeviceKind.LOCAL)


def _name(axes: Axes, digest: str) -> str:
    """For people to tell cells apart, and a digest of all that decides it."""
    parts = (
        Path(axes.checkpoint).stem,
        Path(axes.recipe).stem,
        *axes.targets,
        *axes.devices,
        *(Path(path).stem for path in axes.pairs),
        f"s{axes.seed}",
    )
    words = re.sub(r"[^a-z0-9.]+", "-", "-".join(parts).lower()).strip("-.")[:_LONGEST]
    return f"{words}-{digest[:10]}"


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
