"""Where training sequences come from: the toy theatre, drawn on demand, or a dataset that was sampled.

A movie of the theatre is a seed below ``movies``; seeds from ``HELD_OUT`` on are never trained on.  Its
puppets get new names every time: pictures do not show names, so a look can only be known from the sequence
itself.  A dataset's sequences and captions come as they are; some of its films may be held out.

Shapes:  B sequences   P pairs   L image tokens   C channels of a token
"""

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from cinema_cli.context.goldenmem import Grid, shrink
from cinema_cli.errors import InputError
from cinema_cli.files import read_json, sha256_json, write_atomic
from cinema_cli.models.encoders import ImageCodec
from cinema_cli.sampling.loader import Loader, Sequences
from cinema_cli.theatre.captions import write_caption
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.names import draw_names
from cinema_cli.theatre.screenplay import COMPANY, write_movie
from cinema_cli.theatre.world import FRAME_SIZE, MovieShot, StagedShot
from cinema_cli.training.checkpoint import list_checkpoints
from cinema_cli.training.latents import LatentCache

HELD_OUT = 10**9
"""First seed of movies kept for previews and evaluation."""


SUBJECT_SHARE = 0.05
"""A token shows a puppet if so much of its pixels does."""

STEP_BITS = 40
"""The loop's seeds: its own seed above so many bits, the number of the batch below."""


DATA_NAME = "data.json"
"""In a stage's folder: on which sequences of which dataset it is trained."""
MAX_DATA_BYTES = 1 << 16


class SequenceSource(Protocol):
    """What the keyframe task reads."""

    @property
    def facts(self) -> dict[str, Any] | None:
        """What must be the same when training goes on; none for the theatre: its numbers are the config's."""

    def batch(self, seed: int, sequences: int, pairs: int) -> Sequences:
        """``sequences`` x ``pairs``; the same for the same seed."""

    def shrunken(self, seed: int, sequences: int, pairs: int, places: Sequence[int], grid: Grid) -> Tensor:
        """Frames at some places of that batch, made smaller in pixels and encoded: (B, places, L, C)."""

    def preview(self, sequences: int, pairs: int) -> Sequences:
        """Always the same few sequences, to be looked at."""


class TheatreSequences:
    """Random sequences from the theatre's movies: of consecutive shots, or of some within a span."""

    facts = None

    def __init__(
        self,
        codec: ImageCodec,
        cache: LatentCache,
        movies: int,
        shots: int,
        describe: float,
        span: int | None = None,
        company: float = COMPANY,
        returns: float = 0.0,
    ) -> None:
        """``shots`` per movie; ``describe``: chance that a caption repeats a look already told.

        ``span``: shots that a sequence reaches over at most, with strides by chance; none: consecutive ones.
        ``company``: chance that two puppets are there, where the cast allows.
        ``returns``: chance that a shot shows what an earlier one showed.
        """
        self.codec, self.cache = codec, cache
        self.movies, self.shots, self.describe, self.span = movies, shots, describe, span
        self.company, self.returns = company, returns
        self._subjects = lru_cache(maxsize=None)(self._find_subjects)

    def batch(self, seed: int, sequences: int, pairs: int) -> Sequences:
        """``sequences`` x ``pairs``; the same for the same seed."""
        rng = random.Random(seed)
        return self._read(self._picks(rng, sequences, pairs), rng)

    def shrunken(self, seed: int, sequences: int, pairs: int, places: Sequence[int], grid: Grid) -> Tensor:
        """Frames at some places of that batch at another size: (B, places, L, C)."""
        picks = self._picks(random.Random(seed), sequences, pairs)
        return torch.stack([self.frames(movie, grid)[[own[p] for p in places]] for movie, own in picks])

    def preview(self, sequences: int, pairs: int) -> Sequences:
        """Of held-out movies."""
        rng = random.Random(HELD_OUT)
        picks = self._picks(rng, sequences, pairs)
        return self._read([(HELD_OUT + movie, places) for movie, places in picks], rng)

    def frames(self, movie: int, grid: Grid | None = None) -> Tensor:
        """Latents of a whole movie (shots, L, C), at the size of ``grid`` if it is given."""
        size = "" if grid is None else f"-{grid[0]}x{grid[1]}"
        kind = "" if self.company == COMPANY else f"-{self.company:g}"
        kind += "" if self.returns == 0 else f"-returns-{self.returns:g}"
        return self.cache.get(f"theatre-{self.shots}-{movie}{kind}{size}", lambda: self._encode(movie, grid))

    def _read(self, picks: Sequence[tuple[int, list[int]]], rng: random.Random) -> Sequences:
        """Frames and fresh captions of those shots."""
        latents, captions, subjects, staged = [], [], [], []
        for movie, places in picks:
            written = self._written(movie)
            shots = renamed([written[place] for place in places], rng)
            latents.append(self.frames(movie)[places])
            captions.append(self._captions(shots, rng))
            subjects.append(self._subjects(movie)[places])
            staged.append([shot.staged for shot in shots])
        return Sequences(torch.stack(latents), captions, subjects=torch.stack(subjects), shots=staged)

    def _picks(self, rng: random.Random, sequences: int, pairs: int) -> list[tuple[int, list[int]]]:
        """Movie and shots of every sequence of a batch."""
        return [(rng.randrange(self.movies), self._places(rng, pairs)) for _ in range(sequences)]

    def _places(self, rng: random.Random, pairs: int) -> list[int]:
        """Shots of a sequence: a window of a width by chance, and as many of its shots as there are pairs."""
        width = pairs if self.span is None else rng.randint(pairs, self.span)
        first = rng.randrange(self.shots - width + 1)
        window = range(first, first + width)
        return list(window) if width == pairs else sorted(rng.sample(window, pairs))

    def _written(self, movie: int) -> tuple[MovieShot, ...]:
        return write_movie(movie, self.shots, company=self.company, returns=self.returns).shots

    def _encode(self, movie: int, grid: Grid | None) -> Tensor:
        shots = self._written(movie)
        frames = torch.from_numpy(np.stack([draw_frame(shot.staged) for shot in shots]))
        with torch.autocast(self.codec.vae.device.type, enabled=False):
            return self.codec.encode(
                frames if grid is None else shrink(frames, self.codec.pixels(grid))
            ).cpu()

    def _find_subjects(self, movie: int) -> Tensor:
        """Tokens of a movie's frames (shots, L) that show a puppet."""
        return shown_puppets([shot.staged for shot in self._written(movie)], self.codec.grid(FRAME_SIZE))

    def _captions(self, shots: Sequence[MovieShot], rng: random.Random) -> list[str]:
        """Fresh wordings; a look is told when its puppet first appears in these shots, later by chance."""
        known: set[str] = set()
        captions = []
        for shot in shots:
            names = {figure.puppet.name for figure in shot.staged.figures}
            told = {name for name in sorted(names) if name not in known or rng.random() < self.describe}
            captions.append(write_caption(shot.staged, told, rng))
            known |= names
        return captions


