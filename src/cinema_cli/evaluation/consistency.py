"""What encoders say of a film: does it stay the same where it should, does it show what captions say (4.1).

Scores, by key:

* ``subject_consistency``, ``background_consistency``, ``consistency``: within clips, in %; the last is the
  mean of the two, *Consistency* of Table 1;
* ``subject_across``, ``background_across``: first frames of all clips taken as one clip; ``subject_long`` and
  ``background_long``: both parts, weighed as VBench-Long weighs them;
* ``text_alignment``: cosine of caption and keyframe; times 100 it is *Text* of Table 1;
* ``identity_consistency`` and two beside it: see ``identity``.

Shapes:  F frames of a clip   D numbers of a vector
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cinema_cli.config import Config
from cinema_cli.errors import Interrupted
from cinema_cli.evaluation.encoders import ImageEncoder, Vectors, WordEncoder
from cinema_cli.evaluation.films import Film
from cinema_cli.evaluation.identity import Identity
from cinema_cli.evaluation.report import Cell, Score, Section
from cinema_cli.evaluation.vbench import WITHIN, alignment, consistency, long_consistency, steadiness
from cinema_cli.models.weights import TOY
from cinema_cli.progress import Progress

HOW = (
    "Frames and captions become vectors, and VBench's formulas are made of their cosines. A still picture is "
    "100 % consistent, so read it beside motion. Numbers of different encoders are not comparable, nor is "
    "any of these with Table 1 unless the encoders are VBench's: DINO ViT-B/16 for subjects, CLIP ViT-B/32 "
    "for backgrounds."
)
COLUMNS = ("Subject %", "Background %", "Text", "Identity")
NO_SUBJECT = "no encoder of subjects was named; VBench's is facebook/dino-vitb16"
NO_CLIPS = "no clip of two frames or more"
FEW_SHOTS = "fewer than two shots with pictures"
MEAN = "mean of the two; Consistency of Table 1"
ACROSS = "first frames of all clips, taken as one clip: new places count against it"
TEXT = "cosine of caption and keyframe; times 100 for Text of Table 1, whose encoder the paper does not name"


class EncoderConfig(Config):
    """Which encoders look at films."""

    subject: Annotated[str, Field(min_length=1)] | None = None
    """Sees subjects; VBench's is DINO, facebook/dino-vitb16.  None: that is not measured."""
    clip: Annotated[str, Field(min_length=1)] = TOY
    """Sees backgrounds, reads captions, knows characters again; VBench's is CLIP ViT-B/32."""


@dataclass
class Side:
    """What one encoder saw of a film."""

    within: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    """By shot, the ``steadiness`` (F - 1,) of its clip."""
    firsts: list[Vectors] = field(default_factory=list)
    """(1, D) each: of the first frame of a clip, or of the keyframe where there is no clip."""

    def look(self, encoder: ImageEncoder, id: str, frames: NDArray[np.uint8]) -> None:
        """At a clip, or at a keyframe as a clip of one frame."""
        vectors = encoder.image(frames)
        if len(frames) > 1:
            self.within[id] = steadiness(vectors)
        self.firsts.append(vectors[:1])

    def scores(self, name: str, no_clips: str, few_shots: str) -> tuple[Score, Score, Score]:
        """Within clips, across them, and both; the last two words tell why a score is missing."""
        key, within = name.lower(), consistency(list(self.within.values()))
        frames = sum(map(len, self.within.values()))
        many = len(self.firsts) > 1
        across = consistency([steadiness(np.concatenate(self.firsts))]) if many else None
        share = WITHIN[key]
        both = None if within is None or across is None else long_consistency(within, across, share)
        weighed = f"{share:g} within and {1 - share:g} across, VBench-Long's weights; its map is left out"
        pairs = len(self.firsts) - 1
        return (
            _percent(f"{key}_consistency", f"{name} consistency", within, frames, "", no_clips),
            _percent(f"{key}_across", f"{name} across clips", across, pairs, ACROSS, few_shots),
            _percent(f"{key}_long", f"{name}, whole film", both, frames, weighed, "a part of it is missing"),
        )

    def percent(self, id: str) -> float | None:
        """The score of one shot's clip."""
        return 100 * float(self.within[id].mean()) if id in self.within else None


