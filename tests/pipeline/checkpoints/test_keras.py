from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from ghostface_edge.pipeline.checkpoints.formats import load_checkpoint
from ghostface_edge.pipeline.network.architecture import Activation, Architecture
from ghostface_edge.pipeline.network.checkpoint import network_of
from ghostface_edge.pipeline.network.ghostfacenet import count_parameters
from ghostface_edge.reports.errors import InputError

from ..conftest import MakeCheckpoint
from .keras_writer import KerasFile

ARCHITECTURES = [
    Architecture(0.2),
    Architecture(0.2, stride=1, head_bias=True),
    Architecture(0.45, activation=Activation.RELU, embedding_size=32),
    Architecture(0.2, version=2),
    Architecture(0.25, stride=1, version=2, image_size=96),
]


def test_the_official_checkpoint(assets: Path) -> None:
    checkpoint = load_checkpoint(assets / "checkpoints/GN_W0.5_S2_ArcFace_epoch16.h5")
    assert checkpoint.sha256 == "2beca52a2aeadfa81ed5ebab35e2a58f7c79e3c1ffda80a31511861870151715"
    assert checkpoint.architecture == Architecture(0.5, stride=2)
    assert count_parameters(network_of(checkpoint)) == 722_364
    slopes = np.concatenate([value for name, value in checkpoint.weights.items() if name.endswith("activation.weight")])
    assert (slopes.size, int((slopes < 0).sum()), int((slopes > 1).sum())) == (3880, 2193, 224)


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=str)
def test_weights_come_back_as_they_were_written(
    make_checkpoint: MakeCheckpoint, tmp_path: Path, architecture: Architecture
) -> None:
    written = make_checkpoint(architecture)
    loaded = load_checkpoint(KerasFile(written).write(tmp_path / "net.h5"))
    assert loaded.architecture == architecture
    assert loaded.weights.keys() == written.weights.keys()
    for name, value in written.weights.items():
        np.testing.assert_array_equal(loaded.weights[name], value, err_msg=name)


def test_numbers_may_start_anywhere(make_checkpoint: MakeCheckpoint, tmp_path: Path) -> None:
    written = make_checkpoint(Architecture(0.2))
    loaded = load_checkpoint(KerasFile(written, first_number=97).write(tmp_path / "net.h5"))
    assert all(np.array_equal(loaded.weights[name], value) for name, value in written.weights.items())


@pytest.mark.parametrize("version", [1, 2])
def test_a_classification_head_of_training_is_left_out(
    make_checkpoint: MakeCheckpoint, tmp_path: Path, version: int
) -> None:
    written = make_checkpoint(Architecture(0.2, version=version))
    file = KerasFile(written)
    file.add("NormDense", ["embedding"], "arcface", units=93431)
    file.arrays["arcface"] = {"norm_dense_w": np.zeros((512, 10), np.float32)}
    loaded = load_checkpoint(file.write(tmp_path / "training.h5"))
    assert loaded.weights.keys() == written.weights.keys()


def test_version_2_may_pad_by_same_where_that_is_symmetric(make_checkpoint: MakeCheckpoint, tmp_path: Path) -> None:
    file = KerasFile(make_checkpoint(Architecture(0.2, version=2)))
    conv = file.layer("stack1_ghost_1_cheap_dw_conv")
    pad = file.layer(conv["inbound_nodes"][0][0][0])
    conv["inbound_nodes"] = pad["inbound_nodes"]
    conv["config"]["padding"] = "same"
    file.layers.remove(pad)
    load_checkpoint(file.write(tmp_path / "net.h5"))


Change = Callable[[KerasFile], object]


def drop(name: str) -> Change:
    """Remove a layer, its consumers reading what it read."""

    def change(file: KerasFile) -> None:
        gone = file.layer(name)
        (source,) = [source[0] for source in gone["inbound_nodes"][0]]
        for layer in file.layers:
            for node in layer["inbound_nodes"]:
                for reader in node:
                    if reader[0] == name:
                        reader[0] = source
        file.layers.remove(gone)

    return change


def setting(name: str, key: str, value: object) -> Change:
    return lambda file: file.layer(name)["config"].update({key: value})