class DatasetSequences:
    """The sequences of a dataset in the loader's order."""

    def __init__(self, loader: Loader, held: Loader | None = None, films: Sequence[str] = ()) -> None:
        """``loader``: for the stage's pairs and sequences; ``held``: of ``films``, which are held out."""
        self.loader, self.shown = loader, held or loader
        headers = [manifest.header.model_dump(mode="json") for manifest in loader.manifests]
        self.facts: dict[str, Any] = {
            "sequences_sha256": sha256_json(headers),
            "sequences_in_a_batch": loader.sequences,
        }
        if films:
            self.facts["films_held_out"] = list(films)

    def batch(self, seed: int, sequences: int, pairs: int) -> Sequences:
        """The batch whose number is in the loop's seed: the position in the data is the step."""
        assert sequences == self.loader.sequences, (sequences, self.loader.sequences)
        return self.loader.batch(seed % (1 << STEP_BITS))

    def shrunken(self, seed: int, sequences: int, pairs: int, places: Sequence[int], grid: Grid) -> Tensor:
        """Frames at some places of that batch at another size: (B, places, L, C)."""
        return self.loader.shrunken(seed % (1 << STEP_BITS), places, grid)

    def preview(self, sequences: int, pairs: int) -> Sequences:
        """The first of the order of what is held out; else of all, which are trained on as well."""
        return self.shown.read([self.shown.order.at(number) for number in range(sequences)])


def refuse_other_data(folder: Path, source: SequenceSource) -> None:
    """Note in the stage's folder what it is trained on; other data than it began with are refused.

    Raises:
        InputError: the same steps would mean other sequences.
    """
    record = folder / DATA_NAME
    begun = bool(list_checkpoints(folder))
    before = read_json(record, MAX_DATA_BYTES) if record.is_file() else None
    if begun and before != source.facts:
        told = {True: "the theatre", False: "other sequences of a dataset"}[before is None]
        raise InputError(
            f"{folder}: this stage was begun with {told}. Go on with the same data, sampled in the same way "
            "and with as many sequences in a batch, or choose another --run folder."
        )
    if source.facts is not None and before != source.facts:
        write_atomic(record, json.dumps(source.facts, indent=2) + "\n")


def shown_puppets(shots: Sequence[StagedShot], grid: Grid) -> Tensor:
    """Tokens of frames (n, L) that show a puppet, by drawing each frame without its own."""
    shown = np.stack([draw_frame(shot) != draw_frame(replace(shot, figures=())) for shot in shots])
    height, width = grid
    cells = rearrange(shown.any(axis=-1), "k (h y) (w x) -> k (h w) (y x)", h=height, w=width)
    return torch.from_numpy(cells.mean(axis=-1) > SUBJECT_SHARE)


def renamed(shots: Sequence[MovieShot], rng: random.Random) -> list[MovieShot]:
    """The same shots with other names for their puppets; what the captions said is left as it was."""
    old = list(dict.fromkeys(figure.puppet.name for shot in shots for figure in shot.staged.figures))
    new = dict(zip(old, draw_names(rng, len(old)), strict=True))
    return [
        replace(
            shot,
            staged=replace(
                shot.staged,
                figures=tuple(
                    replace(figure, puppet=replace(figure.puppet, name=new[figure.puppet.name]))
                    for figure in shot.staged.figures
                ),
            ),
        )
        for shot in shots
    ]
