"""What ``--dry-run`` of the training commands prints."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cinema_cli.config import Config
    from cinema_cli.training.estimate import TrainingEstimate


def estimate_facts(made: "TrainingEstimate", config: "Config", whole: bool) -> dict[str, Any]:
    """An estimate as it is shown; ``whole``: as plain numbers, with the expanded config."""
    from dataclasses import asdict

    if whole:
        return {**asdict(made), "config": config.model_dump(mode="json")}
    from cinema_cli.config import to_yaml

    shared = "shared out" if made.sharded else "on each"
    return {
        "config": to_yaml(config).splitlines(),
        "trained": f"{made.trained:,} of {made.parameters:,} parameters",
        "sequence": made.sequence,
        "step": f"{made.sequences} sequences, {made.tokens:,} tokens, {made.step_tflop:,.3g} TFLOP",
        "memory": f"{made.bytes_per_device / 2**30:,.1f} GiB a device, weights {shared}, without encoders",
        "devices": f"{made.count} x {made.device}",
        "about": f"{made.step_seconds:,.1f} s a step, {made.days:,.1f} days for {made.steps:,} steps",
    }
