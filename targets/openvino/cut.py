"""OpenVINO models that end at one of their tensors."""

from typing import Any

from ghostface_edge.targets.computed import Step, computed_tensors, require_computed
from ghostface_edge.targets.protocol import ComputedTensor

_ENDS = frozenset({"Parameter", "Result", "Constant"})


def tensors(model: Any) -> tuple[ComputedTensor, ...]:
    """See `Target.tensors`.

    Args:
        model: an `openvino.Model`, as read from a file; its layers' names are unique.
    """
    steps = [
        Step(
            node.get_type_name(),
            tuple(value.get_node().get_friendly_name() for value in node.input_values()),
            (node.get_friendly_name(),),
        )
        for node in model.get_ordered_ops()
        if node.get_type_name() not in _ENDS
    ]
    return computed_tensors(model.input().get_node().get_friendly_name(), steps)


def cut(model: Any, tensor: str) -> Any:
    """The model up to a tensor; see `Target.cut`."""
    import openvino
    from openvino import opset13

    require_computed(tensor, tensors(model))
    ending = next(node for node in model.get_ordered_ops() if node.get_friendly_name() == tensor)
    return openvino.Model([opset13.result(ending.output(0))], model.get_parameters(), model.get_friendly_name())
