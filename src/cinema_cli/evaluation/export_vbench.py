"""Films as VBench and VBench-Long take other people's videos (Vchitect/VBench, ``--mode=custom_input``).

VBench reads a flat folder of videos and, where the prompts are not the names of the files, a JSON file from
file name to prompt.  Captions are longer than a file's name may be, so the names are ours and the prompts
stand in the file.  VBench-Long reads whole films, cuts them itself, and takes the name of a file for its
prompt; it cuts names at ``_``, so there is none in those of films.

    out/clips/<film>_<shot>.mp4   out/clips.json   out/films/<film>.mp4   out/README.md
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from cinema_cli.errors import InputError
from cinema_cli.evaluation.export_files import Plan
from cinema_cli.evaluation.films import Film
from cinema_cli.fields import inside
from cinema_cli.storyboard import strip_tags

DIMENSIONS = (
    "subject_consistency",
    "background_consistency",
    "motion_smoothness",
    "dynamic_degree",
    "aesthetic_quality",
    "imaging_quality",
)
"""What VBench measures of videos that are not of its own prompts."""
MAX_NAME = 80
"""Characters of a film's name in the names of files."""

README = """\
# For VBench

`clips/` holds a video for each shot and `clips.json` their prompts; `films/` holds whole films.

VBench has an environment of its own (what it requires does not go together with cinema) and wants CUDA:

    vbench evaluate --videos_path clips --mode=custom_input --prompt_file clips.json \\
        --dimension "{dimensions}"

For whole films, in pieces of two seconds, from a clone of Vchitect/VBench:

    python vbench2_beta_long/eval_long.py --videos_path films --mode=long_custom_input --dev_flag \\
        --dimension {dimensions}
"""


def export_vbench(films: Sequence[Film], out: Path) -> Path:
    """Write the folder; done again it is the same, and nothing that is not ours is touched.

    Args:
        films: With clips, or with a film file.
        out: The folder.

    Returns:
        The folder; its README.md says how VBench is called.

    Raises:
        InputError: there is nothing to export, a clip is not there, or somebody else's file is in the way.
    """
    plan, prompts = Plan(), {}
    for film, name in zip(films, film_names(films), strict=True):
        for shot in film.shots:
            if shot.clip is None:
                continue
            clip = f"{name}_{shot.id}.mp4"
            plan.link(f"clips/{clip}", existing(film, shot.clip))
            prompts[clip] = " ".join(strip_tags(shot.caption).split())
        if film.movie is not None:
            plan.link(f"films/{name}.mp4", film.movie)
    if not plan.linked:
        raise InputError(
            "films with clips were wanted for VBench, found none. Make them with `cinema render`."
        )
    plan.write("clips.json", json.dumps(prompts, ensure_ascii=False, indent=2) + "\n")
    plan.write("README.md", README.format(dimensions=" ".join(DIMENSIONS)))
    plan.carry_out(out, "vbench")
    return out


def film_names(films: Sequence[Film]) -> list[str]:
    """Names for files, of letters, digits and - alone, each once."""
    names: list[str] = []
    for film in films:
        plain = re.sub(r"[^A-Za-z0-9]+", "-", film.folder.resolve().name)[:MAX_NAME].strip("-") or "film"
        name, number = plain, 1
        while name in names:
            number += 1
            name = f"{plain}-{number}"
        names.append(name)
    return names


def existing(film: Film, relative: str) -> Path:
    """A file of a film that must be there."""
    path = inside(film.folder, relative)
    if not path.is_file():
        raise InputError(
            f"{path}: a file that the storyboard names was wanted, found nothing. Make it again."
        )
    return path
