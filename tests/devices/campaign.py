"""A cable that is pulled again and again, and what the line costs: a device behind ssh beside this host.

`python -m tests.devices.campaign MODEL.tflite lfw.bin --kills 50`, from the repository's root. A model embeds the faces
of all pairs in a child of this process, over ssh, and over ssh while every connection is killed at random moments: no
embedding may be lost, doubled or another, and the figures have to be the same. Then the two sides embed the same faces
in turns, which tells what the line costs per face. Ends with 1 if something did not hold.
"""

import argparse
import contextlib
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ghostface_edge.calibration.pair_sample import PairSample, sample_pairs
from ghostface_edge.calibration.verification import VerificationSet, load_pairs
from ghostface_edge.pipeline.stages.artifacts import Artifact, artifact_of
from ghostface_edge.pipeline.stages.context import StageContext
from ghostface_edge.pipeline.stages.decoded_faces import DecodedFaces
from ghostface_edge.pipeline.stages.device_embed import embed_there
from ghostface_edge.pipeline.stages.device_session import session
from ghostface_edge.pipeline.support.progress import Progress
from ghostface_edge.pipeline.support.store import Store
from ghostface_edge.reports.assess import PairSet, assess_there
from ghostface_edge.targets.devices.device import Device
from ghostface_edge.targets.devices.table import find_devices
from ghostface_edge.targets.protocol import Embeddings

from .sshd import HOST, CannotServeError, SshServer, devices_file, serving

_RUNTIME = "tflite"
_TURN = 128
"""Faces."""
_ALLOWED_OVERHEAD = 0.05
_LOOK_S = 0.05
_GAPS = 2.0
"""Time from one kill to the next, on average, in times that reaching the device takes: a line that never lasts as long
as a part brings none."""


class Pulling:
    """Kills a server's connections at random moments, until it has done so often enough or is told to stop."""

    def __init__(self, server: SshServer, kills: int, gap_s: float, seed: int) -> None:
        self.done = 0
        self._server, self._kills, self._gap_s, self._draw = server, kills, gap_s, random.Random(seed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._pull, daemon=True)

    def __enter__(self) -> "Pulling":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _pull(self) -> None:
        while self.done < self._kills and not self._stop.wait(_LOOK_S):
            if self._server.process.children() and not self._stop.wait(self._draw.uniform(0, 2 * self._gap_s)):
                self.done += self._server.kill_connections() > 0


@dataclass(frozen=True, slots=True)
class Trial:
    """What all runs share."""

    artifact: Artifact
    pairs: VerificationSet
    sample: PairSample
    faces: DecodedFaces
    folder: Path
    progress: Progress = field(default_factory=Progress)

    def embed(
        self, device: Device, label: str, meanwhile: Callable[[], contextlib.AbstractContextManager[object]]
    ) -> Embeddings:
        """All faces there, with a store of its own."""
        context = StageContext(Store(self.folder / label), self.folder / "logs", self.progress, 1)
        size = self.size(device)
        with session(device, _RUNTIME, context) as there:
            there.facts()
            with meanwhile():
                return embed_there(there, self.artifact, self.faces, self.sample.rows.tolist(), size, label)

    def figures(self, there: Embeddings, here: Embeddings) -> dict[str, object]:
        """As a report has them."""
        index = np.searchsorted(self.sample.rows, self.pairs.index[self.sample.pairs])
        pairs = PairSet(index, self.pairs.same[self.sample.pairs], self.pairs.folds)
        return assess_there(pairs, there, here, seed=0).model_dump(mode="json")

    def size(self, device: Device) -> int:
        """Values of an embedding."""
        with device.open(_RUNTIME, log=self.folder / "logs" / "size.log") as there:
            there.load(self.artifact.files, 1, 1)
            return there.embed(np.zeros((1, 112, 112, 3), np.uint8)).shape[1]


