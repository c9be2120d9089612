"""The one training loop: keyframes, video and the toy encoders all run through it.

Every random choice of a step is a function of the seeds of its batches, and those of (seed, step), so the
position in the data is the step itself: the same command continues where it stopped, and nothing about the
data has to be saved.  With several processes each takes its share of a step's batches (``ranks.py``).
"""

import contextlib
import json
import os
import secrets
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from accelerate import Accelerator, InitProcessGroupKwargs
from accelerate.state import AcceleratorState
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from cinema_cli.config import Config, to_yaml
from cinema_cli.errors import InputError, Interrupted
from cinema_cli.files import locked
from cinema_cli.progress import Progress
from cinema_cli.training.averages import Averages
from cinema_cli.training.card import model_card
from cinema_cli.training.checkpoint import Live, save_checkpoint
from cinema_cli.training.guards import Guards, NonFiniteError, refuse_non_finite
from cinema_cli.training.metrics import (
    TRACKERS,
    Metrics,
    Tracker,
    peak_rate,
    refuse_missing_trackers,
    tracking,
)
from cinema_cli.training.optimizers import OptimizerConfig, build_optimizers, rate_at
from cinema_cli.training.randomness import seed_libraries
from cinema_cli.training.ranks import PATIENCE, Ranks
from cinema_cli.training.resume import resume
from cinema_cli.training.sharding import Sharding, is_sharded, shard
from cinema_cli.training.stopping import stopping_on_signal
from cinema_cli.training.watching import draw, validate

__all__ = ["LoopConfig", "NonFiniteError", "Task", "train"]


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
    accumulate: int = Field(default=1, ge=1)
    """Batches of each process whose gradients make one step: a step takes accumulate x processes of them."""
    context: int = Field(default=1, ge=1)
    """Processes that share a sequence by whole pairs; they count as one process above."""
    sharding: Sharding = "auto"
    """Who holds the weights: full (FSDP2 over all processes), node, none; auto: as accelerate launched it."""
    ema: float = 0.999
    """Decay of the averaged weights, shortened in the first steps."""
    save_every: int = 500
    """Steps between checkpoints."""
    keep: int = Field(default=2, ge=2)
    """Checkpoints kept, and the best one by validation if patience is set."""
    preview_every: int = 500
    """Steps between preview strips; 0 for none."""
    validate_every: int = 0
    """Steps between validations on held-out data; 0 for none."""
    patience: int | None = Field(default=None, ge=1)
    """End after so many validations in a row that did not improve (Fig. 7: over-training forgets)."""
    spike: float = 4.0
    """A gradient of more than so many running medians is told, with its seeds; 0 for never."""
    report_to: tuple[Tracker, ...] = ()
    """Trackers that are told of every step, beside metrics.jsonl."""
    seed: int = 0
    """Seed of everything random."""

    @model_validator(mode="after")
    def _patience_is_fed(self) -> "LoopConfig":
        if self.patience is not None and not self.validate_every:
            raise ValueError("patience: validate_every was wanted as well, found 0.")
        return self


class Task(Protocol):
    """What the loop trains.

    A task may also have ``config`` (written beside every checkpoint), ``card`` (a ``Subject``, which
    its model card tells), ``facts`` (plain data that must not change when training goes on), ``validate()``
    (a float to be small, on held-out data at fixed noise levels, called without gradients),
    ``flop(batch)`` (FLOP of its forward and backward; shows MFU), ``model`` (what computes where
    ``modules`` are its adapters) and ``share(peers)`` (told of the processes that it shares its sequences
    with; its loss then keeps the rule of ``models/context_parallel.py``).
    """

    @property
    def modules(self) -> Mapping[str, nn.Module]:
        """The trained modules, by the names under which they are saved."""

    def batch(self, seed: int) -> Any:
        """The data that this seed draws."""

    def loss(self, batch: Any, generator: torch.Generator) -> Tensor:
        """A scalar to be made small."""

    def preview(self, path: Path) -> None:
        """Write a picture of what the modules can do now."""


