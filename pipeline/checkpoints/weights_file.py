"""This project's own weight files: `.safetensors`, and PyTorch's `.pt` and `.pth` read without running code.

In: tensors under the names of `network.ghostfacenet.GhostFaceNet`, in a `.pt` also inside a dictionary such as
{"state_dict": ...}, with or without the `module.` prefix of DataParallel. What a file declares about itself is believed
where its weights agree.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ghostface_edge.pipeline.checkpoints.architecture_from_shapes import architecture_from_shapes, check_weights
from ghostface_edge.pipeline.checkpoints.safetensors_file import read_json_object
from ghostface_edge.pipeline.network.architecture import Activation, Architecture
from ghostface_edge.pipeline.network.checkpoint import Checkpoint
from ghostface_edge.pipeline.network.preprocessing import METADATA_KEY, from_metadata
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import InputError

_ARCHITECTURE_KEY = "ghostface_edge.architecture"
_WRAPPERS = ("weights", "state_dict", "model_state_dict", "model", "network", "backbone")
_COUNTER = "num_batches_tracked"


def write_safetensors(checkpoint: Checkpoint, path: Path) -> None:
    """Write weights and declarations; equal checkpoints give equal bytes.

    The library writes metadata in an order that changes from call to call, so the header is sorted anew. The format:
    8 bytes of the header's length, little endian, the header as JSON padded to a multiple of 8, the data.
    """
    from safetensors.numpy import save

    written = save(
        {name: np.ascontiguousarray(value) for name, value in checkpoint.weights.items()}, _metadata(checkpoint)
    )
    end = 8 + int.from_bytes(written[:8], "little")
    header = json.dumps(json.loads(written[8:end]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    path.write_bytes(len(header).to_bytes(8, "little") + header + written[end:])


def write_torch(checkpoint: Checkpoint, path: Path) -> None:
    """Write a dictionary of tensors and strings, which `torch.load(weights_only=True)` reads."""
    weights = {name: torch.from_numpy(np.array(value)) for name, value in checkpoint.weights.items()}
    torch.save({"weights": weights, "metadata": _metadata(checkpoint)}, path)


def read_safetensors(path: Path) -> Checkpoint:
    """Read weights written by `write_safetensors`, or any under this project's names.

    Raises:
        InputError: damaged, or not a GhostFaceNet.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable safetensors file ({error})", fix="give a whole file") from error
    return _checkpoint(path, tensors, metadata)


def read_torch(path: Path) -> Checkpoint:
    """Read a PyTorch file's tensors; a file that would have to run code is refused unread.

    Raises:
        InputError: damaged, holds more than tensors, or is not a GhostFaceNet.
    """
    import pickle

    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = str(error).split("\n", 1)[0]
        raise InputError(
            f"{path}: holds more than tensors, and reading it would run code from the file ({reason})",
            fix="save the weights alone: torch.save(network.state_dict(), path)",
        ) from error
    except (RuntimeError, OSError, EOFError, KeyError, ValueError) as error:
        raise InputError(f"{path}: not a readable PyTorch file ({error})", fix="give a whole .pt file") from error
    metadata = content.get("metadata", {}) if isinstance(content, dict) else {}
    return _checkpoint(path, _state(path, content), metadata if _is_text(metadata) else {})


def _state(path: Path, content: object) -> dict[str, torch.Tensor]:
    while isinstance(content, Mapping):
        if content and all(isinstance(value, torch.Tensor) for value in content.values()):
            return {str(name): value for name, value in content.items()}
        inner = next((content[key] for key in _WRAPPERS if isinstance(content.get(key), Mapping)), None)
        if inner is None:
            break
        content = inner
    raise InputError(
        f"{path}: holds no weights that can be found", fix=f"save a state_dict, alone or under '{_WRAPPERS[0]}'"
    )


def _is_text(metadata: object) -> bool:
    return isinstance(metadata, dict) and all(isinstance(part, str) for item in metadata.items() for part in item)


def _checkpoint(path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> Checkpoint:
    weights: dict[str, NDArray[np.float32]] = {}
    for name, tensor in tensors.items():
        if not name.endswith(_COUNTER):
            weights[name.removeprefix("module.")] = tensor.detach().to(torch.float32).numpy()
    try:
        declared = _declared(metadata)
        preprocessing = from_metadata(metadata)
    except InputError as error:
        raise InputError(f"{path}: {error.message}", fix=error.fix) from error
    architecture = declared or architecture_from_shapes(path, weights)
    check_weights(path, architecture, weights)
    return Checkpoint(path, file_sha256(path), architecture, weights, preprocessing)


def _metadata(checkpoint: Checkpoint) -> dict[str, str]:
    return {
        _ARCHITECTURE_KEY: json.dumps(asdict(checkpoint.architecture), sort_keys=True),
        METADATA_KEY: checkpoint.preprocessing.to_json(),
    }


def _declared(metadata: Mapping[str, str]) -> Architecture | None:
    if _ARCHITECTURE_KEY not in metadata:
        return None
    try:
        raw = read_json_object(metadata[_ARCHITECTURE_KEY])
        return Architecture(**{**raw, "activation": Activation(raw["activation"])})
    except InputError as error:
        raise InputError(f"the metadata '{_ARCHITECTURE_KEY}' cannot be used: {error.message}", fix=error.fix) from None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"the metadata '{_ARCHITECTURE_KEY}' cannot be read ({error})", fix="save it anew") from error
