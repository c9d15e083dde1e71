"""One training run, from its options to its weights; a killed run goes on where it last saved.

Out: `weights.safetensors`, `history.json`, `curves.svg`, and while it runs `state.pt`.
"""

import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from ghostface_edge.pipeline.checkpoints.formats import save_checkpoint
from ghostface_edge.pipeline.network.checkpoint import Checkpoint
from ghostface_edge.pipeline.network.ghostfacenet import GhostFaceNet
from ghostface_edge.pipeline.train.batches import Order, batches
from ghostface_edge.pipeline.train.curves import plot_curves
from ghostface_edge.pipeline.train.faces import TrainingFaces, open_faces
from ghostface_edge.pipeline.train.margin import MarginHead
from ghostface_edge.pipeline.train.options import Numbers, Optimizer, TrainOptions
from ghostface_edge.pipeline.train.schedule import Schedule
from ghostface_edge.pipeline.train.state import History, Parts, load_state, save_state
from ghostface_edge.pipeline.train.validation import ValidationPairs, validate
from ghostface_edge.reports.digest import file_sha256
from ghostface_edge.reports.errors import InputError
from ghostface_edge.reports.write import write_text

_LOSS_EVERY = 20
_GRADIENT_NORM = 5.0
_MOMENTUM = 0.9
_DTYPES = {Numbers.BF16: torch.bfloat16, Numbers.FP16: torch.float16}


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a finished run left behind."""

    weights: Path
    curves: Path
    sha256: str
    """Of the weights."""
    steps: int
    loss: float
    """Over the last steps."""
    accuracy: float | None
    """Mean fold accuracy on the validation pairs, a fraction."""
    seconds: float


def train(
    options: TrainOptions,
    out: Path,
    *,
    pairs: ValidationPairs | None = None,
    resume: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> TrainResult:
    """Train a network.

    Args:
        options: the run.
        out: a folder; made if it is not there.
        pairs: what to validate on after every epoch.
        resume: whether to go on from `out`/state.pt.
        say: gets a line now and then.

    Raises:
        InputError: the data cannot be used, `out` holds a run already, or the state to resume from is another run's.
    """
    out.mkdir(parents=True, exist_ok=True)
    state = out / "state.pt"
    if state.exists() and not resume:
        raise InputError(f"{state} is there from a run that did not end", fix="resume it, or choose another folder")
    torch.manual_seed(options.seed)
    if options.threads:
        torch.set_num_threads(options.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    faces = open_faces(options.data, options.seed)
    run = _Run(options, faces, device)
    done, history = 0, History()
    if resume and state.exists():
        done, history = load_state(state, run.parts, options.fingerprint())
        say(f"resumed after {done} of {run.steps} steps")
    say(f"{options.architecture.name}: {len(faces)} faces of {faces.people} people, {run.steps} steps on {device}")
    began = time.monotonic() - history.seconds
    losses: list[float] = []
    for step, loss in run.losses(done):
        losses.append(loss)
        whole = step + 1
        history.seconds = time.monotonic() - began
        saving = whole % options.save_every == 0
        if whole % _LOSS_EVERY == 0 or whole == run.steps or saving:
            history.loss_steps.append(whole)
            history.losses.append(sum(losses) / len(losses))
            history.rates.append(run.schedule.rate(step))
            losses.clear()
            say(f"step {whole}/{run.steps}: loss {history.losses[-1]:.3f}, {history.seconds:.0f} s")
        if pairs is not None and (whole % run.order.steps_per_epoch == 0 or whole == run.steps):
            history.validation_steps.append(whole)
            history.accuracies.append(validate(run.network, pairs, device).mean)
            say(f"step {whole}/{run.steps}: verification {100 * history.accuracies[-1]:.2f} %")
        if saving:
            save_state(state, whole, run.parts, history, options.fingerprint())
    result = _finish(run, out, history)
    state.unlink(missing_ok=True)
    return result


class _Run:
    """The parts of a run and its steps."""

    def __init__(self, options: TrainOptions, faces: TrainingFaces, device: torch.device) -> None:
        architecture = options.architecture
        self.options, self._faces, self._device = options, faces, device
        self.network = GhostFaceNet(architecture)
        _initialize(self.network)
        self.network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._head = MarginHead(
            architecture.embedding_size,
            faces.people,
            margin=options.margin,
            size=options.margin_size,
            scale=options.scale,
            subcenters=options.subcenters,
        ).to(device)
        self.order = Order(len(faces), options)
        self.steps = options.epochs * self.order.steps_per_epoch
        warmup = round(options.warmup_epochs * self.order.steps_per_epoch)
        self.schedule = Schedule(options.learning_rate, self.steps, warmup)
        numbers = _numbers(options.numbers, device)
        self._dtype = _DTYPES.get(numbers)
        scaler = torch.amp.GradScaler(device.type, enabled=numbers is Numbers.FP16)
        optimizer = _optimizer(options, self.network, self._head)
        self.parts = Parts(self.network, self._head, optimizer, scaler)

    def losses(self, done: int) -> Iterator[tuple[int, float]]:
        """Take the remaining steps one by one."""
        self.network.train()
        for step, (inputs, people) in enumerate(batches(self._faces, self.options, done, self.steps), start=done):
            yield step, self._step(step, inputs, people)

    def _step(self, step: int, inputs: torch.Tensor, people: torch.Tensor) -> float:
        parts, device = self.parts, self._device
        for group in parts.optimizer.param_groups:
            group["lr"] = self.schedule.rate(step)
        inputs = inputs.to(device, memory_format=torch.channels_last, non_blocking=True)
        people = people.to(device, non_blocking=True)
        with torch.autocast(device.type, self._dtype, enabled=self._dtype is not None):
            loss = functional.cross_entropy(parts.head(parts.network(inputs), people), people)
        parts.optimizer.zero_grad(set_to_none=True)
        parts.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        parts.scaler.unscale_(parts.optimizer)
        nn.utils.clip_grad_norm_([*parts.network.parameters(), *parts.head.parameters()], _GRADIENT_NORM)
        parts.scaler.step(parts.optimizer)
        parts.scaler.update()
        return float(loss.detach())


def _finish(run: _Run, out: Path, history: History) -> TrainResult:
    architecture = run.options.architecture
    state = {name: value.detach().float().cpu() for name, value in run.network.state_dict().items()}
    arrays = {
        name: value.contiguous().numpy() for name, value in state.items() if not name.endswith("num_batches_tracked")
    }
    weights, curves = out / "weights.safetensors", out / "curves.svg"
    save_checkpoint(Checkpoint(weights, "", architecture, arrays), weights)
    write_text(out / "history.json", json.dumps(dataclasses.asdict(history), indent=1) + "\n")
    plot_curves(history, curves, architecture.name)
    return TrainResult(
        weights=weights,
        curves=curves,
        sha256=file_sha256(weights),
        steps=run.steps,
        loss=history.losses[-1],
        accuracy=history.accuracies[-1] if history.accuracies else None,
        seconds=history.seconds,
    )


def _initialize(network: GhostFaceNet) -> None:
    """He initialisation over the outputs, as the official nets start."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
            if module.groups > 1:  # fan_out counts all groups, but every output sees one
                module.weight.data *= module.groups**0.5
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _optimizer(options: TrainOptions, network: nn.Module, head: nn.Module) -> torch.optim.Optimizer:
    parameters = [*network.parameters(), *head.parameters()]
    groups = [
        {"params": [value for value in parameters if value.dim() > 1], "weight_decay": options.weight_decay},
        {"params": [value for value in parameters if value.dim() <= 1], "weight_decay": 0.0},
    ]
    if options.optimizer is Optimizer.ADAMW:
        return torch.optim.AdamW(groups, lr=options.learning_rate)
    return torch.optim.SGD(groups, lr=options.learning_rate, momentum=_MOMENTUM)


def _numbers(asked: Numbers, device: torch.device) -> Numbers:
    if asked is not Numbers.AUTO:
        return asked
    if device.type != "cuda":
        return Numbers.FP32
    return Numbers.BF16 if torch.cuda.is_bf16_supported() else Numbers.FP16
