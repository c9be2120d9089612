"""What two processes do in ``training/test_ranks.py``: torchrun starts this file with a folder.

Every scenario trains in a folder of its own; what it raised, and what its modules were, is left beside.
"""

import json
import os
import signal
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor

from cinema_cli.errors import CinemaError
from cinema_cli.training.blocks import compile_blocks
from cinema_cli.training.ranks import Ranks
from cinema_cli.training.sharding import shard
from dense_flux import group, twins
from loop_tasks import ADAMW, Careless, TinyTask, run

RANK = int(os.environ["RANK"])


def scenario(folder: Path, task: TinyTask, **changes) -> None:
    """Train, and note how it ended on this rank."""
    told = {"raised": None, "said": ""}
    try:
        run(task, folder, **changes)
    except CinemaError as error:
        told = {"raised": type(error).__name__, "said": str(error)}
    model = task.modules["transformer"]
    blocks = [*model.transformer_blocks, *model.single_transformer_blocks]
    told |= {
        "seeds": task.seeds,
        "units": sum(isinstance(module, FSDPModule) for module in (model, *blocks)),
        "sharded": all(isinstance(p, DTensor) for p in model.parameters()),
        "numbers": sum((p.to_local() if isinstance(p, DTensor) else p).numel() for p in model.parameters()),
    }
    folder.with_name(f"{folder.name}.{RANK}.json").write_text(json.dumps(told))


def stopped_by(number: signal.Signals) -> TinyTask:
    """The second rank alone is told to stop, before its third batch."""
    task = TinyTask(stop_at=3 if RANK == 1 else None)
    task.signal = number
    return task


def uneven(folder: Path) -> None:
    """Gradients of which one rank or no rank has a part."""
    parameters = [torch.nn.Parameter(torch.zeros(2)) for _ in range(3)]
    parameters[0].grad = torch.full((2,), 1.0 + RANK)
    if RANK == 1:
        parameters[1].grad = torch.ones(2)
    Ranks(RANK, 2, torch.device("cpu")).average_gradients(parameters)
    grads = [None if p.grad is None else p.grad.tolist() for p in parameters]
    (folder / f"uneven.{RANK}.json").write_text(json.dumps(grads))


def remembered(folder: Path) -> None:
    """How far keys and values of a sharded model are from those of a whole one, without a forward before."""
    ours, _ = twins(torch.float32)
    pairs = [group(1, [0, 1], dtype=torch.float32)]
    with torch.no_grad():
        expected = ours.remember(pairs).layers
        shard(ours, "full", False, Ranks(RANK, 2, torch.device("cpu")))
        found = ours.remember(pairs).layers
    layers = zip(expected, found, strict=True)
    apart = [float((a - b).abs().max()) for both in layers for a, b in zip(*both, strict=True)]
    (folder / f"remembered.{RANK}.json").write_text(json.dumps(apart))


def main(folder: Path) -> None:
    dist.init_process_group("gloo")
    torch.manual_seed(RANK)  # whatever a library drew before must not matter
    scenario(folder / "plain", TinyTask(), optimizer=ADAMW, sharding="none")
    scenario(folder / "plain-muon", TinyTask(), sharding="none")
    scenario(folder / "sharded", TinyTask(), optimizer=ADAMW, sharding="full")
    scenario(folder / "sharded-muon", TinyTask(), sharding="full")
    scenario(folder / "node", TinyTask(), optimizer=ADAMW, sharding="node")
    os.environ["LOCAL_WORLD_SIZE"] = "1"  # as if the two were on two nodes
    scenario(folder / "two-nodes", TinyTask(), optimizer=ADAMW, sharding="node")
    checkpointed = TinyTask()
    checkpointed.modules["transformer"].enable_gradient_checkpointing()
    scenario(folder / "checkpointed", checkpointed, optimizer=ADAMW, sharding="full")
    scenario(folder / "bf16", TinyTask(), optimizer=ADAMW, sharding="full", precision="bf16")
    scenario(folder / "careless", Careless(), optimizer=ADAMW, sharding="none")
    # From one number of processes to another: begun by one, ended by two; and the other way round.
    scenario(folder / "one-plain", TinyTask(), optimizer=ADAMW, sharding="none")
    scenario(folder / "one-sharded", TinyTask(), optimizer=ADAMW, sharding="full")
    scenario(folder / "plain-one", stopped_by(signal.SIGUSR1), optimizer=ADAMW, sharding="none")
    scenario(folder / "sharded-one", stopped_by(signal.SIGTERM), optimizer=ADAMW, sharding="full")
    scenario(folder / "other-batches", TinyTask(), optimizer=ADAMW, sharding="none", accumulate=2)
    scenario(folder / "poisoned", TinyTask(poison=3), optimizer=ADAMW, sharding="full")
    uneven(folder)
    remembered(folder)
    if "compiled" in sys.argv:
        compiled = TinyTask()
        compile_blocks(compiled.modules["transformer"])
        compiled.modules["transformer"].enable_gradient_checkpointing()
        scenario(folder / "compiled", compiled, optimizer=ADAMW, sharding="full")
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
