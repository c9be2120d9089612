"""Some sequences of a manifest to look at: one self-contained page, each sequence a row of small keyframes.

Like the contact sheet it needs no script, no network and no other file.  Between two pictures stands the
stride, so that one sees it change.
"""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from numpy.typing import NDArray
from PIL import Image

from cinema_cli.contact_sheet import Run, name_hues, text_runs
from cinema_cli.files import write_atomic
from cinema_cli.sampling.kept import KeptFilm
from cinema_cli.sampling.manifest import Manifest
from cinema_cli.sampling.pictures import read_keyframe
from cinema_cli.storyboard import Shot, Storyboard

WIDTH = 200
"""Of a keyframe on the page, in pixels."""
ROWS = 6
"""Sequences of each manifest that are shown, spread evenly over it."""


@dataclass(frozen=True)
class Cell:
    """One keyframe of a sequence as the page shows it."""

    shot: str
    stride: int
    """Kept keyframes since the one before; 0 for the first."""
    picture: str
    runs: list[Run]


@dataclass(frozen=True)
class Row:
    """One sequence."""

    number: int
    film: str
    span: int
    cells: list[Cell]
    places: list[float]
    """Where its keyframes lie in the film, in per cent."""


@dataclass(frozen=True)
class Section:
    """What is shown of one manifest."""

    pairs: int
    count: int
    span: int
    rows: list[Row]


def write_page(path: Path, manifests: Sequence[Manifest], films: Sequence[KeptFilm]) -> None:
    """Show a few sequences of each manifest; the films are those that it was made from, in its order."""
    sections = [_section(manifest, films) for manifest in manifests]
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("sequences.html.j2").render(
        sections=sections, films=len(films), kept=sum(len(film.shots) for film in films)
    )
    write_atomic(path, page)


def _section(manifest: Manifest, films: Sequence[KeptFilm]) -> Section:
    count = len(manifest.sequences)
    shown = np.unique(np.linspace(0, count - 1, min(ROWS, count)).astype(int))
    rows = []
    for number in shown:
        film = films[manifest.film_of(int(number))]
        rows.append(_row(int(number), manifest.sequences[number], film))
    return Section(manifest.header.pairs, count, manifest.header.span, rows)


def _row(number: int, sequence: NDArray[np.uint16], film: KeptFilm) -> Row:
    places = [int(place) for place in sequence]
    hues = _hues(film)
    strides = [0, *(after - before for before, after in pairwise(places))]
    cells = []
    for place, stride in zip(places, strides, strict=True):
        shot = film.shots[place]
        picture = _inlined(Image.fromarray(read_keyframe(film, shot)))
        cells.append(Cell(shot.id, stride, picture, text_runs(shot.caption, hues)))
    last = max(1, len(film.shots) - 1)
    return Row(number, film.name, places[-1] - places[0] + 1, cells, [100 * place / last for place in places])


def _hues(film: KeptFilm) -> dict[str, float]:
    """A hue for every name of a film, in the order of mention."""
    said = tuple(Shot(id=shot.id, duration="1", caption=shot.caption) for shot in film.shots)
    return name_hues(Storyboard(frame_size=film.frame_size, shots=said))


def _inlined(picture: Image.Image) -> str:
    height = max(1, round(picture.height * WIDTH / picture.width))
    stream = io.BytesIO()
    small = picture.resize((WIDTH, height), Image.Resampling.LANCZOS)
    small.save(stream, "JPEG", quality=85, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
