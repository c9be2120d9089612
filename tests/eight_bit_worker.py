"""What two processes do in ``training/test_eight_bit.py``: torchrun starts this file with a folder."""

import json
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from safetensors.torch import load_file
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Shard, distribute_tensor

from cinema_cli.training.averages import Averages
from cinema_cli.training.checkpoint import Live, load_checkpoint, save_checkpoint
from cinema_cli.training.eight_bit import AdamW8bit
from cinema_cli.training.optimizers import build_optimizers
from cinema_cli.training.ranks import Ranks
from cinema_cli.training.sharding import own, shard
from loop_tasks import ADAMW8, WiderTask, run


def handed_on(folder: Path, rank: int) -> None:
    """Read what one process saved, sharded, and write it again without a step."""
    model = WiderTask().modules["transformer"]
    ranks = Ranks(rank, 2, torch.device("cpu"))
    shard(model, "full", False, ranks)
    modules = {"transformer": model}
    live = Live(modules, Averages(modules, 0.9), build_optimizers(modules.values(), ADAMW8), ranks)
    load_checkpoint(folder / "one" / "step-000006", live)
    (state,) = (live.optimizers[0].state[p] for n, p in model.named_parameters() if n == WiderTask.MATRIX)
    told = {name: [str(own(value).dtype), own(value).numel()] for name, value in state.items()}
    (folder / f"shards.{rank}.json").write_text(json.dumps(told))
    save_checkpoint(folder / "two", 6, live, {}, "", "", keep=2)


def uneven(folder: Path, rank: int) -> None:
    """Rows that two ranks cannot share alike: blocks of one process would cross from rank to rank."""
    kept = load_file(folder / "uneven.safetensors")
    mesh = init_device_mesh("cpu", (2,))
    p = torch.nn.Parameter(distribute_tensor(torch.zeros(kept["exp_avg"].shape), mesh, [Shard(0)]))
    optimizer = AdamW8bit([{"params": [p]}], 1e-3, (0.9, 0.999), 1e-8)
    state = optimizer.state_dict()
    entry = {name: value for name, value in kept.items() if value.ndim < 2}
    rows = slice(0, 17) if rank == 0 else slice(17, 33)
    entry |= {name: value[rows] for name, value in kept.items() if value.ndim == 2}
    optimizer.load_state_dict(state | {"state": {0: entry}})
    (folder / f"uneven.{rank}.json").write_text(json.dumps(own(optimizer.state[p]["exp_avg"]).tolist()))


def main(folder: Path) -> None:
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    handed_on(folder, rank)
    uneven(folder, rank)
    run(WiderTask(), folder / "sharded", optimizer=ADAMW8, sharding="full")
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
