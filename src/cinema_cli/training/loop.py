"""The one training loop: keyframes, video and the toy encoders all run through it.

Every random choice of a step is a function of (seed, step), so the position in the data is the step
itself: the same command continues where it stopped, and nothing about the data has to be saved.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor, nn

from cinema_cli.config import Config, to_yaml
from cinema_cli.errors import CinemaError, InputError, Interrupted
from cinema_cli.progress import Progress, finishing_on_signal
from cinema_cli.training.checkpoint import load_checkpoint, newest_checkpoint, save_checkpoint
from cinema_cli.training.optimizers import OptimizerConfig, build_optimizers, rate_at

Averages = dict[str, dict[str, Tensor]]


class LoopConfig(Config):
    """How long and how to train; what is trained is the task's own config."""

    steps: int
    """Optimizer steps in all."""
    optimizer: OptimizerConfig = OptimizerConfig()
    """How weights are moved."""
    clip: float = 1.0
    """Largest norm of the gradient (Table 4)."""
    precision: Literal["bf16", "fp32"] = "bf16"
    """Numbers of the forward pass (Table 4: bfloat16); weights stay in fp32."""
    accumulate: int = 1
    """Batches whose gradients make one step."""
    ema: float = 0.999
    """Decay of the averaged weights, shortened in the first steps."""
    save_every: int = 500
    """Steps between checkpoints."""
    keep: int = 2
    """Checkpoints kept."""
    preview_every: int = 500
    """Steps between preview strips; 0 for none."""
    seed: int = 0
    """Seed of everything random."""


class Task(Protocol):
    """What the loop trains."""

    @property
    def modules(self) -> Mapping[str, nn.Module]:
        """The trained modules, by the names under which they are saved."""

    def batch(self, seed: int) -> Any:
        """The data that this seed draws."""

    def loss(self, batch: Any, generator: torch.Generator) -> Tensor:
        """A scalar to be made small."""

    def preview(self, path: Path) -> None:
        """Write a picture of what the modules can do now."""


class NonFiniteError(CinemaError):
    """The loss or its gradient is not a number; the step was not taken."""


def train(task: Task, folder: Path, config: LoopConfig, progress: Progress, what: str) -> Path:
    """Train until ``config.steps``, going on from the newest checkpoint in ``folder``.

    Returns:
        The last checkpoint.

    Raises:
        InputError: the folder holds no usable checkpoint, or one of another config.
        Interrupted: a signal came; a checkpoint was written and the same command goes on.
        NonFiniteError: the loss or gradient stopped being finite.
    """
    # Set up: modules, optimizers, averages.
    # One process may train twice with other numbers; accelerate keeps the first ones for good otherwise.
    AcceleratorState._reset_state()
    accelerator = Accelerator(mixed_precision="bf16" if config.precision == "bf16" else "no")
    modules = dict(task.modules)
    optimizers = build_optimizers(modules.values(), config.optimizer)
    averages = {
        name: {k: v.detach().clone().to(accelerator.device) for k, v in m.state_dict().items()}
        for name, m in modules.items()
    }
    # Resume.
    start = _resume(folder, modules, averages, optimizers, config)
    prepared: tuple[Any, ...] = accelerator.prepare(*modules.values(), *optimizers)
    wrapped = prepared[len(modules) :]
    parameters = [p for m in modules.values() for p in m.parameters() if p.requires_grad]
    last = newest_checkpoint(folder)

    def save(step: int) -> Path:
        facts = {"seed": config.seed, "loop": config.model_dump(mode="json")}
        yaml = to_yaml(config)
        return save_checkpoint(folder, step, modules, averages, optimizers, facts, yaml, config.keep)

    bar = progress.task(what, total=config.steps, unit="steps", done=start)
    log = _Log(folder / "metrics.jsonl")
    with finishing_on_signal() as stop:
        for step in range(start, config.steps):
            # Accumulate gradients.
            began = time.monotonic()
            total = 0.0
            for micro in range(config.accumulate):
                seed = (config.seed << 40) + step * config.accumulate + micro
                generator = torch.Generator().manual_seed(seed)
                with accelerator.autocast():
                    loss = task.loss(task.batch(seed), generator) / config.accumulate
                total += float(loss.detach())
                accelerator.backward(loss)
            norm = float(accelerator.clip_grad_norm_(parameters, config.clip))
            if not (abs(total) < float("inf") and norm < float("inf")):
                raise NonFiniteError(
                    f"{what}: step {step} has loss {total} and gradient norm {norm}; the step was not taken. "
                    f"Batch seeds {seed - config.accumulate + 1} to {seed}. Lower the rate, or resume from "
                    f"{last or 'the start'}."
                )
            # Optimize and average.
            rate = rate_at(step, config.steps, config.optimizer)
            for optimizer in wrapped:
                for group in optimizer.param_groups:
                    group["lr"] = rate
                optimizer.step()
                optimizer.zero_grad()
            _average(averages, modules, min(config.ema, (1 + step) / (10 + step)))
            log.write(step=step + 1, loss=total, norm=norm, rate=rate, seconds=time.monotonic() - began)
            bar.advance(1, note=f"loss {log.smooth:.4f}")
            # Show and save.
            done = step + 1
            if config.preview_every and (done % config.preview_every == 0 or done == config.steps):
                with _averaged(modules, averages):
                    task.preview(folder / "previews" / f"step-{done:06d}.png")
            if done % config.save_every == 0 or done == config.steps or stop.requested:
                last = save(done)
            if stop.requested and done < config.steps:
                raise Interrupted(f"Stopped after step {done}, saved as {last}. The same command goes on.")
    if last is None:
        raise InputError(f"Nothing to train: steps is {config.steps}.")
    return last


