"""From a dataset to the sequences that training reads (paper, 3.2: dynamic stride sampling).

For each K one manifest an epoch.  A film is sampled by itself, from a key made of the seed and of what the
film is, so its sequences are the same whatever other films lie beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field, StrictInt, field_validator

from cinema_cli.config import Config
from cinema_cli.dataset import films
from cinema_cli.errors import InputError, Interrupted
from cinema_cli.files import locked, sha256_json
from cinema_cli.progress import Progress, finishing_on_signal
from cinema_cli.sampling.kept import KeptFilm, all_lost, kept_film
from cinema_cli.sampling.manifest import (
    FOLDER,
    Header,
    Manifest,
    SampledFilm,
    load_epochs,
    manifest_path,
    remove_later,
)
from cinema_cli.sampling.overlap import check_overlap
from cinema_cli.sampling.stride import Integers, Strides, draw_sequences, shared_keyframes
from cinema_cli.storyboard import MAX_SHOTS, FlagReason

SPAN = 10
"""Default span in multiples of K; for 16 pairs there are about 100 times the naive sequences then (4.2)."""

Pairs = Annotated[StrictInt, Field(ge=1, le=MAX_SHOTS)]


class SampleConfig(Config):
    """Which sequences ``cinema sample`` draws."""

    pairs: Annotated[tuple[Pairs, ...], Field(min_length=1)] = (8, 16, 32)
    """Keyframes in a sequence (K); 3.2 trains on 8, 16 and 32."""
    span: Annotated[StrictInt, Field(ge=1)] | None = None
    """Last minus first keyframe plus one, at most, in kept keyframes; ten times K where nothing is said."""
    overlap: Annotated[float, Field(ge=0, lt=1)] = 0.25
    """Share of its keyframes that a sequence may have in common with another (4.2: 25 %)."""
    epochs: Annotated[StrictInt, Field(ge=1, le=1000)] = 1
    """Manifests for so many epochs, none of which repeats a sequence of another."""
    seed: Annotated[StrictInt, Field(ge=0, lt=2**63)] = 0
    """The same seed, the same sequences."""
    effort: Annotated[StrictInt, Field(ge=0, le=100_000)] = 150
    """Candidates for every naive sequence: more find more sequences, and take longer."""
    allow: tuple[FlagReason, ...] = ()
    """Flags of ``cinema ingest`` that do not speak against a keyframe."""

    @field_validator("pairs")
    @classmethod
    def _once(cls, pairs: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(pairs)) < len(pairs):
            raise ValueError(f"each number of pairs once was wanted, found {list(pairs)}.")
        return pairs

    def strides(self, pairs: int) -> Strides:
        """The definition of a sequence of so many pairs."""
        span = SPAN * pairs if self.span is None else self.span
        if span < pairs:
            raise InputError(f"A span of at least {pairs} for {pairs} pairs was wanted, found {span}.")
        return Strides(pairs, span, shared_keyframes(pairs, self.overlap), self.effort)


@dataclass(frozen=True)
class Sampled:
    """What came out for one K."""

    pairs: int
    span: int
    counts: list[int]
    """Sequences, by epoch."""
    naive: int
    """Windows of consecutive keyframes under the same bar."""
    fresh: bool
    """False where an earlier run had drawn the same."""
    manifests: list[Manifest]
    paths: list[Path]

    @property
    def ratio(self) -> float | None:
        """Sequences of the first epoch over naive ones; none where no film is long enough."""
        return self.counts[0] / self.naive if self.naive else None


@dataclass(frozen=True)
class DatasetSample:
    """What came out of a dataset."""

    films: list[KeptFilm]
    lost: dict[str, int]
    sampled: list[Sampled]

    @property
    def kept(self) -> int:
        """Keyframes kept, in all films."""
        return sum(len(film.shots) for film in self.films)


def sample_dataset(
    dataset: Path, config: SampleConfig, progress: Progress, out: Path | None = None, dry_run: bool = False
) -> DatasetSample:
    """Draw the sequences of a dataset; manifests of an earlier run that still fit are kept.

    With ``dry_run`` they are drawn and counted, and nothing is written.

    Raises:
        InputError: no film keeps enough keyframes for any of the K that are wanted.
        Interrupted: a signal came; the manifests that were finished are there.
    """
    strides = [config.strides(pairs) for pairs in config.pairs]
    found = films(dataset)
    reading = progress.task("reading films", len(found), "films")
    kept = []
    for folder in found:
        kept.append(kept_film(folder, config.allow))
        reading.advance()
    lost = all_lost(kept)
    _refuse_too_few(dataset, kept, min(config.pairs), lost)
    folder = out if out is not None else dataset / FOLDER
    if dry_run:
        return DatasetSample(kept, lost, [_sample(kept, s, config, folder, progress, True) for s in strides])
    with locked(folder):
        return DatasetSample(kept, lost, [_sample(kept, s, config, folder, progress, False) for s in strides])


def _refuse_too_few(dataset: Path, kept: Sequence[KeptFilm], fewest: int, lost: dict[str, int]) -> None:
    longest = max(len(film.shots) for film in kept)
    if longest < fewest:
        told = ", ".join(f"{reason} {count}" for reason, count in lost.items()) or "none"
        raise InputError(
            f"{dataset}: a film with at least {fewest} kept keyframes was wanted, found at most {longest} in "
            f"{len(kept)} films (lost: {told}). Caption them with `cinema caption`, or allow a flag."
        )


def _sample(
    kept: Sequence[KeptFilm],
    strides: Strides,
    config: SampleConfig,
    folder: Path,
    progress: Progress,
    dry_run: bool,
) -> Sampled:
    headers = [_header(kept, strides, config, epoch) for epoch in range(config.epochs)]
    paths = [manifest_path(folder, strides.pairs, header.epoch) for header in headers]
    naive = sum(strides.naive(len(film.shots)) for film in kept)
    manifests = _earlier(folder, headers)
    fresh = manifests is None
    if manifests is None:
        manifests = _draw_all(kept, strides, headers, progress)
        if not dry_run:
            for manifest in manifests:
                manifest.save(folder)
            for path in remove_later(folder, strides.pairs, config.epochs):
                progress.say(f"{path}: removed, it is of an earlier run that asked for more epochs")
    else:
        progress.say(f"{strides.pairs} pairs: already there, kept")
    counts = [len(manifest.sequences) for manifest in manifests]
    return Sampled(
        strides.pairs, strides.span, counts, naive, fresh, manifests, [] if dry_run and fresh else paths
    )


def _header(kept: Sequence[KeptFilm], strides: Strides, config: SampleConfig, epoch: int) -> Header:
    return Header(
        pairs=strides.pairs,
        span=strides.span,
        overlap=config.overlap,
        seed=config.seed,
        effort=config.effort,
        allow=tuple(sorted(config.allow)),
        epoch=epoch,
        epochs=config.epochs,
        films=sampled_films(kept),
    )


def sampled_films(kept: Sequence[KeptFilm]) -> tuple[SampledFilm, ...]:
    """The films as a manifest names them."""
    return tuple(SampledFilm(name=film.name, kept=len(film.shots), sha256=film.sha256) for film in kept)


def _earlier(folder: Path, headers: Sequence[Header]) -> list[Manifest] | None:
    """The manifests of an earlier run, where they are whole and from the same."""
    first = manifest_path(folder, headers[0].pairs, 0)
    if not first.is_file():
        return None
    try:
        manifests = load_epochs(folder, headers[0].pairs)
        if [manifest.header for manifest in manifests] != list(headers):
            return None
        for manifest in manifests:
            check_overlap(manifest, str(first.parent))
    except InputError:  # of no use: it is drawn again
        return None
    return manifests


def _draw_all(
    kept: Sequence[KeptFilm], strides: Strides, headers: Sequence[Header], progress: Progress
) -> list[Manifest]:
    """Film by film, all its epochs, so that only one film's index is in memory."""
    parts: list[list[Integers]] = [[] for _ in headers]
    task = progress.task(f"{strides.pairs} pairs", sum(len(film.shots) for film in kept), "keyframes")
    with finishing_on_signal() as stop:
        for film in kept:
            if stop.requested:
                raise Interrupted("Stopped before this manifest was whole; the same command goes on.")
            _draw_film(film, strides, headers, parts)
            task.advance(len(film.shots), note=film.name)
    manifests = []
    for header, drawn in zip(headers, parts, strict=True):
        ends = np.cumsum([len(part) for part in drawn], dtype=np.int64)
        manifests.append(Manifest(header, np.concatenate(drawn).astype(np.uint16), ends))
    return manifests


