"""The scores of a whole film from what pixels told of its shots.

A score without a value says in its note why it has none.
"""

from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean
from typing import Literal

from cinema_cli.evaluation.colours import Likeness, likeness
from cinema_cli.evaluation.cuts import CutAgreement
from cinema_cli.evaluation.duplicates import Neighbour
from cinema_cli.evaluation.figures import wilson
from cinema_cli.evaluation.report import Score, Unit
from cinema_cli.evaluation.shot_pixels import ClipLook, PictureLook
from cinema_cli.storyboard import Shot, tags

Better = Literal["higher", "lower", ""]

NO_FILM = "no film file; cinema render makes it"
NO_CLIPS = "no clips; cinema render makes them"
NO_PICTURES = "no keyframes; cinema plan draws them"
EMPTY = "one colour all over, or near-black"


def cut_scores(cuts: CutAgreement | None) -> Iterator[Score]:
    """Recall, precision and F1; of a storyboard with its film file."""
    none = NO_FILM if cuts is None else "one shot has no cut"
    wanted, found, agreed = (cuts.wanted, cuts.found, cuts.agreed) if cuts else (0, 0, 0)
    near = "found within a frame of where the storyboard has it"
    yield _share("cut_recall", "Cuts found", agreed, wanted, "higher", near, none)
    yield _share("cut_precision", "Found cuts that were wanted", agreed, found, "higher", "", none)
    yield _score("cut_f1", "F1 of both", cuts.f1 if cuts else None, "0 to 1", wanted, "higher", "", none)


def clip_scores(clips: Sequence[ClipLook]) -> Iterator[Score]:
    """How a clip begins, how steady it is, how far it moves."""
    none = "" if clips else NO_CLIPS
    near = [clip.fidelity for clip in clips if clip.fidelity]
    scaled = sum(one.scaled for one in near)
    first = "first frame of the clip against the keyframe"
    if scaled:
        first += f"; in {scaled} of {len(near)} the larger one made as small as the other"
    apart = none or "no clip begins with a keyframe of its shape"
    yield _mean("psnr", "First frame, PSNR", (one.psnr for one in near), "dB", "higher", first, apart)
    yield _mean("ssim", "First frame, SSIM", (one.ssim for one in near), "0 to 1", "higher", "", apart)
    steady = (clip.flicker.steadiness for clip in clips if clip.flicker.steadiness is not None)
    differ = "temporal_flickering over frames that differ; motion counts too"
    yield _mean("flicker", "Steadiness", steady, "0 to 1", "", differ, none or "no frame differs")
    held, pairs = sum(clip.flicker.held for clip in clips), sum(clip.flicker.pairs for clip in clips)
    yield _frames("held_frames", "Frames that repeat the last one", held, held + pairs, "", "", none)
    yield from _motion_scores(clips, none)
    empty, frames = sum(clip.empty for clip in clips), sum(clip.frames for clip in clips)
    yield _frames("empty_frames", "Frames that show nothing", empty, frames, "lower", EMPTY, none)


def _motion_scores(clips: Sequence[ClipLook], none: str) -> Iterator[Score]:
    found = [clip.motion for clip in clips if clip.motion]
    none = none or "no clip has two frames to look at"
    rule = "clips that move, by VBench's rule and DIS flow at about 8 frames a second"
    moving = sum(one.dynamic for one in found)
    yield _share("dynamic_degree", "Dynamic degree", moving, len(found), "higher", rule, none)
    size = "between two frames that are looked at, in pictures of a short side of 256"
    fastest = (one.fastest for one in found)
    yield _mean("flow", "Way of the fastest 5 % of pixels", fastest, "px", "", size, none)


