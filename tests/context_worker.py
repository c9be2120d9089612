"""What processes do in ``training/test_context_parallel.py``: torchrun starts this file with a folder.

The folder holds ``parts``, a run with frozen parts.  Every scenario trains in a folder of its own.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import torch
import torch.distributed as dist
from torch.distributed.fsdp import FSDPModule

from cinema_cli.errors import InputError
from cinema_cli.training.blocks import compile_blocks
from cinema_cli.training.extension import part
from cinema_cli.training.keyframes import KeyframeTask
from cinema_cli.training.ranks import Ranks
from dense_flux import group, relative, twins
from keyframe_tasks import theatre_task
from loop_tasks import ADAMW, run

PAIRS = 8
CHANGES = (
    "transformer.num_single_layers=2",
    "stages.8.sequences=2",
    "stages.8.extend=0",
    "stages.8.clean_context=0.5",
    "stages.8.drop_pair=0.2",
)
STEPS = {"optimizer": ADAMW, "steps": 3, "preview_every": 0}


def task(folder: Path, *changes: str) -> KeyframeTask:
    """Two sequences of eight pairs; some frames carry no loss, so peers' parts of it are unlike."""
    return theatre_task(folder / "parts", PAIRS, *CHANGES, *changes)


def forwards(folder: Path) -> None:
    """How far this peer's velocities and its input's gradients are from those of one process."""
    model, _ = twins(torch.float32)
    pairs = group(2, list(range(PAIRS)), dtype=torch.float32)
    pairs.latents.requires_grad_()
    (expected,) = model(groups=[pairs])
    expected.square().sum().backward()
    peers = Ranks(dist.get_rank(), 2, torch.device("cpu"), context=2).peers()
    own = part(pairs, peers.places(PAIRS))
    latents = own.latents.detach().requires_grad_()
    (found,) = model(groups=[replace(own, latents=latents)], peers=peers)
    found.square().sum().backward()
    mine = list(peers.places(PAIRS))
    apart = {
        "places": mine,
        "velocity": relative(found, expected[:, mine]),
        "gradient": relative(latents.grad, pairs.latents.grad[:, mine]),
    }
    (folder / f"forward.{dist.get_rank()}.json").write_text(json.dumps(apart))


def two(folder: Path) -> None:
    """Two processes that share every sequence."""
    forwards(folder)
    run(task(folder), folder / "plain", context=2, sharding="none", **STEPS | {"validate_every": 3})
    sharded = task(folder)
    sharded.model.enable_gradient_checkpointing()
    run(sharded, folder / "sharded", context=2, sharding="full", **STEPS)
    assert isinstance(sharded.model, FSDPModule)
    run(task(folder, "lora.rank=2"), folder / "lora", context=2, sharding="none", **STEPS)
    try:
        run(task(folder), folder / "three", context=3, sharding="none", **STEPS)
    except InputError as error:
        (folder / f"three.{dist.get_rank()}.txt").write_text(str(error))


def main(folder: Path, what: str) -> None:
    dist.init_process_group("gloo")
    if what == "two":
        two(folder)
    elif what == "four":
        run(task(folder), folder / "four", context=2, sharding="none", **STEPS)
        run(task(folder), folder / "four-sharded", context=2, sharding="full", **STEPS)
    else:
        compiled = task(folder)
        compile_blocks(compiled.model)
        run(compiled, folder / "compiled", context=2, sharding="none", **STEPS)
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