def overhead(trial: Trial, local: Device, remote: Device, turns: int) -> dict[str, float]:
    """Milliseconds per face on both sides in turns, and the ratio of their medians."""
    images = np.load(trial.faces.path, mmap_mode="r")
    taken: dict[str, list[float]] = {local.name: [], remote.name: []}
    with contextlib.ExitStack() as stack:
        sides = []
        for device in (local, remote):
            there = stack.enter_context(device.open(_RUNTIME, log=trial.folder / "logs" / "turns.log"))
            there.load(trial.artifact.files, 1, 1)
            there.embed(images[:_TURN])
            sides.append((device.name, there))
        for turn in range(turns):
            at = turn * _TURN % max(len(images) - _TURN, 1)
            part = np.ascontiguousarray(images[at : at + _TURN])
            for name, there in sides if turn % 2 else reversed(sides):
                started = time.perf_counter()
                there.embed(part)
                taken[name].append((time.perf_counter() - started) * 1e3 / len(part))
    medians = {name: statistics.median(times) for name, times in taken.items()}
    ratios = [there / here for here, there in zip(taken[local.name], taken[remote.name], strict=True)]
    return {
        "local_ms_per_face": medians[local.name],
        "ssh_ms_per_face": medians[remote.name],
        "overhead": statistics.median(ratios) - 1,
    }


@contextlib.contextmanager
def devices(folder: Path) -> Iterator[tuple[Device, Device, SshServer]]:
    """This host as a device, the server as another, and the server."""
    with serving(folder) as server:
        os.environ["PATH"] = f"{server.programs}{os.pathsep}{os.environ['PATH']}"
        (folder / "devices.yaml").write_text(devices_file(folder))
        local, remote = find_devices(["local", HOST], folder, folder / "devices.yaml")
        yield local, remote, server


def main() -> int:
    """Run the campaign; 1 if something did not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="a .tflite")
    parser.add_argument("pairs", type=Path, help="such as lfw.bin")
    parser.add_argument("--faces", type=int, default=1000, help="0: those of all pairs")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--turns", type=int, default=20, help="in which the two sides are timed")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    pairs = load_pairs(given.pairs)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="devices-")))
        (folder / "logs").mkdir()
        (folder / "ssh").mkdir()
        try:
            local, remote, server = stack.enter_context(devices(folder / "ssh"))
        except CannotServeError as reason:
            print(f"not run: {reason}")
            return 0
        faces = stack.enter_context(DecodedFaces.of_pairs(Store(folder / "faces"), pairs))
        sample = sample_pairs(pairs, given.faces or None, given.seed)
        trial = Trial(artifact_of(_RUNTIME, given.model), pairs, sample, faces, folder)
        here = trial.embed(local, "local", contextlib.nullcontext)
        started = time.monotonic()
        trial.size(remote)
        gap_s = _GAPS * (time.monotonic() - started)
        quiet = trial.embed(remote, "quiet", contextlib.nullcontext)
        kills, passes, differing = 0, 0, 0
        while kills < given.kills:
            pulling = Pulling(server, given.kills - kills, gap_s, given.seed + passes)
            pulled = trial.embed(remote, f"pulled-{passes}", lambda pulling=pulling: pulling)
            kills, passes = kills + pulling.done, passes + 1
            differing += pulled.tobytes() != quiet.tobytes() or trial.figures(pulled, here) != trial.figures(
                quiet, here
            )
        costs = overhead(trial, local, remote, given.turns)
        figures = trial.figures(quiet, here)
    told = {"faces": len(here), "pairs": len(sample.pairs), "kills": kills, "passes": passes, "differing": differing}
    print(json.dumps({**told, "versus_local": figures, **costs}, indent=1))
    held = differing == 0 and figures["equal_bytes"] == len(here)
    return 0 if held and costs["overhead"] <= _ALLOWED_OVERHEAD else 1


if __name__ == "__main__":
    sys.exit(main())