def picture_scores(pictures: Sequence[PictureLook]) -> Iterator[Score]:
    """Sharpness and exposure of keyframes."""
    light = [picture.exposure for picture in pictures]
    sharp = (picture.sharpness for picture in pictures)
    black, white = (100 * one.black for one in light), (100 * one.white for one in light)
    size, none = "variance of the Laplacian at a short side of 256", NO_PICTURES
    yield _mean("sharpness", "Sharpness of keyframes", sharp, "", "", size, none)
    yield _mean("brightness", "Brightness", (one.brightness for one in light), "0 to 1", "", "", none)
    yield _mean("clipped_black", "Pixels clipped to black", black, "%", "", "", none)
    yield _mean("clipped_white", "Pixels clipped to white", white, "%", "", "", none)
    empty = sum(one.empty for one in light)
    yield _share("empty_keyframes", "Keyframes that show nothing", empty, len(light), "lower", EMPTY, none)


def diversity_scores(beside: Sequence[Neighbour]) -> Iterator[Score]:
    """How many keyframes repeat an earlier one, and how far they are from the nearest."""
    twice = sum(one.repeats is not None for one in beside)
    text, none = "Keyframes that repeat an earlier one", "fewer than two keyframes"
    limit = "near-duplicates as cinema ingest flags them"
    yield _share("near_duplicates", text, twice, len(beside), "lower", limit, none)
    apart, unit = (one.apart for one in beside), "mean difference of thumbnails, in levels of 255"
    yield _mean("nearest_keyframe", "Distance to the nearest keyframe", apart, "", "", unit, none)


def colour_scores(pictures: Sequence[tuple[Shot, PictureLook]]) -> Iterator[Score]:
    """What keyframes of one place, and of one character alone, have in common in colour."""
    placed = [(shot.scene, picture.palette) for shot, picture in pictures if shot.scene]
    places = likeness([colours for _, colours in placed], [scene for scene, _ in placed])
    yield from _likeness_scores("place", places, "keyframes with the same words as scene")
    alone = [(shot, picture.palette) for shot, picture in pictures if len(tags(shot.caption)) == 1]
    people = likeness(
        [colours for _, colours in alone],
        [tags(shot.caption)[0] for shot, _ in alone],
        [shot.scene or shot.id for shot, _ in alone],
    )
    how = "keyframes that tag one character alone; pairs of one scene are left out"
    yield from _likeness_scores("character", people, how)


def _likeness_scores(what: str, found: Likeness, how: str) -> Iterator[Score]:
    same, other = found.within_pairs, found.between_pairs
    none = f"no such pair among {how}"
    yield _score(f"{what}_within", f"Colours of one {what}", found.within, "0 to 1", same, "", how, none)
    text = f"Colours of different {what}s"
    yield _score(f"{what}_between", text, found.between, "0 to 1", other, "", "", none)
    text, less = f"What the {what} adds to colours", "the first less the second"
    yield _score(f"{what}_colours", text, found.difference, "0 to 1", min(same, other), "", less, none)


def _score(
    key: str, text: str, value: float | None, unit: Unit, n: int, better: Better, note: str, none: str
) -> Score:
    """A score with its note, or without a value and with the reason."""
    return Score(
        key=key, text=text, value=value, unit=unit, n=n, better=better, note=none if value is None else note
    )


def _mean(
    key: str, text: str, values: Iterable[float], unit: Unit, better: Better, note: str, none: str
) -> Score:
    there = list(values)
    return _score(key, text, fmean(there) if there else None, unit, len(there), better, note, none)


def _frames(key: str, text: str, hits: int, n: int, better: Better, note: str, none: str) -> Score:
    """A share of frames in per cent; those of one clip stand or fall together, so it has no interval."""
    return _score(key, text, 100 * hits / n if n else None, "%", n, better, note, none)


def _share(key: str, text: str, hits: int, n: int, better: Better, note: str, none: str) -> Score:
    """A share of shots or cuts in per cent, with Wilson's interval."""
    if not n:
        return _score(key, text, None, "%", 0, better, note, none)
    low, high = wilson(hits / n, n)
    return Score(
        key=key,
        text=text,
        value=100 * hits / n,
        unit="%",
        n=n,
        low=100 * low,
        high=100 * high,
        better=better,
        note=note,
    )