def train(
    task: Task,
    folder: Path,
    config: LoopConfig,
    progress: Progress,
    what: str,
    checkpoint: str | None = None,
) -> Path:
    """Train until ``config.steps``, going on from the newest checkpoint in ``folder``.

    Args:
        task: What is trained; its modules may be compiled.
        folder: Where checkpoints, previews and metrics go.
        config: How.
        progress: Told of the steps.
        what: What it is called there.
        checkpoint: Name of the checkpoint to go on from, if not the newest that is whole.

    Returns:
        The last checkpoint.

    Raises:
        InputError: the folder is in use, or holds no usable checkpoint, or one of another config.
        MissingError: the disk is full, or a tracker is not installed.
        Interrupted: a signal came; a checkpoint was written and the same command goes on.
        NonFiniteError: the loss or gradient stopped being finite.
    """
    # Set up: ranks, modules, optimizers, averages.
    if config.validate_every and not hasattr(task, "validate"):
        raise InputError(f"{what}: it cannot be validated. Take validate_every=0.")
    accelerator = _accelerator(config, folder)
    ranks = Ranks(accelerator.process_index, accelerator.num_processes, accelerator.device, config.context)
    if config.context > 1:
        _share(task, ranks, what)
    progress = progress if ranks.main else Progress(quiet=True)
    modules = dict(task.modules)
    ranks.agree(modules.values())
    sharded = is_sharded(config.sharding, ranks)
    for module in modules.values():
        if sharded:
            shard(module, config.sharding, config.precision == "bf16", ranks)
        else:
            module.to(ranks.device)
    optimizers = build_optimizers(modules.values(), config.optimizer)
    live = Live(modules, Averages(modules, config.ema), optimizers, ranks)
    parameters = [p for m in modules.values() for p in m.parameters() if p.requires_grad]
    batches = config.accumulate * ranks.world // config.context
    facts: dict[str, Any] = {
        "loop": config.model_dump(mode="json"),
        "batches": batches,
        "task": json.loads(json.dumps(getattr(task, "facts", {}))),  # as it is read again
        "run": secrets.token_hex(8),
    }
    expanded = to_yaml(getattr(task, "config", config))
    guards = Guards(config.spike, config.patience)

    with contextlib.ExitStack() as held:
        held.enter_context(_alone(folder, ranks))
        stop = held.enter_context(stopping_on_signal())
        # Resume.
        start, last = resume(folder, live, facts, guards, progress, checkpoint)
        held.enter_context(tracking(accelerator, what, facts["run"], start, facts["loop"]))
        log = Metrics(folder / "metrics.jsonl", start, accelerator)
        count = getattr(task, "flop", None)
        peak = peak_rate(ranks.device, config.precision == "bf16") if count else 1.0
        bar = progress.task(what, total=config.steps, unit="steps", done=start)
        if start == 0 and config.preview_every:
            draw(task, folder, 0, live, accelerator)

        for step in range(start, config.steps):
            if guards.tired:
                break
            # Accumulate the gradients of this rank's batches.
            began = time.monotonic()
            first = (config.seed << 40) + step * batches
            seeds = range(first, first + batches)
            share, flop = 0.0, 0.0
            for seed in ranks.share(seeds):
                seed_libraries(seed)
                generator = torch.Generator().manual_seed(seed)
                with accelerator.autocast():
                    batch = task.batch(seed)
                    mean = task.loss(batch, generator) / config.accumulate
                flop += count(batch) if count else 0
                share += float(mean.detach())
                mean.backward()
            # Guard: all ranks judge the same numbers, so they stop together.
            if not sharded:
                ranks.average_gradients(parameters)
            norm = _clip(parameters, config.clip)
            loss, asked = ranks.mean(share, float(stop.requested))
            refuse_non_finite(what, step, loss, norm, seeds, last)
            told: dict[str, Any] = {}
            if (ratio := guards.spike(norm)) is not None:
                told = {"spike": ratio, "seeds": [seeds[0], seeds[-1]]}
                progress.say(
                    f"{what}: the gradient of step {step} is {ratio:.1f} running medians "
                    f"(seeds {seeds[0]} to {seeds[-1]})"
                )
            # Optimize and average.
            rate = rate_at(step, config.steps, config.optimizer)
            for optimizer in optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = rate
                optimizer.step()
                optimizer.zero_grad()
            live.averages.update(step)
            # Look at it.
            seconds = time.monotonic() - began
            note = ""
            if count:
                told["mfu"] = flop / config.context / seconds / peak
                note = f", {told['mfu']:.0%} MFU"
            done = step + 1
            improved = False
            if _due(config.preview_every, done, config.steps):
                draw(task, folder, done, live, accelerator)
            if _due(config.validate_every, done, config.steps):
                told["validation"] = validate(task, live, accelerator)
                improved = guards.improved(told["validation"], done) and config.patience is not None
                progress.say(f"{what}: validation {told['validation']:.4f} after step {done}")
            log.write(step=done, loss=loss, norm=norm, rate=rate, seconds=seconds, **told)
            bar.advance(1, note=f"loss {log.smooth:.4f}{note}")
            # Save.
            if _due(config.save_every, done, config.steps) or asked or improved or guards.tired:
                log.to_disk()
                state = facts | {"guards": guards.state()}
                card = model_card(task, what, facts, done, loss)
                last = save_checkpoint(
                    folder, done, live, state, expanded, card, config.keep, guards.best_step
                )
            if asked and done < config.steps and not guards.tired:
                raise Interrupted(f"Stopped after step {done}, saved as {last}. The same command goes on.")
        if guards.tired:
            progress.say(
                f"{what}: ended early, {guards.vain} validations did not improve on step {guards.best_step}"
            )
    if last is None:
        raise InputError(f"Nothing to train: steps is {config.steps}.")
    return last


