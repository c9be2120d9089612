"""Clips of an ingested dataset for the video model: windows of consecutive shots (section 3.3).

A kept shot with a clip is cut to the largest bucket of frames that it fills.  Shots that fill none are not
made, but they are seen: every shot of a film may show its first frame, which is its keyframe in 3.3.  The
keyframe that ``cinema ingest`` keeps is the mid-clip frame (3.1) and is not used here.

Every batch is a function of the dataset, the seed and the step, as in ``sampling/loader.py``: an epoch is
every window once in a random order.

Shapes:  n shots of a group   C channels   F latent frames   h, w latent size   T text tokens
"""

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from cinema_cli.errors import InputError
from cinema_cli.fields import seconds
from cinema_cli.files import sha256_json
from cinema_cli.models.encoders import ShotTextEncoder
from cinema_cli.progress import Progress
from cinema_cli.sampling.kept import KeptFilm
from cinema_cli.sampling.loader import Order
from cinema_cli.storyboard import Storyboard
from cinema_cli.training.clip_facts import ClipFacts, clip_facts
from cinema_cli.training.clip_latents import ClipLatents, ClippedFilm, ClippedShot, shown_size
from cinema_cli.training.films import Clips, Films, nearest
from cinema_cli.training.sequences import STEP_BITS
from cinema_cli.training.video_config import VideoTraining

NO_CLIP, NO_FILE, OTHER_SIZE, SLOW, SHORT = (
    "no clip",
    "clip file missing",
    "clip of another size",
    "clip of too few frames a second",
    "clip too short",
)
NTSC = 1.001
"""23.976 frames a second count as 24."""


class Window(NamedTuple):
    """Shots that are made together."""

    film: int
    places: tuple[int, ...]
    """Of the shots in their film."""


def clipped_films(
    kept: Sequence[KeptFilm], config: VideoTraining, unit: int, folder: Path, progress: Progress
) -> list[ClippedFilm]:
    """The films with what training may show of them; what it may not is counted and told.

    Args:
        kept: The films of a dataset.
        config: Area, frame rate and buckets.
        unit: What the sides of a frame must divide by.
        folder: Where is remembered what the clips are.
        progress: Told of what is left out.

    Raises:
        InputError: a film has no clips, or too small ones.
    """
    films, lost = [], Counter[str]()
    bar = progress.task("look at clips", len(kept), "films")
    for film in kept:
        clipped, own = _clipped(film, config, unit, folder)
        bar.advance()
        films += [] if clipped is None else [clipped]
        lost += own
    if lost:
        told = ", ".join(f"{count} {reason}" for reason, count in lost.most_common())
        progress.say(f"Shots that are not made: {told}")
    return films


def _clipped(
    film: KeptFilm, config: VideoTraining, unit: int, folder: Path
) -> tuple[ClippedFilm | None, Counter[str]]:
    """A film with its shots, none where it has none; and why others are not made."""
    with_clip = [shot for shot in film.shots if shot.clip is not None]
    if film.shots and not with_clip:
        raise InputError(
            f"{film.folder}: clips of its shots were wanted, found none. Run `cinema ingest MOVIE --clips`: "
            "it adds them to what was ingested."
        )
    facts = clip_facts(film, with_clip, folder)
    lost = film.lost + Counter(
        {NO_CLIP: len(film.shots) - len(with_clip), NO_FILE: len(with_clip) - len(facts)}
    )
    first = next(iter(facts.values()), None)
    shots = []
    for shot in with_clip:
        if first is None or shot.id not in facts:
            continue
        reason, bucket = _bucket(facts[shot.id], first, config)
        lost[reason] += bucket == 0
        if bucket or reason == SHORT:
            shots.append(ClippedShot(shot, facts[shot.id], bucket))
    if first is None or not shots:
        return None, +lost
    size = shown_size(first, config.area, unit)
    return ClippedFilm(film, Storyboard.load(film.folder).caption, size, tuple(shots)), +lost


def _bucket(facts: ClipFacts, first: ClipFacts, config: VideoTraining) -> tuple[str, int]:
    """The largest bucket that a clip fills, or 0 and why it fills none."""
    if (facts.height, facts.width, facts.pixel_aspect) != (first.height, first.width, first.pixel_aspect):
        return OTHER_SIZE, 0
    if float(seconds(facts.rate)) * NTSC < config.clip_rate:
        return SLOW, 0
    filled = [n for n in config.frames if facts.frame_at(n - 1, config.clip_rate) < facts.frames]
    return SHORT, max(filled, default=0)