def _draw_film(
    film: KeptFilm, strides: Strides, headers: Sequence[Header], parts: list[list[Integers]]
) -> None:
    taken: set[bytes] = set()
    for header, drawn in zip(headers, parts, strict=True):
        made_of = {"seed": header.seed, "epoch": header.epoch, "pairs": strides.pairs, "film": film.sha256}
        key = int(sha256_json(made_of)[:32], 16)
        sequences = draw_sequences(len(film.shots), strides, key, header.epoch, taken)
        drawn.append(sequences.astype(np.uint16))


def open_sequences(
    dataset: Path, pairs: int, folder: Path | None = None
) -> tuple[list[Manifest], list[KeptFilm]]:
    """The manifests of a dataset for sequences of so many pairs, checked in full, and its films in order.

    Raises:
        MissingError: there is no such manifest.
        InputError: it is of another state of the dataset, or breaks its definition.
    """
    folder = dataset / FOLDER if folder is None else folder
    found = films(dataset)
    manifests = load_epochs(folder, pairs)
    header = manifests[0].header
    kept = [kept_film(film, header.allow) for film in found]
    now = {film.name: film for film in sampled_films(kept)}
    then = {film.name: film for film in header.films}
    changed = sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name))
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise InputError(
            f"{manifest_path(folder, pairs, 0)}: the dataset has changed since the sequences were drawn "
            f"({changed[0]}{more}: other films or other kept keyframes). Run `cinema sample` again."
        )
    for manifest in manifests:
        check_overlap(manifest, str(manifest_path(folder, pairs, manifest.header.epoch)))
    return manifests, kept
