"""Sophgo's tools, interpreter and chip models, in the environment that has them: Python 3.10 and NumPy.

The tools run as they are documented, each in a process of its own in a folder of its own, which they fill.
"""

import hashlib
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from ghostface_edge.calibration.preprocessing import require_shape
from ghostface_edge.reports.errors import InputError, ToolError
from ghostface_edge.targets.places.inference import Inference
from ghostface_edge.targets.places.wire import Array

_TOOL = """
import os, runpy, sys, types
torch = sys.modules["torch"] = types.ModuleType("torch")
tokens = sys.modules["onnxruntime_extensions.cvt"] = types.ModuleType("onnxruntime_extensions.cvt")
tokens.gen_processing_models = None
import tpu_mlir
os.environ["LD_LIBRARY_PATH"] = sys.argv[1] + os.pathsep + os.environ["LD_LIBRARY_PATH"]
sys.argv = sys.argv[2:]
runpy.run_path(os.environ["TPUC_ROOT"] + "/python/tools/" + sys.argv[0] + ".py", run_name="__main__")
"""
"""Runs a tool with this system's C library before the wheel's own, which is Ubuntu's and ends in a crash elsewhere.

The tools import PyTorch and a tokenizer's converter at their beginning, and use neither for a network in ONNX; empty
modules stand for both, which saves gigabytes.
"""
_EPOCH = (1980, 1, 1, 0, 0, 0)
_SAID = 1_500
"""Characters of what a tool said last."""


class Toolchain:
    """The vendor's tools, one network in one folder.

    Args:
        folder: to work in; takes everything that they leave.
        chip: as the tools call it.
    """

    def __init__(self, folder: Path, chip: str) -> None:
        self._folder, self._chip = Path(folder), chip

    def transform(self, model: Path, side: int, mean: float) -> None:
        """`model_transform`: ONNX to the vendor's form.

        Args:
            model: float32, opset 18 and IR 8 at most, one NCHW input of one face.
            side: of a face.
            mean: of the preprocessing that is noted; a pixel's scale is 1/128.
        """
        self._run(
            "model_transform",
            *("--model_name", "net", "--model_def", str(model), "--input_shapes", f"[[1,3,{side},{side}]]"),
            *("--mean", ",".join([str(mean)] * 3), "--scale", ",".join([str(1 / 128)] * 3), "--pixel_format", "rgb"),
            *("--mlir", "net.mlir"),
        )

    def calibrate(self, inputs: Array) -> None:
        """`run_calibration` with its defaults.

        Args:
            inputs: float32 (N, 3, S, S), as the network takes them.
        """
        names = []
        for number, value in enumerate(inputs):
            names.append(f"{number}.npy")
            np.save(self._folder / names[-1], value[None])
        (self._folder / "faces.txt").write_text("\n".join(names) + "\n")
        given = ("--data_list", "faces.txt", "--input_num", str(len(inputs)), "--chip", self._chip)
        self._run("run_calibration", "net.mlir", *given, "-o", "net.table")

    def deploy(self, options: tuple[str, ...], artifact: Path) -> None:
        """`model_deploy`: the chip's file, and beside it the program and weights that the interpreter runs.

        Args:
            options: besides those that every network has.
            artifact: the chip's file; `.mlir` and `.npz` are written beside it.
        """
        artifact = Path(artifact)
        given = ("--quantize", "INT8", "--chip", self._chip, "--calibration_table", "net.table", "--debug")
        self._run("model_deploy", "--mlir", "net.mlir", *given, *options, "--model", f"net{artifact.suffix}")
        (program,) = self._folder.glob("net_*_tpu.mlir")
        text, weights = program.read_text(), artifact.with_suffix(".npz")
        found = re.search('module.weight_file = "([^"]+)"', text)
        if found is None:
            raise ToolError("model_deploy wrote a program without weights", fix="install the environment again")
        artifact.with_suffix(".mlir").write_text(text.replace(found[1], weights.name))
        pack(self._folder / found[1], weights)
        artifact.write_bytes(timeless((self._folder / f"net{artifact.suffix}").read_bytes()))

    def _run(self, tool: str, *arguments: str) -> None:
        command = [sys.executable, "-I", "-c", _TOOL, _system_libraries(), tool, *arguments]
        variables = {**os.environ, "OMP_NUM_THREADS": "1"}
        ended = subprocess.run(
            command, cwd=self._folder, env=variables, capture_output=True, text=True, errors="replace", check=False
        )
        sys.stderr.write(ended.stdout + ended.stderr)
        if ended.returncode:
            said = re.sub(r"\s+", " ", (ended.stdout + ended.stderr)[-_SAID:]).strip()
            raise ToolError(f"{tool} failed: {said}", fix="export the network again, or see what it said in the log")


