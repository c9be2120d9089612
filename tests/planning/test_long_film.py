"""A film that grows: a frame costs the same however many there are."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cinema_cli.models.cost import FluxCost, Pairs
from cinema_cli.models.weights import load_keyframe_models
from cinema_cli.planning.desk import Desk, DeskConfig
from cinema_cli.planning.keyframes import KeyframeArtist
from cinema_cli.planning.recall import Recall
from cinema_cli.planning.windows import plan_windows
from cinema_cli.progress import Progress, Stop
from cinema_cli.storyboard import Shot, Storyboard
from tiny_models import FRAME_SIZE, build_tiny_models

SHOTS, TEXT, GROUPS, FRAMES = 100, 16, 2, 3


def test_what_the_model_sees_stays_the_same_from_a_full_memory_on(tmp_path: Path) -> None:
    config = DeskConfig(
        steps=1,
        text_length=TEXT,
        mode="extend",
        memory={"groups": GROUPS, "frames": FRAMES},
        retrieval={"kind": "recency"},
    )
    folder = build_tiny_models(tmp_path / "models") / "keyframes"
    models = load_keyframe_models(folder, TEXT, torch.device("cpu"), torch.float32)
    seen: list[tuple[int, int]] = []

    def look(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        tokens = sum(g.latents.shape[1] * (g.text.shape[2] + g.latents.shape[2]) for g in kwargs["groups"])
        seen.append((tokens, kwargs["memory"].bytes if kwargs["memory"] is not None else 0))

    models.transformer.register_forward_pre_hook(look, with_kwargs=True)
    shots = tuple(Shot(id=f"{n:04d}", caption=f"Wave {n}.", duration="2", seed=n) for n in range(SHOTS))
    board = Storyboard(frame_size=FRAME_SIZE, shots=shots)
    desk = Desk(tmp_path, config, "0" * 64)
    artist = KeyframeArtist(models, FRAME_SIZE, config)
    recall = Recall(config, None, artist.grid)
    windows = plan_windows(board, desk.stale(board), config)
    board = desk.draw_all(board, windows, artist, recall, Stop(), Progress(quiet=True))

    full = GROUPS * FRAMES
    assert len(seen) == SHOTS
    assert {tokens for tokens, _ in seen} == {TEXT + 4 * 8}
    known = [size for _, size in seen]
    assert known[0] == 0
    assert all(a < b for a, b in pairwise(known[: full + 1]))
    assert set(known[full:]) == {known[full]}
    remembered = [Pairs(FRAMES, TEXT, 2 * 4), Pairs(FRAMES, TEXT, 1 * 2)]
    assert known[full] == FluxCost.of(models.transformer.config).memory_bytes(remembered, number_bytes=4)
    assert {len(shot.context) for shot in board.shots[full:]} == {full}
