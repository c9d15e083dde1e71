from dataclasses import dataclass
from math import inf
from pathlib import Path

from ghostface_edge.pipeline.support.json_value import read_value, write_value
from ghostface_edge.targets.protocol import Precision


@dataclass(frozen=True)
class Point:
    where: Path
    precision: Precision
    values: tuple[float, ...]
    inner: "dict[str, int] | None" = None


def test_values_come_back_equal(tmp_path):
    for value in (
        Point(tmp_path, Precision.INT8, (0.1 + 0.2, 1e-300, inf, -inf)),
        Point(Path("a"), Precision.FP32, (), {"b": 1}),
    ):
        write_value(tmp_path / "value.json", value)
        assert read_value(tmp_path / "value.json", Point) == value
