"""Programs cut short by the vendor's own reader and writer; runs where they are, as `exporter` does."""

import json
import tempfile
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

from ghostface_edge.targets.executorch.flatbuffer import Table, root


class Cutter:
    """Ends programs at one of their values."""

    def cut(self, artifact: Path, value: int, nodes: list[int], out: Path) -> None:
        """Write a program that gives one value, as it is held: channels last, integers where it is quantized.

        Args:
            artifact: `.pte` that `program.read_program` takes.
            value: of its graph.
            nodes: that the value needs, by their places; none if it is the input.
            out: to write.
        """
        from executorch.backends.xnnpack.serialization import xnnpack_graph_schema as schema
        from executorch.backends.xnnpack.serialization.xnnpack_graph_serialize import serialize_xnnpack_binary
        from executorch.backends.xnnpack.utils import xnnpack_constants as flags
        from executorch.exir._serialize._program import deserialize_pte_binary, serialize_pte_binary

        file = deserialize_pte_binary(Path(artifact).read_bytes())
        (plan,) = file.program.execution_plan
        blob = file.program.backend_delegate_data[plan.delegates[0].processed.index]
        graph, constants = _read(bytes(blob.data))
        graph.xnodes = [graph.xnodes[place] for place in nodes]
        if not nodes:
            graph.xvalues.append(schema.XValue(_copied(_tensor(graph, value), len(graph.xvalues))))
            copy = schema.XNNCopy(input_id=value, output_id=len(graph.xvalues) - 1, flags=0)
            graph.xnodes, value = [schema.XNode(copy, 0)], len(graph.xvalues) - 1
        last, result = _tensor(graph, graph.output_ids[0]), _tensor(graph, value)
        number = last.external_id
        last.external_id, last.flags = flags.XNN_INVALID_VALUE_ID, 0
        result.external_id, result.flags = number, flags.XNN_VALUE_FLAG_EXTERNAL_OUTPUT
        graph.output_ids = [value]
        blob.data = serialize_xnnpack_binary(graph, constants)
        _announce(plan, result.dims, result.datatype == schema.XNNDatatype.xnn_datatype_fp32)
        Path(out).write_bytes(bytes(serialize_pte_binary(file, extract_delegate_segments=True)))


def _read(blob: bytes) -> tuple[Any, bytearray]:
    """An XNNPACK graph and the constants behind it."""
    from executorch.backends.xnnpack.serialization.xnnpack_graph_schema import XNNGraph
    from executorch.backends.xnnpack.serialization.xnnpack_graph_serialize import XNNHeader, _get_schema_bytes
    from executorch.exir._serialize._dataclass import _json_to_dataclass
    from executorch.exir._serialize._flatbuffer import _flatc_decompile, _replace_infinity_in_json_file

    header = XNNHeader.from_bytes(blob[: XNNHeader.EXPECTED_LENGTH])
    with tempfile.TemporaryDirectory() as folder:
        schema, graph = Path(folder) / "schema.fbs", Path(folder) / "graph.bin"
        schema.write_bytes(_get_schema_bytes())
        graph.write_bytes(written := blob[header.flatbuffer_offset :][: header.flatbuffer_size])
        _flatc_decompile(folder, str(schema), str(graph))
        text = _replace_infinity_in_json_file(graph.with_suffix(".json").read_bytes())
    constants = blob[header.constant_data_offset :][: header.constant_data_size]
    read = _json_to_dataclass(json.loads(text), XNNGraph)
    _restore_floats(read, root(written, b"XN01"))
    return read, bytearray(constants)


def _restore_floats(graph: Any, table: Table) -> None:
    """The vendor's reader writes text with six decimals, which is no scale any more."""
    for value, entry in zip(graph.xvalues, table.tables(2), strict=True):
        grid: Any = getattr(value.xvalue_union, "quant_params", None)
        if hasattr(grid, "zero_point"):
            grid.scale = entry.table(1).table(2).real(0)
    for node, entry in zip(graph.xnodes, table.tables(1), strict=True):
        if node.output_min_max is not None:
            ends = entry.table(3)
            node.output_min_max.output_min, node.output_min_max.output_max = ends.real(0), ends.real(1)
        if hasattr(node.xnode_union, "padding_value"):
            node.xnode_union.padding_value = entry.table(1).real(2)


def _tensor(graph: Any, value: int) -> Any:
    held = graph.xvalues[value].xvalue_union
    return getattr(held, "tensor_value", held)


def _copied(tensor: Any, value: int) -> Any:
    return replace(tensor, id_out=value)


def _announce(plan: Any, shape: list[int], is_float: bool) -> None:
    """Say what the program gives now, and keep memory for it behind all else."""
    from executorch.exir.scalar_type import ScalarType

    result = plan.values[plan.outputs[0]].val
    result.scalar_type = ScalarType.FLOAT if is_float else ScalarType.CHAR
    result.sizes, result.dim_order = list(shape), list(range(len(shape)))
    place = result.allocation_info
    place.memory_offset_low = plan.non_const_buffer_sizes[place.memory_id]
    plan.non_const_buffer_sizes[place.memory_id] += -(-prod(shape) * 4 // 64) * 64
