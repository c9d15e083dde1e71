import dataclasses
import itertools
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ghostface_edge.pipeline.checkpoints.formats import load_checkpoint
from ghostface_edge.pipeline.network.architecture import Activation, Architecture
from ghostface_edge.pipeline.synthetic.sets import Population, picture, render_pairs
from ghostface_edge.pipeline.train import validation
from ghostface_edge.pipeline.train.batches import Order, batches
from ghostface_edge.pipeline.train.faces import open_faces
from ghostface_edge.pipeline.train.options import Margin, Numbers, Optimizer, SyntheticFaces, TrainOptions
from ghostface_edge.pipeline.train.run import train
from ghostface_edge.pipeline.train.schedule import Schedule
from ghostface_edge.reports.errors import InputError

SMALL = TrainOptions(
    architecture=Architecture(0.2, embedding_size=32),
    data=SyntheticFaces(identities=6, views=4),
    margin_size=0.1,
    scale=16.0,
    optimizer=Optimizer.ADAMW,
    learning_rate=5e-3,
    epochs=2,
    batch_size=8,
    warmup_epochs=0.5,
    threads=1,
    save_every=2,
)


class KilledError(Exception):
    pass


def kill_at(step: int) -> Callable[[str], None]:
    def say(line: str) -> None:
        if line.startswith(f"step {step}/"):
            raise KilledError

    return say


def test_a_resumed_run_ends_where_the_whole_one_does(tmp_path: Path) -> None:
    whole = train(SMALL, tmp_path / "whole")
    with pytest.raises(KilledError):
        train(SMALL, tmp_path / "killed", say=kill_at(4))
    assert not (tmp_path / "killed/weights.safetensors").exists()
    resumed = train(SMALL, tmp_path / "killed", resume=True)
    assert resumed.steps == whole.steps == 6
    assert resumed.sha256 == whole.sha256
    assert not (tmp_path / "killed/state.pt").exists()


def test_a_run_leaves_weights_history_and_curves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "_PAIRS", 40)
    result = train(SMALL, tmp_path, pairs=validation.Rendered(seed=1))
    checkpoint = load_checkpoint(result.weights)
    assert checkpoint.architecture == SMALL.architecture
    assert checkpoint.sha256 == result.sha256
    history = json.loads((tmp_path / "history.json").read_text())
    assert history["loss_steps"] == [2, 4, 6]
    assert history["validation_steps"] == [3, 6]
    assert history["accuracies"][-1] == result.accuracy
    assert result.curves.read_text().count("<polyline") == 3


def test_training_learns_to_tell_people_apart(tmp_path: Path) -> None:
    longer = dataclasses.replace(SMALL, epochs=8, save_every=8)
    train(longer, tmp_path)
    losses = json.loads((tmp_path / "history.json").read_text())["losses"]
    assert losses[-1] < 0.75 * losses[0]


@pytest.mark.parametrize(
    "change",
    [
        {"margin": Margin.COSFACE, "subcenters": 3},
        {"optimizer": Optimizer.SGD, "learning_rate": 0.05, "numbers": Numbers.BF16},
        {"architecture": Architecture(0.2, version=2, activation=Activation.RELU), "flip": False},
    ],
    ids=["cosface", "sgd bf16", "v2"],
)
def test_options_train_too(tmp_path: Path, change: dict[str, object]) -> None:
    options = dataclasses.replace(SMALL, epochs=1, **change)  # type: ignore[arg-type]
    result = train(options, tmp_path)
    assert np.isfinite(result.loss)
    assert load_checkpoint(result.weights).architecture == options.architecture


def test_a_run_that_did_not_end_is_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(KilledError):
        train(SMALL, tmp_path, say=kill_at(4))
    with pytest.raises(InputError, match="did not end"):
        train(SMALL, tmp_path)
    with pytest.raises(InputError, match="other options"):
        train(dataclasses.replace(SMALL, seed=1), tmp_path, resume=True)
    (tmp_path / "state.pt").write_bytes(b"damaged")
    with pytest.raises(InputError, match="not a training state"):
        train(SMALL, tmp_path, resume=True)


