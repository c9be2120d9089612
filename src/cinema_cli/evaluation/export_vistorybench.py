"""Films as ViStoryBench reads the pictures of stories, with a data set that tells them (arXiv 2505.24862).

The layouts are those of its ``read_outputs.py`` and ``dataset_load.py``:

    out/outputs/<method>/<mode>/en/<YYYYMMDD-HHMMSS>/<NN>/shots/shot_XX.png
    out/dataset/ViStory/<NN>/story.json   out/dataset/ViStory/<NN>/image/<name>/00.png

What a storyboard does not know is not made up: plot and camera are left to the description.  The picture by
which a character is known again is a keyframe of the film itself, so *CIDS cross* and *CSD cross* flatter it.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from cinema_cli.errors import InputError
from cinema_cli.evaluation.export_files import Plan
from cinema_cli.evaluation.export_vbench import existing
from cinema_cli.evaluation.films import Film
from cinema_cli.evaluation.truth import is_of_the_theatre, true_shots
from cinema_cli.storyboard import FILE_NAME, Shot, strip_tags, tags

LANGUAGE = "en"
MOST_STORIES = 999
"""ViStoryBench's names of stories have three digits at most."""
UNTOLD = "as described"
"""Where a storyboard has no words of its own for a field that must not be missing."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
TIMESTAMP = re.compile(r"\d{8}-\d{6}")

Face = Literal["realistic_human", "unrealistic_human", "non_human"]
"""How ViStoryBench compares a character: real faces by ArcFace, others by CLIP."""

README = """\
# For ViStoryBench

Copy or link `outputs/` and `dataset/` into `data/` of a clone of ViStoryBench/vistorybench, which has an
environment of its own, and give its benchmark the method `{method}`.

Stories: {stories}

The reference picture of a character is the first keyframe in which nobody else is tagged: scores across
references (CIDS cross, CSD cross) compare the film with itself. Scores within the film (CIDS self, CSD self)
and of single pictures mean what they mean for other methods.
{lacking}"""


def export_vistorybench(
    films: Sequence[Film],
    out: Path,
    method: str = "cinema",
    mode: str = "base",
    face: Face | None = None,
    timestamp: str | None = None,
) -> Path:
    """Write the folder; done again it is the same, and nothing that is not ours is touched.

    Args:
        films: With a keyframe for every shot; they are numbered in this order.
        out: The folder.
        method: What the benchmark calls it.
        mode: The same for its variant.
        face: Of all characters; else that of puppets in films of the theatre, and of people in others.
        timestamp: Of this run, YYYYMMDD-HHMMSS; else when the newest storyboard was written, UTC.

    Returns:
        The folder; its README.md says how it is used.

    Raises:
        InputError: a keyframe is missing, a name cannot be one, or somebody else's file is in the way.
    """
    for what, name in (("method", method), ("mode", mode)):
        if not NAME.fullmatch(name):
            raise InputError(f"{what} {name!r}: a name of letters, digits, '.', '_' and '-' was wanted.")
    if timestamp is not None and not TIMESTAMP.fullmatch(timestamp):
        raise InputError(f"timestamp {timestamp!r}: YYYYMMDD-HHMMSS was wanted.")
    if not 1 <= len(films) <= MOST_STORIES:
        raise InputError(f"1 to {MOST_STORIES} films were wanted for ViStoryBench, found {len(films)}.")
    plan = Plan()
    told: list[str] = []
    lacking: list[str] = []
    run = f"outputs/{method}/{mode}/{LANGUAGE}/{timestamp or written_at(films)}"
    for number, film in enumerate(films, start=1):
        story = f"{number:02d}"
        for index, shot in enumerate(film.shots, start=1):
            picture = _keyframe(film, shot)
            plan.link(f"{run}/{story}/shots/shot_{index:02d}{picture.suffix.lower()}", picture)
        _refuse_same_keys(film)
        alone = first_alone(film)
        for name, shot in alone.items():
            picture = _keyframe(film, shot)
            plan.link(f"dataset/ViStory/{story}/image/{name}/00{picture.suffix.lower()}", picture)
        text = json.dumps(story_json(film, face or face_of(film)), ensure_ascii=False, indent=4) + "\n"
        plan.write(f"dataset/ViStory/{story}/story.json", text)
        told.append(f"{story} is {film.folder.resolve().name}")
        lacking += [f"{name} in {story}" for name in _characters(film) if name not in alone]
    plan.write(
        "README.md", README.format(method=method, stories=", ".join(told) + ".", lacking=_said(lacking))
    )
    plan.carry_out(out, "vistorybench")
    return out


def story_json(film: Film, face: Face) -> dict[str, Any]:
    """A film in ViStoryBench's words; names and looks in English only, whatever language they are in."""
    looks = {key(member.name): member.look for member in film.board.cast}
    characters = {
        name: {
            "tag": face,
            "name_en": name,
            "prompt_en": looks.get(name, "") or UNTOLD,
            "num_of_appearances": count,
        }
        for name, count in _characters(film).items()
    }
    return {
        "Story_type": {LANGUAGE: "Film"},
        "Characters": characters,
        "Shots": [_shot(index, shot) for index, shot in enumerate(film.shots, start=1)],
    }


