"""What processes do in ``training/test_context_parallel.py``: torchrun starts this file with a folder.

The folder holds ``parts``, a run with frozen parts.  Every scenario trains in a folder of its own.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch.distributed.fsdp import FSDPModule

from cinema_cli.errors import InputError
from cinema_cli.models.context_parallel import Peers
from cinema_cli.models.video import ShotGroup
from cinema_cli.training import extension, video
from cinema_cli.training.blocks import compile_blocks
from cinema_cli.training.keyframes import KeyframeTask
from cinema_cli.training.ranks import Ranks
from cinema_cli.training.video import VideoTask
from dense_flux import group, past_and_new, relative, twins
from keyframe_tasks import theatre_task
from loop_tasks import ADAMW, run
from tiny_models import video_transformer
from video_tasks import OneFilm, film_task

PAIRS = 8
CHANGES = (
    "transformer.num_single_layers=2",
    "stages.8.sequences=2",
    "stages.8.extend=0",
    "stages.8.clean_context=0.5",
    "stages.8.drop_pair=0.2",
)
EXTENDING = (
    "stages.8.extend=1",
    "stages.8.golden=0.5",
    "stages.8.extensions=[[5,1],[4,3]]",
    "stages.8.drop_pair=0",
)
ONE_KIND = ("stages.8.golden=1", "stages.8.extensions=[[5,1]]")
STEPS = {"optimizer": ADAMW, "steps": 3, "preview_every": 0}


def task(folder: Path, *changes: str) -> KeyframeTask:
    """Two sequences of eight pairs; some frames carry no loss, so peers' parts of it are unlike."""
    return theatre_task(folder / "parts", PAIRS, *CHANGES, *changes)


def extending(folder: Path, *changes: str) -> KeyframeTask:
    """Five remembered frames and one new, or four and three; of half of them memory is shrunk."""
    return task(folder, *EXTENDING, *changes)


def shots() -> VideoTask:
    """Films of three shots of two lengths, and one that is seen."""
    torch.manual_seed(0)
    return film_task(video_transformer(), "window=3")


def apart(
    peers: Peers,
    model: torch.nn.Module,
    groups: Sequence[Any],
    counted: Sequence[bool],
    part: Callable[[Any, list[int]], Any],
    **how: str,
) -> dict[str, object]:
    """How far this peer's velocities, and gradients of its inputs and the weights, are from one process's."""

    def leaves(groups: Sequence[Any]) -> list[Any]:
        return [replace(group, latents=group.latents.detach().requires_grad_()) for group in groups]

    def error(velocities: Sequence[torch.Tensor]) -> torch.Tensor:
        return sum(v.square().sum() for v, counts in zip(velocities, counted, strict=True) if counts)

    whole = leaves(groups)
    expected = model(groups=whole, **how)
    error(expected).backward()
    weights = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    share = peers.share([group.latents.shape[1] for group in groups])
    places = [list(kept) for kept in share.places]
    own = leaves([part(group, kept) for group, kept in zip(groups, places, strict=True)])
    found = model(groups=own, share=share, **how)
    peers.loss(error(found), found).backward()
    gradients = dict(model.named_parameters())
    for name in weights:
        dist.all_reduce(gradients[name].grad)
    mine = [number for number, kept in enumerate(places) if kept]
    told = {
        "places": places,
        "velocity": max(relative(found[i], expected[i][:, places[i]]) for i in mine),
        "inputs": max(
            relative(own[i].latents.grad / peers.size, whole[i].latents.grad[:, places[i]]) for i in mine
        ),
        # A bias of the keys changes no attention, so its gradient is rounding alone.
        "weights": max(
            relative(gradients[name].grad / peers.size, grad)
            for name, grad in weights.items()
            if grad.norm() > 1e-6
        ),
    }
    model.zero_grad()
    return told


def forwards(folder: Path, size: int) -> None:
    """One forward and backward of every kind."""
    peers = Ranks(dist.get_rank(), size, torch.device("cpu"), context=size).peers()
    told = {}
    flux, _ = twins()
    told["joint"] = apart(peers, flux, [group(2, list(range(PAIRS)))], [True], extension.part)
    for name, memory, new in [
        ("uneven", (2, 3), 3),
        ("one new", (2, 2, 1), 1),
        ("memory or new", (1,) * (size // 2), size - size // 2),
        ("checkpointed", (2, 2, 1), 1),
    ]:
        flux.gradient_checkpointing = False
        if name == "checkpointed":
            flux.enable_gradient_checkpointing()
        counted = [*(False for _ in memory), True]
        told[name] = apart(peers, flux, past_and_new(memory, new), counted, extension.part, regime="extend")
    wan = shots().model
    film = OneFilm().film
    clips = [
        ShotGroup(one.latents, one.text, torch.full((1, len(one.places), one.latents.shape[3]), 0.5), starts)
        for one, starts in zip(film.groups, film.starts(0.5), strict=True)
    ]
    told["video"] = apart(peers, wan, clips, [True, True, False], video.part)
    (folder / f"forward.{dist.get_rank()}.json").write_text(json.dumps(told))


def two(folder: Path) -> None:
    """Two processes that share every sequence."""
    forwards(folder, 2)
    run(task(folder), folder / "plain", context=2, sharding="none", **STEPS | {"validate_every": 3})
    sharded = task(folder)
    sharded.model.enable_gradient_checkpointing()
    run(sharded, folder / "sharded", context=2, sharding="full", **STEPS)
    assert isinstance(sharded.model, FSDPModule)
    run(task(folder, "lora.rank=2"), folder / "lora", context=2, sharding="none", **STEPS)
    run(extending(folder), folder / "extended", context=2, sharding="none", **STEPS)
    sharded = extending(folder)
    sharded.model.enable_gradient_checkpointing()
    run(sharded, folder / "extended-sharded", context=2, sharding="full", **STEPS)
    run(shots(), folder / "video", context=2, sharding="none", **STEPS | {"validate_every": 3})
    sharded = shots()
    sharded.model.enable_gradient_checkpointing()
    run(sharded, folder / "video-sharded", context=2, sharding="full", **STEPS)
    for name, made, context in [
        ("three", task(folder), 3),
        ("short", film_task(shots().model, "window=1"), 2),
    ]:
        try:
            run(made, folder / name, context=context, sharding="none", **STEPS)
        except InputError as error:
            (folder / f"{name}.{dist.get_rank()}.txt").write_text(str(error))


def four(folder: Path) -> None:
    """Two groups of two; then four of which some hold memory alone, and some no memory."""
    run(task(folder), folder / "four", context=2, sharding="none", **STEPS)
    run(task(folder), folder / "four-sharded", context=2, sharding="full", **STEPS)
    forwards(folder, 4)
    run(extending(folder), folder / "extended", context=4, sharding="none", **STEPS)


def compiled(folder: Path) -> None:
    """Compiled blocks gather."""
    one_kind = extending(folder, *ONE_KIND)
    for name, made in [("joint", task(folder)), ("extended", one_kind), ("video", shots())]:
        compile_blocks(made.model)
        run(made, folder / f"{name}-compiled", context=2, sharding="none", **STEPS)


def main(folder: Path, what: str) -> None:
    dist.init_process_group("gloo")
    {"two": two, "four": four, "compiled": compiled}[what](folder)
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
