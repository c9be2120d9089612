"""What pixels tell of a film without any model: the Section "pixels" (paper, 4.1; VBench where it says so).

One shot is in memory at a time; of each only numbers, a thumbnail and a histogram stay.  How a number comes
about stands in the file of its name: ``cuts``, ``fidelity``, ``flicker``, ``optical_flow``, ``sharpness``,
``exposure``, ``duplicates``, ``colours``.
"""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

from cinema_cli.errors import Interrupted
from cinema_cli.evaluation.cuts import SHORTEST, CutAgreement, cut_agreement
from cinema_cli.evaluation.duplicates import Neighbour, neighbours
from cinema_cli.evaluation.films import Film
from cinema_cli.evaluation.pixel_scores import (
    clip_scores,
    colour_scores,
    cut_scores,
    diversity_scores,
    picture_scores,
)
from cinema_cli.evaluation.report import Section
from cinema_cli.evaluation.shot_pixels import COLUMNS, ShotLook, look_at, row
from cinema_cli.fields import seconds
from cinema_cli.progress import Progress

HOW = (
    "Measured from pixels alone, so nothing here knows what is shown: numbers compare films of one kind. "
    "Steadiness and dynamic degree are VBench's temporal_flickering and dynamic_degree, the first also on "
    "clips that move, the second with OpenCV's DIS flow in pictures of a short side of at most 256 in place "
    "of RAFT: neither can be compared with VBench's own tables. Colours tell whether a place or a character "
    "leaves a trace in them, not whether it is recognised."
)
TOLD = 20
"""Shots or pairs that a note names; the rest is counted."""


def measure_pixels(
    film: Film, progress: Progress | None = None, stopped: Callable[[], bool] = lambda: False
) -> Section:
    """Look at every shot of a film once, and at the film file for its cuts.

    Args:
        film: Which film.
        progress: Where to tell how far it is.
        stopped: Ends the work between two shots.

    Raises:
        InputError: a keyframe or clip that the storyboard names cannot be read.
        Interrupted: stopped on request.
    """
    task = progress.task(f"pixels of {film.folder.name}", len(film.shots) + 1, "looks") if progress else None
    looks = []
    for shot in film.shots:
        if stopped():
            raise Interrupted("stopped on request while pixels were measured. Run it again.")
        looks.append(look_at(film, shot))
        if task:
            task.advance()
    cuts = cut_agreement(film.board, film.movie) if film.movie else None
    if task:
        task.advance()
    return _section(film, looks, cuts)


def _section(film: Film, looks: Sequence[ShotLook], cuts: CutAgreement | None) -> Section:
    pictures = [(look.shot, look.picture) for look in looks if look.picture]
    ids = [shot.id for shot, _ in pictures]
    found = neighbours([picture.thumb for _, picture in pictures])
    beside = {id: (ids[one.nearest], one) for id, one in zip(ids, found, strict=False)}
    scores = (
        *cut_scores(cuts),
        *clip_scores([look.clip for look in looks if look.clip]),
        *picture_scores([picture for _, picture in pictures]),
        *diversity_scores(found),
        *colour_scores(pictures),
    )
    return Section(
        name="pixels",
        title="Without downloads",
        how=HOW,
        scores=scores,
        columns=COLUMNS,
        shots={look.shot.id: row(look, beside) for look in looks},
        notes=(*_cut_notes(film, cuts), *_twin_notes(ids, found), *_shot_notes(looks)),
    )


def _cut_notes(film: Film, cuts: CutAgreement | None) -> Iterator[str]:
    short = [shot.id for shot in film.shots if float(seconds(shot.duration)) < SHORTEST]
    if cuts is not None and short:
        yield f"Shots below {SHORTEST:g} s, whose cuts the detectors do not look for: {_named(short)}."
    if cuts is not None and cuts.missed:
        yield f"Cuts that were wanted and not found, at seconds: {_named(_seconds(cuts.missed))}."
    if cuts is not None and cuts.extra:
        yield (
            "Cuts that were found within a shot, where its clip jumps or pulses, at seconds: "
            f"{_named(_seconds(cuts.extra))}."
        )


def _seconds(moments: Sequence[Fraction]) -> list[str]:
    return [f"{float(moment):.2f}" for moment in moments]


def _twin_notes(ids: Sequence[str], beside: Sequence[Neighbour]) -> Iterator[str]:
    pairs = [
        f"{id} repeats {ids[one.repeats]}"
        for id, one in zip(ids, beside, strict=False)
        if one.repeats is not None
    ]
    if pairs:
        yield f"Near-duplicates: {_named(pairs)}."


def _shot_notes(looks: Sequence[ShotLook]) -> Iterator[str]:
    for text, holds in SHOT_NOTES.items():
        if found := [look.shot.id for look in looks if holds(look)]:
            yield f"{text}: {_named(found)}."
    if any(look.shot.source and look.clip for look in looks):
        yield "An ingested keyframe is the middle of its shot, so no first frame was compared with it."


SHOT_NOTES: dict[str, Callable[[ShotLook], bool]] = {
    "Without a keyframe": lambda look: look.picture is None,
    "Without a clip": lambda look: look.clip is None,
    "Keyframes that show nothing": lambda look: look.picture is not None and look.picture.exposure.empty,
    "Clips with frames that show nothing": lambda look: look.clip is not None and look.clip.empty > 0,
    "Clips of another shape than their keyframe, not compared": lambda look: (
        look.shot.source is None
        and look.picture is not None
        and look.clip is not None
        and look.clip.fidelity is None
    ),
    "Clips that stand still and so have no steadiness": lambda look: (
        look.clip is not None and not look.clip.flicker.pairs
    ),
}


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - TOLD} more" if len(names) > TOLD else ""
    return ", ".join(names[:TOLD]) + more