def _shot(index: int, shot: Shot) -> dict[str, Any]:
    spoken = " ".join(f"{line.speaker}: {line.text}" for line in shot.lines)
    return {
        "index": index,
        "Plot Correspondence": {LANGUAGE: spoken or UNTOLD},
        "Setting Description": {LANGUAGE: shot.scene or UNTOLD},
        "Shot Perspective Design": {LANGUAGE: UNTOLD},
        "Characters Appearing": {LANGUAGE: _keys(shot)},
        "Static Shot Description": {LANGUAGE: " ".join(strip_tags(shot.caption).split())},
    }


def face_of(film: Film) -> Face:
    """Puppets are no real faces."""
    theatre = is_of_the_theatre(film.board, true_shots(film.board))
    return "unrealistic_human" if theatre else "realistic_human"


def key(name: str) -> str:
    """A name as ViStoryBench's: it names a folder, too."""
    return re.sub(r"[/\\:]", "-", name)


def _refuse_same_keys(film: Film) -> None:
    names = {name for shot in film.shots for name in tags(shot.caption)}
    for name in names:
        if key(name) != name and key(name) in names:
            raise InputError(
                f"{film.folder}: ViStoryBench would take {name} and {key(name)} for one. Rename one of them."
            )


def _keys(shot: Shot) -> list[str]:
    return list(dict.fromkeys(key(name) for name in tags(shot.caption)))


def _characters(film: Film) -> Counter[str]:
    """Who is tagged, in how many shots."""
    return Counter(name for shot in film.shots for name in _keys(shot))


def first_alone(film: Film) -> dict[str, Shot]:
    """By character, the first shot that tags nobody else."""
    found: dict[str, Shot] = {}
    for shot in film.shots:
        names = _keys(shot)
        if len(names) == 1:
            found.setdefault(names[0], shot)
    return found


def written_at(films: Sequence[Film]) -> str:
    """When the newest storyboard was written, UTC: the same as long as no film changes."""
    newest = max((film.folder / FILE_NAME).stat().st_mtime for film in films)
    return datetime.fromtimestamp(newest, UTC).strftime("%Y%m%d-%H%M%S")


def _keyframe(film: Film, shot: Shot) -> Path:
    if shot.keyframe is None:
        raise InputError(
            f"{film.folder}: a keyframe for every shot was wanted for ViStoryBench, found none for shot "
            f"{shot.id}. Draw it with `cinema plan`."
        )
    return existing(film, shot.keyframe)


def _said(lacking: list[str]) -> str:
    if not lacking:
        return ""
    names = ", ".join(lacking)
    return f"\nNever alone in a picture, so without the reference that ViStoryBench wants: {names}.\n"