def _resume(
    folder: Path,
    modules: Mapping[str, nn.Module],
    averages: Averages,
    optimizers: list[torch.optim.Optimizer],
    config: LoopConfig,
) -> int:
    checkpoint = newest_checkpoint(folder)
    if checkpoint is None:
        return 0
    state = load_checkpoint(checkpoint, modules, averages, optimizers)
    changed = [
        f"{key} was {state['loop'].get(key)!r} and is {value!r}"
        for key, value in config.model_dump(mode="json").items()
        if key in ("optimizer", "accumulate", "seed", "precision") and state["loop"].get(key) != value
    ]
    if changed:
        raise InputError(
            f"{checkpoint} was made with another config: {'; '.join(changed)}. "
            "Take the old values again, or another --run folder."
        )
    return int(state["step"])


@torch.no_grad()
def _average(averages: Averages, modules: Mapping[str, nn.Module], decay: float) -> None:
    for name, module in modules.items():
        state = module.state_dict()
        for key, average in averages[name].items():
            if average.is_floating_point():
                average.lerp_(state[key].to(average.dtype), 1 - decay)
            else:
                average.copy_(state[key])


class _averaged:
    """Inside, the modules hold their averaged weights."""

    def __init__(self, modules: Mapping[str, nn.Module], averages: Averages) -> None:
        self.modules, self.averages = modules, averages

    def __enter__(self) -> None:
        self.before = {n: {k: v.clone() for k, v in m.state_dict().items()} for n, m in self.modules.items()}
        for name, module in self.modules.items():
            module.load_state_dict(self.averages[name])
            module.eval()

    def __exit__(self, *error: object) -> None:
        for name, module in self.modules.items():
            module.load_state_dict(self.before[name])
            module.train()


class _Log:
    """One JSON line a step, and a smoothed loss to show."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.smooth = float("nan")

    def write(self, step: int, loss: float, **facts: float) -> None:
        self.smooth = loss if self.smooth != self.smooth else 0.98 * self.smooth + 0.02 * loss
        with self.path.open("a") as lines:
            lines.write(json.dumps({"step": step, "loss": loss, **facts}) + "\n")