def timeless(model: bytes) -> bytes:
    """A chip's file without the time at which it was made, so that the same network is the same bytes.

    A `.cvimodel` has an MD5 of all behind its header, which is computed anew; a `.bmodel` has nothing of the kind.
    """
    if model.startswith(b"CviModel"):
        body = re.sub(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", b"1980-01-01 00:00:00", model[48:], count=1)
        return model[:14] + hashlib.md5(body, usedforsecurity=False).digest() + model[30:48] + body
    return re.sub(rb"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}", b"Tue Jan  1 00:00:00 1980", model, count=1)


def pack(weights: Path, out: Path, names: Iterable[str] | None = None) -> None:
    """The same arrays, or those of these names, in an `.npz` that is the same every time."""
    with zipfile.ZipFile(weights) as given, zipfile.ZipFile(out, "w") as written:
        for name in sorted(given.namelist() if names is None else (f"{name}.npy" for name in names)):
            written.writestr(zipfile.ZipInfo(name, _EPOCH), given.read(name))


class Interpreter(Inference):
    """`pymlir`: the quantized program, integer for integer, as `model_runner` runs it."""

    def __init__(self) -> None:
        super().__init__(_Interpreted)


class ChipModel(Inference):
    """The vendor's model of the chip, running the chip's own file.

    Args:
        chip: as the tools call it.
    """

    def __init__(self, chip: str) -> None:
        super().__init__(_CviModel if chip.startswith("cv") else _BModel)


class _Interpreted:
    """A program that `Toolchain.deploy` wrote."""

    def __init__(self, artifact: Path, threads: int, batch: int) -> None:
        os.environ["OMP_NUM_THREADS"] = str(threads)
        pymlir = _module("pymlir")
        program = Path(artifact).with_suffix(".mlir")
        os.chdir(program.parent)  # weights are named without a folder
        pymlir.set_mem_mode("value_mem")
        self._module = pymlir.module()
        self._module.load(program.name)
        (self._input,), (self._output,) = self._module.input_names, self._module.output_names
        self._batch, self._entry = batch, entry_of(program.read_text())

    def prepare(self, faces: Array) -> Array:
        """NCHW float32, normalised as the program notes it."""
        mean, scale, shape = self._entry
        inputs = (faces.transpose(0, 3, 1, 2).astype(np.float32) - np.float32(mean)) * np.float32(scale)
        require_shape(inputs.shape, [self._batch, *shape[1:]])
        return inputs

    def run(self, inputs: Array) -> Array:
        """Infer once for each face."""
        return self.infer(inputs).reshape(len(inputs), -1)

    def infer(self, inputs: Array) -> Array:
        """Infer once for each face; real numbers of what the last operator gives."""
        outputs = []
        for face in inputs:
            self._module.set_tensor(self._input, np.ascontiguousarray(face[None]), (1, *face.shape))
            self._module.invoke(True)
            outputs.append(np.array(self._module.get_tensor(self._output), np.float32))
        return np.concatenate(outputs)


class _Chip:
    """A chip's file; what its inputs and outputs are is in it."""

    def __init__(self, net: Any, batch: int) -> None:
        self._net, self._batch = net, batch
        (self._input,), (self._output,) = net.inputs, net.outputs

    def prepare(self, faces: Array) -> Array:
        """What the file takes: the byte less 128, or (byte - 127.5) / 128."""
        taken, pixels = self._input.data, faces.transpose(0, 3, 1, 2).astype(np.float32)
        require_shape(pixels.shape, [self._batch, *taken.shape[1:]])
        return (pixels - 128).astype(np.int8) if taken.dtype == np.int8 else (pixels - np.float32(127.5)) / 128

    def run(self, inputs: Array) -> Array:
        """Infer once for each face."""
        outputs = []
        for face in inputs:
            self._input.data[:] = face[None]
            self._net.forward()
            outputs.append(np.array(self._output.data, np.float32).reshape(1, -1))
        return np.concatenate(outputs)

    infer = run


class _CviModel(_Chip):
    def __init__(self, artifact: Path, threads: int, batch: int) -> None:  # noqa: ARG002 - as others are loaded
        pyruntime_cvi = _module("pyruntime_cvi")
        super().__init__(pyruntime_cvi.Model(str(artifact), output_all_tensors=False), batch)


class _BModel(_Chip):
    def __init__(self, artifact: Path, threads: int, batch: int) -> None:  # noqa: ARG002 - as others are loaded
        pyruntime_bm = _module("pyruntime_bm")
        self._model = pyruntime_bm.Model(str(artifact), 0, "")
        super().__init__(self._model.Net(self._model.networks[0]), batch)


def _module(name: str) -> Any:
    """One of the wheel's modules; the package makes its folder known."""
    import_module("tpu_mlir")
    return import_module(name)


def entry_of(program: str) -> tuple[float, float, list[int]]:
    """Mean and scale of a pixel, and the shape of the input, as a program's first operator notes them."""
    found = re.search(
        r'"top\.Input"\(.*?\bmean = \[(\S+), .*?\bscale = \[(\S+), .*? : \(tensor<([0-9x]+)xf32>\)', program
    )
    if found is None:
        raise InputError("the program takes no faces", fix="give a file that this tool wrote")
    return float(found[1]), float(found[2]), [int(size) for size in found[3].split("x")]


def _system_libraries() -> str:
    """Folder of the C library that runs this process."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        if re.search(r"/libc[.-][^/]*so", line):
            return str(Path(line.split(maxsplit=5)[5]).parent)
    raise ToolError("this Python has no C library of its own", fix="use a Python that is linked to glibc")
