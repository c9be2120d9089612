"""Batches of interleaved pairs, in an order that can be resumed exactly.

Every batch is a function of the manifests, the seed, the step, the rank and the number of ranks, and of
nothing else.  So the position in the data is the step, and nothing about it has to be saved: whoever asks for
step 1000 gets the batch of step 1000.  All ranks together take the same sequences in a step however many they
are.

An epoch is every sequence of its manifest once, in a random order; then comes the next manifest, after the
last one the first again in another order.  A batch at the end of an epoch is filled from the next.

Shapes:  B sequences of a rank   P pairs   L image tokens   C channels of a token
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.random import Philox
from numpy.typing import NDArray
from torch import Tensor

from cinema_cli.errors import InputError
from cinema_cli.files import sha256_json
from cinema_cli.models.encoders import Words
from cinema_cli.sampling.features import PairFeatures
from cinema_cli.sampling.kept import KeptFilm
from cinema_cli.sampling.manifest import Manifest
from cinema_cli.theatre.world import StagedShot


@dataclass(frozen=True)
class Sequences:
    """A batch: B sequences of P frames with their captions."""

    latents: Tensor  # (B, P, L, C), clean
    captions: list[list[str]]  # B lists of P
    words: Words | None = None
    """(B, P, ...) the captions encoded, where the text encoders are frozen and that is cached."""
    subjects: Tensor | None = None
    """(B, P, L) bool, where a token shows somebody, if that is known."""
    shots: list[list[StagedShot]] | None = None
    """B lists of P: what the frames show, where the theatre drew them."""


@dataclass(frozen=True)
class Place:
    """Where a sequence stands: which manifest, which of its rows."""

    manifest: int
    row: int


class Order:
    """The endless stream of sequences: epoch after epoch, each in a random order of its own."""

    def __init__(self, counts: Sequence[int], seed: int) -> None:
        """``counts``: sequences of each manifest."""
        self.ends = np.cumsum(counts)
        self.seed = seed
        self._shuffled = lru_cache(maxsize=2)(self._shuffle)

    def at(self, number: int) -> Place:
        """The sequence of that number in the stream, counted from 0."""
        cycle, rest = divmod(number, int(self.ends[-1]))
        manifest = int(np.searchsorted(self.ends, rest, side="right"))
        before = int(self.ends[manifest - 1]) if manifest else 0
        return Place(manifest, int(self._shuffled(cycle, manifest)[rest - before]))

    def _shuffle(self, cycle: int, manifest: int) -> NDArray[np.int64]:
        # Raw output and a stable sort, and not numpy's shuffle, which another version may do otherwise.
        key = int(sha256_json({"seed": self.seed, "cycle": cycle, "manifest": manifest})[:32], 16)
        count = int(self.ends[manifest]) - (int(self.ends[manifest - 1]) if manifest else 0)
        return np.argsort(Philox(key=key).random_raw(count), kind="stable")


class Loader:
    """Batches by step, prepared ahead by threads."""

    def __init__(
        self,
        manifests: Sequence[Manifest],
        films: Sequence[KeptFilm],
        features: PairFeatures,
        sequences: int,
        seed: int,
        rank: int = 0,
        world: int = 1,
        workers: int = 2,
        stride: int = 1,
    ) -> None:
        """``sequences`` in a step of all ranks together; ``workers``: threads that prepare the next steps.

        Whoever asks for every ``stride``-th step only, as one of several processes, gets those prepared.

        Raises:
            InputError: the sequences of a step cannot be shared equally among the ranks, or there are none.
        """
        if sequences % world:
            raise InputError(
                f"Sequences that {world} processes can share equally were wanted, found {sequences}."
            )
        counts = [len(manifest.sequences) for manifest in manifests]
        if not sum(counts):
            raise InputError("Sequences were wanted, but no film keeps enough keyframes for one.")
        self.manifests, self.films, self.features = manifests, films, features
        self.order = Order(counts, seed)
        self.sequences, self.share, self.rank = sequences, sequences // world, rank
        self._workers, self._stride = workers, stride
        self._pool = ThreadPoolExecutor(workers, "batches") if workers else None
        self._ahead: dict[int, Future[Sequences]] = {}

    def places(self, step: int) -> list[Place]:
        """The sequences that this rank takes in a step."""
        first = step * self.sequences + self.rank * self.share
        return [self.order.at(number) for number in range(first, first + self.share)]

    def batch(self, step: int) -> Sequences:
        """The batch of a step; with workers, those of the next steps are begun."""
        if self._pool is None:
            return self._read_step(step)
        wanted = range(step, step + (1 + self._workers) * self._stride, self._stride)
        for other in [other for other in self._ahead if other not in wanted]:
            self._ahead.pop(other).cancel()
        for later in wanted:
            if later not in self._ahead:
                self._ahead[later] = self._pool.submit(self._read_step, later)
        return self._ahead.pop(step).result()

    def _read_step(self, step: int) -> Sequences:
        return self.read(self.places(step))

    def shrunken(self, step: int, places: Sequence[int], grid: tuple[int, int]) -> Tensor:
        """Frames at some places of a step's sequences, smaller: clean latents (B, places, L, C)."""
        latents = []
        for place in self.places(step):
            manifest = self.manifests[place.manifest]
            row = manifest.sequences[place.row].tolist()
            latents.append(self.features.latents(manifest.film_of(place.row), [row[p] for p in places], grid))
        return torch.stack(latents)

    def read(self, places: Sequence[Place]) -> Sequences:
        """Some sequences with their latents, captions and, where they are cached, words."""
        latents, captions, words = [], [], []
        for place in places:
            manifest = self.manifests[place.manifest]
            number, row = manifest.film_of(place.row), manifest.sequences[place.row].tolist()
            latents.append(self.features.latents(number, row))
            captions.append([self.films[number].shots[index].caption for index in row])
            found = self.features.words(number, row)
            words += [found] if found is not None else []
        return Sequences(torch.stack(latents), captions, _stacked(words) if words else None)


def _stacked(words: Sequence[Words]) -> Words:
    return Words(torch.stack([one.text for one in words]), torch.stack([one.pooled for one in words]))