def test_batches_do_not_depend_on_where_they_are_taken_from() -> None:
    faces = open_faces(SMALL.data, SMALL.seed)
    whole = list(batches(faces, SMALL, 0, 5))
    later = list(batches(faces, SMALL, 3, 5))
    for (inputs, people), (again, same) in zip(whole[3:], later, strict=True):
        torch.testing.assert_close(inputs, again)
        torch.testing.assert_close(people, same)


def test_an_epoch_shows_every_face_once_and_the_next_one_new_views() -> None:
    order = Order(24, SMALL)
    assert order.steps_per_epoch == 3
    first = [key for step in range(3) for key in order.batch(step)]
    assert sorted(first) == [(0, position) for position in range(24)]
    faces = open_faces(SMALL.data, 0)
    assert (faces.load(3, 0)[0] != faces.load(3, 1)[0]).any()
    assert faces.load(3, 0)[1] == faces.load(3, 1)[1]


def test_flipping_mirrors_about_half_of_the_faces() -> None:
    faces, options = open_faces(SMALL.data, 0), dataclasses.replace(SMALL, batch_size=24)
    keys = Order(24, options).batch(0)
    (inputs, _), (plain, _) = (
        next(batches(faces, dataclasses.replace(options, flip=flip), 0, 1)) for flip in (True, False)
    )
    assert len(keys) == 24
    mirrored = [bool((a == b.flip(2)).all()) for a, b in zip(inputs, plain, strict=True)]
    unchanged = [bool((a == b).all()) for a, b in zip(inputs, plain, strict=True)]
    assert all(a != b for a, b in zip(mirrored, unchanged, strict=True))
    assert 4 <= sum(mirrored) <= 20


def test_a_folder_per_person_is_trained_on(tmp_path: Path) -> None:
    for who in range(3):
        (tmp_path / f"faces/P{who}").mkdir(parents=True)
        for view in range(3):
            face = picture(Population.TRAINING, 0, who, view)
            cv2.imwrite(str(tmp_path / f"faces/P{who}/{view}.png"), face[..., ::-1])
    faces = open_faces(tmp_path / "faces", 0)
    assert (len(faces), faces.people) == (9, 3)
    face, who = faces.load(4, epoch=7)
    np.testing.assert_array_equal(face, picture(Population.TRAINING, 0, 1, 1))
    assert who == 1
    options = dataclasses.replace(SMALL, data=tmp_path / "faces", epochs=1, batch_size=4)
    assert train(options, tmp_path / "out").steps == 2
    (tmp_path / "faces/P2/0.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"0\.png cannot be used"):
        train(options, tmp_path / "again")


def test_one_person_is_not_enough(tmp_path: Path) -> None:
    (tmp_path / "P").mkdir()
    cv2.imwrite(str(tmp_path / "P/1.png"), picture(Population.TRAINING, 0, 0, 0))
    with pytest.raises(InputError, match="one person"):
        open_faces(tmp_path, 0)
    with pytest.raises(InputError, match="rendered people"):
        open_faces(SyntheticFaces(identities=1), 0)


@pytest.mark.parametrize(
    "change", [{"epochs": 0}, {"batch_size": 1}, {"learning_rate": -1.0}, {"margin_size": 2.0}, {"warmup_epochs": 3.0}]
)
def test_numbers_that_make_no_sense_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(InputError, match=next(iter(change))):
        dataclasses.replace(SMALL, **change)  # type: ignore[arg-type]


def test_the_rate_warms_up_and_falls_to_nearly_nothing() -> None:
    schedule = Schedule(peak=0.1, steps=100, warmup_steps=10)
    rates = [schedule.rate(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.01)
    assert max(rates) == rates[9] == pytest.approx(0.1)
    assert all(later <= earlier for earlier, later in itertools.pairwise(rates[9:]))
    assert rates[-1] == pytest.approx(1e-4)


def test_validation_is_the_projects_own_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    """An embedding that is the face's number plate verifies perfectly."""
    monkeypatch.setattr(validation, "_PAIRS", 40)
    pairs, rendered = validation.Rendered(seed=2), render_pairs(40, seed=2)

    class Oracle(torch.nn.Module):
        seen = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            people = torch.arange(self.seen, self.seen + len(x)) // 2
            self.seen += len(x)
            return torch.nn.functional.one_hot(people, len(rendered.faces) // 2).float()

    oracle = Oracle().train()
    assert validation.validate(oracle, pairs, torch.device("cpu")).mean == 1.0
    assert oracle.training
