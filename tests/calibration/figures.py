"""Print the figures of docs/faces.md: `python tests/calibration/figures.py MODEL.onnx`, with the FP32 export as MODEL.

Reads `../shared/assets`. Takes two minutes on two cores; not a test.
"""

import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnxruntime
import psutil
from numpy.typing import NDArray

from ghostface_edge.calibration.aligned import iterate_faces
from ghostface_edge.calibration.aligned_folder import align_folder, new_folder
from ghostface_edge.calibration.alignment import Origin
from ghostface_edge.calibration.faces import sample, scan_folder
from ghostface_edge.calibration.landmarks import Landmarks, read_landmarks
from ghostface_edge.calibration.leaks import find_leaks
from ghostface_edge.calibration.lfw_errata import PHOTOGRAPHS_UNDER_TWO_NAMES
from ghostface_edge.calibration.pairs_file import read_pairs_file
from ghostface_edge.calibration.pairs_source import PairsSource, open_pairs
from ghostface_edge.calibration.photos import open_photos
from ghostface_edge.calibration.preprocessing import normalize
from ghostface_edge.reports.metrics import cosine_scores, normalized, verification_accuracy

ASSETS = Path(__file__).resolve().parents[2].parent / "shared/assets"
COPIES = 20


class PeakMemory:
    """Highest resident memory of this process and its children, sampled every 50 ms."""

    def __init__(self) -> None:
        self.peak_mb = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        own = psutil.Process()
        while not self._stop.wait(0.05):
            total = own.memory_info().rss
            for child in own.children(recursive=True):
                try:
                    total += child.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self.peak_mb = max(self.peak_mb, total >> 20)


class Network:
    """The FP32 model on one thread."""

    def __init__(self, model: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def embed(self, batches: Iterable[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Embed faces (N, 112, 112, 3), 64 at a time."""
        parts = []
        for faces in batches:
            for start in range(0, len(faces), 64):
                inputs = np.ascontiguousarray(normalize(faces[start : start + 64]).transpose(0, 3, 1, 2))
                parts.append(self._session.run(None, {self._input: inputs})[0])
        return np.concatenate(parts)


def memory_and_pairs(network: Network) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Embeddings of lfw.bin's distinct faces, and of its faces by the pair list's image."""
    with PeakMemory() as memory:
        lfw = open_pairs(PairsSource(ASSETS / "lfw/lfw.bin"), new_folder(Path())).pairs
        embeddings = network.embed(iterate_faces(lfw.images, 64))
    print(f"embedding {len(embeddings):,} faces: peak {memory.peak_mb} MB")
    return embeddings, normalized(embeddings)[lfw.index.ravel()]


def alignment(network: Network, sides: NDArray[np.float64], cache: Path) -> None:
    """Agreement of self-aligned faces with those of lfw.bin."""
    lfw, lists = (
        ASSETS / "lfw",
        [read_pairs_file(ASSETS / "lfw" / name).pairs for name in ("pairs.txt", "raw-pairs.txt")],
    )
    row_of = {
        image: 2 * row + side for row, pair in enumerate(lists[0]) for side, image in enumerate((pair.left, pair.right))
    }
    detector = ASSETS / "detector/face_detection_yunet_2026may.onnx"
    ways = {
        "landmarks.csv": PairsSource(lfw / "raw-pairs.txt", lfw / "raw", lfw / "landmarks.csv"),
        "YuNet": PairsSource(lfw / "raw-pairs.txt", lfw / "raw", detector=detector),
    }
    for way, source in ways.items():
        opened = open_pairs(source, new_folder(cache / way), jobs=2)
        pairs, aligned = opened.pairs, opened.aligned
        unit = normalized(network.embed(iterate_faces(pairs.images, 64)))
        image_of = {}
        for pair in lists[1]:
            image_of |= {image.file: image for image in (pair.left, pair.right)}
        content = {(aligned.path / file.file).read_bytes(): image_of[file.name] for file in aligned.files}
        cosines = [unit[place] @ sides[row_of[content[image]]] for place, image in enumerate(pairs.images)]
        accuracy = verification_accuracy(cosine_scores(unit.astype(np.float32), pairs.index), pairs.same, pairs.folds)
        found = ", ".join(f"{aligned.count(origin)} {origin}" for origin in Origin)
        print(f"{way}: {found}; cosine to lfw.bin mean {np.mean(cosines):.4f}, min {np.min(cosines):.4f};", end=" ")
        print(f"10-fold {accuracy.mean:.4f}, AUC {accuracy.auc:.5f} over {len(pairs.same)} pairs")


def throughput(folder: Path) -> None:
    """Photographs aligned per second with landmarks given."""
    landmarks = read_landmarks(ASSETS / "lfw/landmarks.csv")
    points = {}
    for copy in range(COPIES):
        for name, five in landmarks.points.items():
            person, file = name.split("/")
            (folder / f"{person}{copy}").mkdir(parents=True, exist_ok=True)
            (folder / f"{person}{copy}" / file).symlink_to(ASSETS / "lfw/raw" / name)
            points[f"{person}{copy}/{file}"] = five
    with PeakMemory() as memory:
        start = time.perf_counter()
        aligned = align_folder(
            open_photos(folder), new_folder(folder.with_name("aligned")), Landmarks(landmarks.path, "", points), jobs=2
        )
        rate = len(aligned.files) / (time.perf_counter() - start)
    print(f"aligning {len(aligned.files):,} photographs, 2 processes: {rate:.0f} per second, peak {memory.peak_mb} MB")


def leaks(network: Network, embeddings: NDArray[np.float32]) -> None:
    """What the guard finds in the assets."""
    pairs = open_pairs(PairsSource(ASSETS / "lfw/lfw.bin"), new_folder(Path())).pairs
    files = scan_folder(ASSETS / "lfw/calibration")
    for exclude in ((), PHOTOGRAPHS_UNDER_TWO_NAMES):
        calibration = sample(files, len(files), 0, exclude=exclude)
        report = find_leaks(calibration, pairs, (network.embed([calibration.load()]), embeddings))
        print(f"leak guard by {', '.join(report.checked)}, {len(exclude)} photographs excluded:", end=" ")
        print(f"{len(report.leaks)} leaks")
        print("".join(f"  {leak}\n" for leak in report.leaks), end="")


def main() -> None:
    network = Network(sys.argv[1])
    embeddings, sides = memory_and_pairs(network)
    with tempfile.TemporaryDirectory() as scratch:
        alignment(network, sides, Path(scratch) / "cache")
        throughput(Path(scratch) / "photographs")
    leaks(network, embeddings)


if __name__ == "__main__":
    main()
