"""rknn-toolkit2, imported without PyTorch. Runs in its own environment: Python 3.9.

The toolkit imports PyTorch for PyTorch's models and for its algorithm `gdq`, neither of which is used here, and takes a
few gigabytes with it. What it needs to be imported stands in; whatever else it asked of PyTorch would be an
AttributeError that says so.
"""

import sys
from types import ModuleType
from typing import Any

_TORCH: Any = ModuleType("torch")
_TORCH.nn = ModuleType("torch.nn")
_TORCH.nn.Module = object
_TORCH.no_grad = lambda: lambda function: function
sys.modules.update({"torch": _TORCH, "torch.nn": _TORCH.nn})

from rknn.api import RKNN  # noqa: E402 - with what stands in

__all__ = ["RKNN"]
