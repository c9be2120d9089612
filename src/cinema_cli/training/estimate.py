"""``cinema train-keyframes --dry-run``: what a stage would train and cost, by arithmetic (Table 3, Table 4).

Nothing is loaded: parameters and FLOP come from the transformer's config, memory from stated sums.

Shapes:  P pairs   D width
"""

from dataclasses import dataclass
from pathlib import Path

import torch

from cinema_cli import runtime
from cinema_cli.errors import InputError, MissingError
from cinema_cli.files import read_json
from cinema_cli.models.cost import EFFICIENCY, PEAK_BF16, FluxCost, Pairs, measured_rate
from cinema_cli.training.extension import step_kinds
from cinema_cli.training.keyframe_config import KeyframeTraining

MAX_CONFIG_BYTES = 1 << 20
PATCH = 16
"""Pixels along a side of a token: 8 by the autoencoder, 2 by the packing (FLUX.1)."""
KEPT_WIDTHS = 29
"""Numbers of width D that a block keeps for its backward, for a token, where it is not checkpointed.

Measured under bf16 autocast, as a test does: 29.2 in a double-stream block, 26.1 in a single-stream one."""


@dataclass(frozen=True)
class Devices:
    """On what a stage would be trained."""

    count: int
    """Processes, one for each device."""
    name: str
    """As CUDA calls the device, or the CPU."""
    rate: float
    """FLOP/s of one that training usually reaches."""


@dataclass(frozen=True)
class TrainingEstimate:
    """What a stage would cost."""

    stage: int
    trained: int
    """Parameters that are trained."""
    parameters: int
    """Of the whole transformer."""
    sequences: int
    """In a step of all processes."""
    tokens: int
    """In a step of all processes, words included."""
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
    """Of the stage."""
    days: float
    """For all of them."""


def estimate_stage(
    stage: int, config: KeyframeTraining, base: Path | None, devices: Devices
) -> TrainingEstimate:
    """What a stage would cost.

    Args:
        stage: Pairs in a sequence.
        config: The whole.
        base: The folder of the model that it starts from, where the config has no shape of its own.
        devices: On what.

    Raises:
        InputError: the stage is unknown, or the base is no FLUX transformer.
        MissingError: there is no base.
    """
    if stage not in config.stages:
        known = ", ".join(str(s) for s in sorted(config.stages))
        raise InputError(f"A stage among {known} was wanted, found {stage}.")
    wanted, cost = config.stages[stage], _model(config, base)
    grid = config.frame_size[0] // PATCH, config.frame_size[1] // PATCH
    peers = wanted.loop.context
    if devices.count % peers or stage % peers:
        raise InputError(
            f"context={peers}: devices and pairs that it divides were wanted, found {devices.count} devices "
            f"and {stage} pairs."
        )
    batches = wanted.loop.accumulate * devices.count // peers
    kinds = step_kinds(stage, wanted, config.text_length, grid)
    flop = sum(share * _step(cost, groups, config) for share, groups in kinds) * wanted.sequences
    tokens = sum(share * sum(group.tokens for group in groups) for share, groups in kinds)
    trained = _adapters(cost, config) if config.lora else cost.parameters
    longest = max(sum(group.tokens for group in groups) for _, groups in kinds) * wanted.sequences // peers
    seconds = flop * wanted.loop.accumulate / peers / devices.rate
    sharded = wanted.loop.sharding != "none" and devices.count > 1 and config.lora is None
    return TrainingEstimate(
        stage=stage,
        trained=trained,
        parameters=cost.parameters + (trained if config.lora else 0),
        sequences=wanted.sequences * batches,
        tokens=round(tokens * wanted.sequences * batches),
        step_tflop=flop * batches / 1e12,
        bytes_per_device=_bytes(cost, config, trained, longest, devices.count if sharded else 1),
        sharded=sharded,
        count=devices.count,
        device=devices.name,
        step_seconds=seconds,
        steps=wanted.loop.steps,
        days=seconds * wanted.loop.steps / 86_400,
    )


def known_devices(text: str) -> Devices:
    """The devices that a text such as "32 x H100" names.

    Raises:
        InputError: it names none, or an unknown one.
    """
    count, _, name = text.partition("x")
    found = [known for known in PEAK_BF16 if name.strip().lower() in known.lower()] if name.strip() else []
    if not count.strip().isdigit() or int(count) < 1 or not found:
        raise InputError(
            f'--on: a number and a device such as "8 x H100" were wanted, found {text!r}. Known are '
            f"{', '.join(PEAK_BF16)}."
        )
    return Devices(count=int(count), name=found[0], rate=EFFICIENCY * PEAK_BF16[found[0]])


def devices_here() -> Devices:
    """The devices of this machine."""
    where = runtime.device()
    if where.type == "cuda":
        name = runtime.device_name(where)
        peak = PEAK_BF16.get(name)
        rate = EFFICIENCY * peak if peak else measured_rate(where, torch.bfloat16) / 2
        return Devices(count=torch.cuda.device_count(), name=name, rate=rate)
    return Devices(1, runtime.device_name(where), measured_rate(where, torch.bfloat16) / 2)


def _model(config: KeyframeTraining, base: Path | None) -> FluxCost:
    if config.transformer is not None:
        return FluxCost.of(config.transformer.model_dump())
    if base is None or not (base / "transformer" / "config.json").is_file():
        raise MissingError("The model to start from was wanted, to count it. Name it: --init DIR.")
    found = read_json(base / "transformer" / "config.json", MAX_CONFIG_BYTES)
    return FluxCost.of(found if isinstance(found, dict) else {})


def _step(cost: FluxCost, groups: list[Pairs], config: KeyframeTraining) -> float:
    """FLOP of a sequence: forward, backward through activations and, but for a frozen base, to weights."""
    forward = cost.step(groups)
    again = 1 / config.checkpoint_every if config.checkpoint_every else 0
    return forward * ((2 if config.lora else 3) + again)


def _adapters(cost: FluxCost, config: KeyframeTraining) -> int:
    """Parameters of adapters in all linear layers of the blocks: rank x (inputs + outputs) of each."""
    assert config.lora is not None
    double = 2 * (4 * 2 + 2 * 5)
    single = 3 * 2 + 5 + 6
    return config.lora.rank * cost.width * (cost.num_layers * double + cost.num_single_layers * single)


def _bytes(cost: FluxCost, config: KeyframeTraining, trained: int, tokens: int, shares: int) -> int:
    """fp32 weights, gradients, two moments and the average of what is trained; a frozen base in bf16."""
    state = trained * 5 * 4 + (cost.parameters * 2 if config.lora else 0)
    every = config.checkpoint_every
    kept = cost.blocks if not every else cost.blocks - -(-cost.blocks // every)
    inputs = -(-cost.blocks // every) if every else 0
    numbers = (kept * KEPT_WIDTHS + inputs + (KEPT_WIDTHS if every else 0)) * tokens * cost.width
    return state // shares + numbers * 2
