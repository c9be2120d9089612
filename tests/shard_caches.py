"""Filling a cache, also from a spawned process, which can import this and not a test module."""

from multiprocessing.connection import Connection
from pathlib import Path

import torch

from cinema_cli.sampling.cache import ShardCache, Tensors

MADE_BY = {"item": "numbers", "weights": "a"}


class Maker:
    """Makes a shard of n rows and counts how often."""

    def __init__(self, rows: int, value: float = 0.0) -> None:
        self.rows, self.value, self.times = rows, value, 0

    def __call__(self) -> Tensors:
        self.times += 1
        return {"x": torch.arange(self.rows)[:, None] + self.value, "y": torch.ones(self.rows, 2, 3)}


def cache(folder: Path, told: list[str] | None = None, **changes: object) -> ShardCache:
    return ShardCache(folder, {**MADE_BY, **changes}, (told if told is not None else []).append)


def fill(folder: Path, told: Connection) -> None:
    told.send("ready")
    told.recv()
    told.send(filled_rows(folder))


def filled_rows(folder: Path) -> list[float]:
    return [
        cache(folder).rows(f"film/{shard:04d}", "abcd", [shard % 4], Maker(4, shard))["x"].item()
        for shard in range(30)
    ]


def fill_forever(folder: Path) -> None:
    held = cache(folder)
    for number in range(10**6):
        held.rows(f"{number:06d}", "ab", [0], lambda: {"x": torch.zeros(2, 300_000)})