def measure_encoders(
    film: Film,
    clip: WordEncoder,
    subject: ImageEncoder | None,
    progress: Progress,
    stopped: Callable[[], bool] = lambda: False,
) -> Section:
    """The section ``encoders`` of a film; one clip is held in memory at a time.

    Args:
        film: Which film.
        clip: Sees backgrounds, reads captions, knows characters again.
        subject: Sees subjects; none: that is not measured.
        progress: Where to tell how far it is.
        stopped: Ends the work between two shots.

    Raises:
        InputError: a keyframe or a clip cannot be read.
        Interrupted: stopped on request.
    """
    subjects, backgrounds = Side(), Side()
    keyframes: dict[str, Vectors] = {}
    task = progress.task("encoding", len(film.shots), "shots")
    for shot in film.shots:
        if stopped():
            raise Interrupted("stopped on request while frames were encoded. Run it again.")
        keyframe = film.keyframe(shot)
        if keyframe is not None:
            keyframes[shot.id] = clip.image(keyframe[None])
        frames = film.clip(shot)
        if frames is None and keyframe is not None:
            frames = keyframe[None]
        if frames is not None:
            backgrounds.look(clip, shot.id, frames)
            if subject is not None:
                subjects.look(subject, shot.id, frames)
        task.advance()
    words = _words(film, clip, keyframes)
    identity = Identity.of(film.shots, keyframes)
    again = identity.by_shot()
    scores = [*_consistency(subjects, backgrounds, subject), _text(film, clip, words), *identity.scores()]
    rows: dict[str, tuple[Cell, ...]] = {
        shot.id: (
            subjects.percent(shot.id),
            backgrounds.percent(shot.id),
            words.get(shot.id),
            again.get(shot.id),
        )
        for shot in film.shots
    }
    seen_by = f"{subject.name} for subjects, {clip.name} for the rest" if subject is not None else clip.name
    return Section(
        name="encoders",
        title=f"Encoders: {seen_by}",
        how=HOW,
        scores=tuple(scores),
        columns=COLUMNS,
        shots=rows,
        notes=tuple(_notes(film, clip, subject)),
    )


def _words(film: Film, clip: WordEncoder, keyframes: dict[str, Vectors]) -> dict[str, float]:
    """By shot, the cosine of its caption and its keyframe."""
    shots = [shot for shot in film.shots if shot.caption.strip() and shot.id in keyframes]
    if not shots:
        return {}
    pictures = np.concatenate([keyframes[shot.id] for shot in shots])
    cosines = alignment(clip.text([shot.caption for shot in shots]), pictures)
    return {shot.id: float(cosine) for shot, cosine in zip(shots, cosines, strict=True)}


def _consistency(subjects: Side, backgrounds: Side, subject: ImageEncoder | None) -> list[Score]:
    """Both sides, and Table 1's mean of them behind the first two."""
    no_clips, few = (NO_CLIPS, FEW_SHOTS) if subject is not None else (NO_SUBJECT, NO_SUBJECT)
    one, *rest = subjects.scores("Subject", no_clips, few)
    other, *more = backgrounds.scores("Background", NO_CLIPS, FEW_SHOTS)
    mean = None if one.value is None or other.value is None else (one.value + other.value) / 200
    both = _percent("consistency", "Consistency", mean, other.n, MEAN, no_clips)
    return [one, other, both, *rest, *more]


def _percent(key: str, text: str, value: float | None, n: int, note: str, missing: str) -> Score:
    if value is None:
        return Score(key=key, text=text, value=None, unit="%", better="higher", note=missing)
    return Score(key=key, text=text, value=100 * value, unit="%", n=n, better="higher", note=note)


def _text(film: Film, clip: WordEncoder, words: dict[str, float]) -> Score:
    key, text = "text_alignment", "Text alignment"
    if not words:
        return Score(
            key=key, text=text, value=None, better="higher", note="no shot with a caption and a keyframe"
        )
    long = len(clip.cut([shot.caption for shot in film.shots if shot.id in words]))
    cut = f"; of {long} captions only the beginning is read" if long else ""
    mean = float(np.mean(list(words.values())))
    return Score(key=key, text=text, value=mean, n=len(words), better="higher", note=TEXT + cut)


def _notes(film: Film, clip: WordEncoder, subject: ImageEncoder | None) -> list[str]:
    notes = []
    if TOY in (clip.name, subject.name if subject is not None else ""):
        notes.append(f"The encoder {TOY} has seen the theatre's puppets and nothing else.")
    without = sum(shot.clip is None for shot in film.shots)
    if without:
        notes.append(f"Shots without a clip: {without}. Across clips their keyframe stands in for it.")
    return notes
