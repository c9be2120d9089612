"""Going on: the checkpoint to take, and whether the same steps would still be the same."""

from pathlib import Path
from typing import Any

from cinema_cli.errors import InputError
from cinema_cli.progress import Progress
from cinema_cli.training.checkpoint import Live, load_checkpoint, step_of, take_checkpoint
from cinema_cli.training.guards import Guards

SAME = ("optimizer", "seed", "precision")
"""What may not change when training goes on; anything else that changes is told."""
SILENT = (
    "accumulate",
    "context",
    "sharding",
    "save_every",
    "keep",
    "preview_every",
    "validate_every",
    "report_to",
    "spike",
)
"""What may change without a word, because no weight depends on it (batches of a step are looked at apart)."""


def resume(
    folder: Path,
    live: Live,
    facts: dict[str, Any],
    guards: Guards,
    progress: Progress,
    name: str | None,
) -> tuple[int, Path | None]:
    """Steps taken and the checkpoint that says so; puts it back into ``live``, ``facts`` and ``guards``."""
    found = take_checkpoint(folder, name, progress.say) if live.ranks.main else None
    step = int(live.ranks.from_main(-1 if found is None else step_of(found)))
    if step < 0:
        return 0, None
    checkpoint = folder / f"step-{step:06d}"
    state = load_checkpoint(checkpoint, live)
    before, now = state["loop"], facts["loop"]
    state.setdefault("batches", before["accumulate"])
    pairs = [(key, before[key], now[key]) for key in now if key in before and key not in SILENT]
    pairs += [(key, state[key], facts[key]) for key in ("batches", "task") if key in state]
    changed = {key: f"{key} was {old!r} and is {new!r}" for key, old, new in pairs if old != new}
    refused = [text for key, text in changed.items() if key in (*SAME, "batches", "task")]
    if refused:
        raise InputError(
            f"{checkpoint} was made with another config: {'; '.join(refused)}. Take the old values again "
            "(batches of a step: accumulate x processes / context), or another --run folder."
        )
    if changed:
        progress.say(f"From step {step} on: {'; '.join(changed.values())}")
    if "guards" in state:
        guards.restore(state["guards"])
        facts["run"] = state["run"]
    return step, checkpoint
