"""``--dry-run`` of the training commands: what a training would cost, by arithmetic (Table 3, Table 4).

Nothing is loaded: parameters and FLOP come from the transformer's config, memory from stated sums.  Here is
what both models share; ``keyframe_estimate.py`` and ``video_estimate.py`` say what a batch of theirs is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cinema_cli.errors import MissingError
from cinema_cli.files import read_json
from cinema_cli.models.quantise import BYTES, Quantise
from cinema_cli.training.devices import Devices
from cinema_cli.training.loop import LoopConfig

MAX_CONFIG_BYTES = 1 << 20
STATE_BYTES = 3 * 4
"""For a trained parameter, in fp32: itself, its gradient and its average; the optimizer's come to that."""


@dataclass(frozen=True)
class TrainingEstimate:
    """What a training would cost."""

    sequence: str
    """What a sequence is, in a phrase."""
    trained: int
    """Parameters that are trained."""
    parameters: int
    """Of the whole transformer."""
    sequences: int
    """In a step of all processes."""
    tokens: int
    """In a step of all processes; words are among FLUX's tokens, not among Wan's, which only reads them."""
    step_tflop: float
    """Forward and backward of all processes."""
    bytes_per_device: int
    """Weights, gradients, optimizer, average, activations; text encoders and autoencoder are not counted."""
    sharded: bool
    """Whether weights, gradients and optimizer are shared out among the devices (FSDP2)."""
    count: int
    """Devices."""
    device: str
    """Each of them."""
    step_seconds: float
    """By what such a device usually reaches."""
    steps: int
    """In all."""
    days: float
    """For all of them."""


@dataclass(frozen=True)
class Load:
    """A batch of one process, as numbers."""

    sequence: str
    """What a sequence is, in a phrase."""
    sequences: int
    """In the batch."""
    tokens: float
    """In the batch."""
    flop: float
    """Forward and backward, with what is computed again."""
    parameters: int
    """Of the transformer, with its adapters."""
    trained: int
    """Of these."""
    frozen_bytes: int
    """Of the base of adapters."""
    kept_bytes: int
    """Of activations on one device when the backward begins."""


def estimated(load: Load, loop: LoopConfig, devices: Devices) -> TrainingEstimate:
    """What a training of such batches costs; devices and ``loop.context`` fit each other."""
    batches = loop.accumulate * devices.count // loop.context
    seconds = load.flop * loop.accumulate / loop.context / devices.rate
    sharded = loop.sharding != "none" and devices.count > 1 and not load.frozen_bytes
    state = round(load.trained * (STATE_BYTES + loop.optimizer.bytes_per_weight)) + load.frozen_bytes
    return TrainingEstimate(
        sequence=load.sequence,
        trained=load.trained,
        parameters=load.parameters,
        sequences=load.sequences * batches,
        tokens=round(load.tokens * batches),
        step_tflop=load.flop * batches / 1e12,
        bytes_per_device=state // (devices.count if sharded else 1) + load.kept_bytes,
        sharded=sharded,
        count=devices.count,
        device=devices.name,
        step_seconds=seconds,
        steps=loop.steps,
        days=seconds * loop.steps / 86_400,
    )


def passes(checkpoint_every: int, adapters: bool) -> float:
    """Forwards that a step is worth: one, the backward to activations, that to weights, what runs again."""
    again = 1 / checkpoint_every if checkpoint_every else 0
    return (2 if adapters else 3) + again


def frozen_bytes(parameters: int, block_weights: int, half: bool, quantise: Quantise) -> int:
    """Bytes of a frozen base, of which so many weights lie in the linear layers of blocks."""
    each = 2 if half else 4
    if quantise == "none":
        return parameters * each
    return (parameters - block_weights) * each + round(block_weights * BYTES[quantise])


def kept_blocks(blocks: int, checkpoint_every: int) -> tuple[int, int]:
    """Blocks that keep all that their backward wants, and blocks that keep their input alone.

    With gradient checkpointing one of the latter is computed again at a time and keeps all as well.
    """
    if not checkpoint_every:
        return blocks, 0
    inputs = -(-blocks // checkpoint_every)
    return blocks - inputs + 1, inputs


def part_config(base: Path, part: str) -> Mapping[str, Any]:
    """The ``config.json`` of a model's part.

    Raises:
        MissingError: there is none.
    """
    file = base / part / "config.json"
    if not file.is_file():
        raise MissingError(f"{file}: wanted, to count the model, but not there. Name another: --init DIR.")
    found = read_json(file, MAX_CONFIG_BYTES)
    return found if isinstance(found, dict) else {}
