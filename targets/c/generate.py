"""A `.tflite` to C, all steps together."""

from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import InputError
from ghostface_edge.targets.c.arena import plan
from ghostface_edge.targets.c.fusion import fuse
from ghostface_edge.targets.c.layers import Program
from ghostface_edge.targets.c.reading import read_program
from ghostface_edge.targets.c.source import Source, write_source
from ghostface_edge.targets.protocol import ArtifactInfo, Layout
from ghostface_edge.targets.tflite.inspection import inspect_artifact, read_interface

_BYTE_SCALE, _BYTE_ZERO_POINT = 1 / 128, 128


@dataclass(frozen=True, slots=True)
class Generated:
    """C of a network, and what it gives."""

    source: Source
    program: Program
    """As it is computed, what is fused as one."""
    output: tuple[int, ...]
    """Shape for one face, as the `.tflite` has it."""

    def require_same(self, artifact: Path) -> None:
        """Refuse a `.c` that differs from what is generated, before it is compiled.

        Raises:
            InputError: it is missing, or another text.
        """
        if not artifact.is_file() or artifact.stat().st_size != len(self.source.c.encode()):
            same = False
        else:
            same = artifact.read_bytes() == self.source.c.encode()
        if not same:
            raise InputError(
                f"{artifact} is not what ghostface-edge {version('ghostface-edge')} generates of its .tflite",
                fix="generate it again; C from elsewhere is not compiled",
            )


def generate(origin: Path) -> Generated:
    """Generate C.

    Args:
        origin: portable `.tflite`, int8, batch 1.

    Raises:
        InputError: no such file, or no int8 input.
        ToolError: an operator that C is not written for.
    """
    program = fuse(read_program(origin))
    writer = f"ghostface-edge {version('ghostface-edge')}"
    source = write_source(program, plan(program), writer, file_sha256(origin))
    _, output = read_interface(origin)
    return Generated(source, program, output.shape[1:])


def describe(origin: Path) -> ArtifactInfo:
    """Facts of the C that is generated of a file: it takes the camera's bytes."""
    return replace(
        inspect_artifact(origin),
        constants_bytes=read_program(origin).constants_bytes,
        layout=Layout.NHWC,
        input_name="rgb",
        input_dtype="uint8",
        input_scale=_BYTE_SCALE,
        input_zero_point=_BYTE_ZERO_POINT,
    )