def insert_lambda(file: KerasFile) -> None:
    file.add("Lambda", ["embedding"], "l2", function=["4wEAAAAAAAAA", None, None], function_type="lambda")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop("activation_3"), r"followed by no activation, expected PReLU"),
        (drop("batch_normalization_5"), r"not followed by BatchNormalization"),
        (drop("depthwiseconv2d_9"), r"'depthwiseconv2d_10'"),
        (setting("batch_normalization_3", "epsilon", 0.001), r"'batch_normalization_3' has epsilon 0.001"),
        (setting("pre_embedding", "epsilon", 0.001), r"'pre_embedding' has epsilon"),
        (setting("conv2d_5", "strides", [2, 2]), r"'conv2d_5'.*strides"),
        (setting("conv2d_5", "activation", "relu"), r"'conv2d_5'.*activation relu"),
        (setting("depthwiseconv2d_2", "padding", "valid"), r"'depthwiseconv2d_2'.*padding valid"),
        (setting("input_1", "batch_input_shape", [None, 112, 96, 3]), r"input is .*square"),
        (setting("input_1", "batch_input_shape", [None, 112, 112, 1]), r"input is "),
        (setting("conv2d_7", "filters", 24), r"'conv2d_7'.*filters 24"),
        (insert_lambda, r"'l2' is a Lambda, which holds Python code; none of it was run"),
        (lambda file: file.arrays["conv2d_4"].pop("kernel"), r"'conv2d_4' has no weight 'kernel'"),
        (lambda file: file.arrays["conv2d_4"].update(kernel=np.zeros((1, 1, 3, 3), np.float32)), r"'conv2d_4'.*kernel"),
        (lambda file: file.arrays["activation"].update(alpha=np.zeros((1, 1, 3), np.float32)), r"alpha of shape"),
        (lambda file: file.layers.remove(file.layer("pre_embedding")), r"pre_embedding"),
        (lambda file: file.layers.remove(file.layer("GDC_dw")), r"'GDC_dw', which does not exist"),
        (lambda file: file.layer("add_3")["inbound_nodes"].clear(), r"input is"),
    ],
)
def test_another_network_is_refused_by_name(
    make_checkpoint: MakeCheckpoint, tmp_path: Path, change: Change, message: str
) -> None:
    file = KerasFile(make_checkpoint(Architecture(0.2)))
    change(file)
    path = file.write(tmp_path / "net.h5")
    with pytest.raises(InputError, match=message) as caught:
        load_checkpoint(path)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (setting("stack5_ghost_1_short_sigmoid", "activation", "tanh"), "sigmoid"),
        (setting("stem_pad_stem", "padding", [[0, 1], [0, 1]]), "stem_conv.*pads"),
        (setting("averagepooling2d_2", "padding", "same"), "'averagepooling2d_2' pools"),
        (lambda file: file.first("TFOpLambda")["inbound_nodes"][0][3].update(method="nearest"), "resizes by nearest"),
        (lambda file: file.layers.remove(file.layer("stack9_ghost_2_prim_conv")), "does not exist"),
        (setting("activation", "activation", "hard_sigmoid"), "hard_sigmoid"),
    ],
)
def test_another_version_2_is_refused_by_name(
    make_checkpoint: MakeCheckpoint, tmp_path: Path, change: Change, message: str
) -> None:
    file = KerasFile(make_checkpoint(Architecture(0.2, version=2)))
    change(file)
    with pytest.raises(InputError, match=message):
        load_checkpoint(file.write(tmp_path / "net.h5"))


@pytest.mark.parametrize("kind", ["external link", "external storage", "soft link away"])
def test_weights_outside_the_file_are_not_followed(make_checkpoint: MakeCheckpoint, tmp_path: Path, kind: str) -> None:
    path = KerasFile(make_checkpoint(Architecture(0.2))).write(tmp_path / "net.h5")
    with h5py.File(tmp_path / "secret.h5", "w") as secret:
        secret["kernel"] = np.zeros((3, 3, 3, 4), np.float32)
    with h5py.File(path, "r+") as file:
        group = file["model_weights/conv2d/conv2d"]
        shape = group["kernel:0"].shape
        del group["kernel:0"]
        if kind == "external link":
            group["kernel:0"] = h5py.ExternalLink("secret.h5", "kernel")
        elif kind == "soft link away":
            group["kernel:0"] = h5py.SoftLink("/nowhere")
        else:
            (tmp_path / "raw").write_bytes(bytes(int(np.prod(shape)) * 4))
            group.create_dataset("kernel:0", shape, np.float32, external=[(str(tmp_path / "raw"), 0, 10_000)])
    with pytest.raises(InputError, match=r"a link to another place|lies in another file"):
        load_checkpoint(path)


def test_an_array_that_no_memory_holds_is_not_read(make_checkpoint: MakeCheckpoint, tmp_path: Path) -> None:
    path = KerasFile(make_checkpoint(Architecture(0.2))).write(tmp_path / "net.h5")
    with h5py.File(path, "r+") as file:
        del file["model_weights/conv2d/conv2d/kernel:0"]
        file.create_dataset("model_weights/conv2d/conv2d/kernel:0", (1 << 20, 1 << 20), np.float32, chunks=(64, 64))
    with pytest.raises(InputError, match="of shape \\(1048576, 1048576\\) takes 0 bytes"):
        load_checkpoint(path)


@pytest.mark.parametrize("keep", [0, 3, 700, 50_000])
def test_a_cut_file_is_refused(make_checkpoint: MakeCheckpoint, tmp_path: Path, keep: int) -> None:
    path = KerasFile(make_checkpoint(Architecture(0.2))).write(tmp_path / "net.h5")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"cannot be read|not an HDF5 file"):
        load_checkpoint(path)


@pytest.mark.parametrize("config", ["", "{", "[]", '{"config": {"layers": [{}]}}', '{"config": {"layers": [1]}}'])
def test_a_damaged_config_is_refused(tmp_path: Path, config: str) -> None:
    path = tmp_path / "net.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = config
    with pytest.raises(InputError, match="not a Keras 2 functional model"):
        load_checkpoint(path)


def test_weights_alone_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "net.h5", "w") as file:
        file.create_group("model_weights")
    with pytest.raises(InputError, match="only weights"):
        load_checkpoint(tmp_path / "net.h5")


def test_the_network_of_a_keras_file_computes_what_it_did(make_checkpoint: MakeCheckpoint, tmp_path: Path) -> None:
    written = make_checkpoint(Architecture(0.2, version=2))
    loaded = load_checkpoint(KerasFile(written).write(tmp_path / "net.h5"))
    x = torch.randn(2, 3, 112, 112)
    with torch.no_grad():
        torch.testing.assert_close(network_of(loaded)(x), network_of(written)(x))
