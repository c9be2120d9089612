"""The exact way of measuring: what the theatre's films show against what their captions say, from pixels.

Every fact is read back by ``theatre.read_frame``, whose own accuracy on drawn frames is 99 % and more.  It
works for films whose captions are in the theatre's words, and no model is asked.

Shapes:  F frames of a clip   H, W pixels
"""

from collections import defaultdict
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image

from cinema_cli.errors import InputError
from cinema_cli.evaluation.figures import CLIP_FIGURES, KEYFRAME_FIGURES, Figure, Observations, Row, row
from cinema_cli.evaluation.films import Clip, Film, Frame
from cinema_cli.evaluation.looks import (
    Looks,
    add,
    is_described,
    is_named_only,
    look_at_places,
    look_at_puppets,
    look_at_scenery,
    look_at_two,
    psnr,
    see,
)
from cinema_cli.evaluation.report import Cell, Score, Section
from cinema_cli.evaluation.truth import is_of_the_theatre, true_shots
from cinema_cli.evaluation.verbs import look_at_motion, look_through
from cinema_cli.storyboard import Shot
from cinema_cli.theatre.world import CLIP_RATE, FRAME_SIZE, MovieShot

FIGURES = (*KEYFRAME_FIGURES, *CLIP_FIGURES)
COLUMNS = ("set", "time", "size", "coats", "hats", "described", "clip coats", "clip hats", "motion")
HOW = (
    "Read from pixels and compared with the captions; the reader itself is right on 99 % and more of the "
    "theatre's own frames. A puppet that is not found counts as wrong; 12.5 % is chance for a colour. "
    "What a caption only names may have been told to the model all the same (repeat_looks, the default): "
    "then these lines say how consistent the film is; memory of a name is what --stress and --card measure. "
    "Intervals of one film are Wilson's and take its looks for independent, which they are not quite."
)


def measure_exact(film: Film, on_shot: Callable[[], None] = lambda: None) -> Section:
    """The theatre's table for one film.

    Raises:
        InputError: the film is none of the theatre, or a picture that it names cannot be read.
    """
    shots = true_shots(film.board)
    if not is_of_the_theatre(film.board, shots):
        raise InputError(
            f"{film.folder}: captions in the words of the toy theatre were wanted, found "
            f"{len(shots)} of {len(film.shots)} that can be read. Measure it in the other ways."
        )
    looks, rows = look_at_film(film, shots, on_shot)
    left = [shot.id for shot in film.shots if shot.id not in shots]
    notes = (f"captions in other words, left out: {', '.join(left)}",) if left else ()
    scores = tuple(as_score(row(figure, [looks]), figure) for figure in FIGURES)
    return Section(
        name="exact",
        title="Against the truth",
        how=HOW,
        scores=tuple(score for score in scores if score.value is not None),
        columns=COLUMNS,
        shots=rows,
        notes=notes,
    )


def look_at_film(
    film: Film, shots: Mapping[str, MovieShot], on_shot: Callable[[], None] = lambda: None
) -> tuple[Observations, dict[str, tuple[Cell, ...]]]:
    """All looks at a film's keyframes and clips, and a row of them for every shot."""
    looks: Looks = defaultdict(list)
    rows: dict[str, tuple[Cell, ...]] = {}
    drawn: dict[str, Frame] = {}
    for shot in film.shots:
        true, frame = shots.get(shot.id), film.keyframe(shot)
        if true is not None and frame is not None:
            drawn[shot.id] = small(frame)
            rows[shot.id] = _look_at_shot(film, shot, true, drawn[shot.id], looks)
        on_shot()
    if drawn:
        places = look_at_places([shots[id] for id in drawn], np.stack(list(drawn.values())))
        add(looks, places)
    return looks, rows


def small(frame: Frame) -> Frame:
    """A frame at the theatre's own size, at which truth is read."""
    if frame.shape[:2] == FRAME_SIZE:
        return frame
    size = (FRAME_SIZE[1], FRAME_SIZE[0])
    return np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BOX))


def at_clip_rate(clip: Clip, rate: float) -> Clip:
    """The frames of a clip that are shown at the theatre's moments, eight a second, at its own size."""
    count = max(1, round(len(clip) * CLIP_RATE / rate))
    places = np.minimum((np.arange(count) * rate / CLIP_RATE).round().astype(int), len(clip) - 1)
    return np.stack([small(clip[place]) for place in places])


def as_score(measured: Row, figure: Figure) -> Score:
    """A row of the card as a score."""
    return Score(
        key=figure.key,
        text=figure.text,
        value=measured.measured,
        unit="dB" if figure.unit == "dB" else "%",
        n=measured.n,
        low=measured.low,
        high=measured.high,
        better="higher",
        target=figure.target,
    )


def _look_at_shot(film: Film, shot: Shot, true: MovieShot, frame: Frame, looks: Looks) -> tuple[Cell, ...]:
    """Add the looks at one shot, and give its row."""
    seen = see(true, frame)
    add(looks, look_at_scenery([seen]))
    add(looks, look_at_puppets([seen], "described", is_described))
    add(looks, look_at_puppets([seen], "named", is_named_only))
    add(looks, look_at_two([seen], "two"))
    described = ", ".join(true.described) if true.staged.figures else None
    row = (*seen.scenery.values(), _share(seen.coats), _share(seen.hats), described)
    clip = film.clip(shot)
    if clip is None or shot.source is not None:  # an ingested shot's keyframe is its middle
        return (*row, None, None, None)
    moving = at_clip_rate(clip, film.rate(shot))
    through, motion = look_through(true, moving), look_at_motion(true, moving)
    add(looks, {"psnr first": psnr(moving[:1], frame[None]), **through, **motion})
    always = (_share(through.get(key, ())) for key in ("coat clip", "hat clip"))
    return (*row, *always, _share(motion.get("motion", ())))


def _share(right: "tuple[bool, ...] | list[float] | tuple[()]") -> str | None:
    """``1 of 2``; nothing where there is nobody."""
    return f"{int(sum(right))} of {len(right)}" if right else None
