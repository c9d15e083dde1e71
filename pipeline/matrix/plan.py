"""What a matrix is made of, as people write it: a YAML file of axes, each a list.

In: a file. Out: a `Plan`. Paths are meant from where the file lies. Unknown keys are refused with the nearest known.
"""

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ghostface_edge.pipeline.support.options import parse_options
from ghostface_edge.reports.yaml_file import read_mapping


def _one_or_many(value: object) -> object:
    """Names as `run` takes them, with commas, or a list of them."""
    if isinstance(value, str):
        return tuple(name.strip() for name in value.split(",") if name.strip())
    return tuple(value) if isinstance(value, list) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_one_or_many)]
Path_ = Annotated[str, Field(min_length=1)]
_Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Plan(BaseModel):
    """Every cell is one of each axis; what one cell holds several of is a list in the list."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    checkpoints: tuple[Path_, ...] = ()
    """Trained networks; none: the one that ships with the tool."""
    recipes: Annotated[tuple[Path_, ...], Field(min_length=1)] = ("balanced",)
    targets: Annotated[tuple[Names, ...], Field(min_length=1)] = (("openvino", "onnxruntime", "tflite"),)
    devices: Annotated[tuple[Names, ...], Field(min_length=1)] = ((),)
    """Beside the host; an empty text or list: none."""
    pairs: tuple[Names, ...] = ()
    """Verification sets; none, as no calibration faces: people are rendered."""
    seeds: Annotated[tuple[_Seed, ...], Field(min_length=1)] = (0,)
    calibration: Path_ | None = None
    """Folder of aligned faces, of all cells."""
    calibration_faces: Annotated[int, Field(ge=1, le=10**6)] = 2000
    device_faces: Annotated[int, Field(ge=1)] | None = None
    """How many faces run on each device; all if None."""
    policy: Path_ | None = None
    """That every cell is judged by; the default policy if None."""
    jobs: Annotated[int, Field(ge=1)] = 1
    """Cores of each cell, as `run --jobs`."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a plan.

        Raises:
            InputError: no file, no YAML, an unknown key or a value that does not fit.
        """
        return parse_options(cls, read_mapping(path, fix="name the YAML file of a plan"), str(path), "plan")