def _accelerator(config: LoopConfig, folder: Path) -> Accelerator:
    """Processes, device, precision and trackers; nothing else of accelerate is used."""
    refuse_missing_trackers(config.report_to)
    # One process may train twice with other numbers; accelerate keeps the first ones for good otherwise.
    AcceleratorState._reset_state()
    accelerator = Accelerator(
        # Not told so, accelerate lets every process train for itself where there is no GPU.
        cpu=not torch.accelerator.is_available(),
        mixed_precision="bf16" if config.precision == "bf16" else "no",
        log_with=list(config.report_to) or None,
        project_dir=folder / TRACKERS,
        kwargs_handlers=[InitProcessGroupKwargs(timeout=PATIENCE)],
    )
    launched = int(os.environ.get("WORLD_SIZE", "1"))
    if accelerator.num_processes != launched:
        raise InputError(
            f"{launched} processes were started, but accelerate joined {accelerator.num_processes}. "
            "Start them with `accelerate launch` or torchrun."
        )
    return accelerator


def _share(task: Any, ranks: Ranks, what: str) -> None:
    """Let ``config.context`` ranks share the task's sequences."""
    if not hasattr(task, "share"):
        raise InputError(f"{what}: its sequences cannot be shared among processes. Take context=1.")
    task.share(ranks.peers())


@contextlib.contextmanager
def _alone(folder: Path, ranks: Ranks) -> Any:
    """Hold the folder, for all ranks."""
    with locked(folder) if ranks.main else contextlib.nullcontext():
        ranks.wait()
        yield


def _due(every: int, done: int, steps: int) -> bool:
    return every > 0 and (done % every == 0 or done == steps)


def _clip(parameters: Sequence[nn.Parameter], most: float) -> float:
    """The norm of all gradients together, which are made smaller where it is above ``most``."""
    norm = nn.utils.clip_grad_norm_(parameters, most)
    return float(norm.full_tensor() if isinstance(norm, DTensor) else norm)