class DatasetClips:
    """Windows of a dataset's films in a random order that depends on the seed alone."""

    def __init__(
        self,
        films: Sequence[ClippedFilm],
        latents: ClipLatents,
        text: ShotTextEncoder,
        config: VideoTraining,
        held: Collection[int] = (),
    ) -> None:
        """``latents``: of these films; those in ``held`` are looked at and not trained on.

        Raises:
            InputError: no film has enough shots for a window.
        """
        self.films, self.latents, self.text, self.config = films, latents, text, config
        windows = [window for number in range(len(films)) for window in self._windows(number)]
        self.windows = [window for window in windows if window.film not in held]
        self.shown = [window for window in windows if window.film in held] or self.windows
        if not self.windows:
            raise InputError(
                f"{config.window} shots of one film that fill {config.frames[0]} frames at "
                f"{config.clip_rate} a second were wanted, found no film with so many. Ask for less: "
                "--set frames=[...] or --set window=N."
            )
        self.order = Order([len(self.windows)], config.loop.seed)
        shown = [
            [film.kept.sha256, film.size, [(one.shot.id, one.bucket) for one in film.shots]] for film in films
        ]
        self.facts: dict[str, Any] = {
            "clips_sha256": sha256_json(shown),
            "frames_a_second": config.clip_rate,
            "shots_in_a_window": config.window,
            "neighbours": config.neighbours,
            "films_in_a_batch": config.films,
        }
        if held:
            self.facts["films_held_out"] = sorted(films[number].kept.name for number in held)

    def batch(self, seed: int) -> list[Films]:
        """The windows whose number is in the loop's seed: the position in the data is the step."""
        first, rng = seed % (1 << STEP_BITS) * self.config.films, Random(f"untold {seed}")
        return [
            self._read(self._at(number), untold=rng.random() < self.config.drop_captions)
            for number in range(first, first + self.config.films)
        ]

    def preview(self) -> Films:
        """A window of what is held out; else one that is trained on as well."""
        return self._read(self.shown[Order([len(self.shown)], self.config.loop.seed).at(0).row])

    def shapes(self) -> int:
        """How many mixtures of frame size and lengths there are among the windows."""
        return len(
            {
                (
                    self.films[window.film].size,
                    tuple(sorted(self._lengths(window))),
                    min(self.config.neighbours, len(self.films[window.film].shots) - self.config.window),
                )
                for window in {*self.windows, *self.shown}
            }
        )

    def _windows(self, film: int) -> list[Window]:
        """All runs of consecutive shots that fill a bucket."""
        made = [place for place, one in enumerate(self.films[film].shots) if one.bucket]
        count = self.config.window
        return [Window(film, tuple(made[i : i + count])) for i in range(len(made) - count + 1)]

    def _at(self, number: int) -> Window:
        return self.windows[self.order.at(number).row]

    def _lengths(self, window: Window) -> list[int]:
        return [self.films[window.film].shots[place].bucket for place in window.places]

    def _read(self, window: Window, untold: bool = False) -> Films:
        """One film (B = 1): its window by length, and the nearest other shots, a frame each.

        ``untold``: without any words.
        """
        film = self.films[window.film]
        outside = nearest(window.places, len(film.shots), self.config.neighbours)
        members = sorted([*window.places, *outside])
        if untold:
            words = self.text.alone([""]).repeat(len(members), 1, 1)
        else:
            words = self.text.encode(film.caption, [film.shots[place].shot.caption for place in members])
        words = words.float()  # half precision is for the encoder; for the model it is the loop's business

        def clips(places: Sequence[int], frames: int) -> Clips:
            ranks = tuple(members.index(place) for place in places)
            latents, moved = self.latents.of(window.film, places, frames)
            return Clips(latents[None], words[list(ranks)][None], moved[None], ranks)

        lengths = dict(zip(window.places, self._lengths(window), strict=True))
        made = tuple(
            clips([place for place in window.places if lengths[place] == frames], frames)
            for frames in sorted(set(lengths.values()))
        )
        return Films(made, clips(outside, 1) if outside else None)


def captions_that_are_cut(films: Sequence[ClippedFilm], text: ShotTextEncoder) -> int:
    """How many shots have more text tokens, global caption and their own, than the model reads."""

    def count(caption: str) -> int:
        return len(text.tokenizer(caption)["input_ids"])

    return sum(
        count(one.shot.caption) > text.length - shared
        for film in films
        for shared in [count(film.caption)]
        for one in film.shots
    )
