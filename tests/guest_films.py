"""Films from which people come into another one, made of real files."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from cinema_cli.storyboard import CastMember, Shot, Storyboard

MIRA = "a short tan-skinned puppet in a red coat and a blue pointed hat, carrying a lantern"
TOBIAS = "a tall dark-skinned puppet in a green coat and a yellow round hat"
CAPTIONS = (
    f"Wide shot. <Mira>, {MIRA}, walks.",
    f"Medium shot. <Old Tobias>, {TOBIAS}, waves and <Mira> stands.",
    "Close-up. <Old Tobias> smiles.",
    "Medium shot. <Old Tobias> jumps.",
)
CAST = {"Mira": MIRA, "Old Tobias": TOBIAS}


def guest_film(
    folder: Path,
    captions: tuple[str, ...] = CAPTIONS,
    cast: Mapping[str, str] = CAST,
    size: tuple[int, int] = (32, 64),
    title: str = "The Lamp Keeper",
) -> Path:
    """A drawn film; every keyframe has noise of its own."""
    (folder / "keyframes").mkdir(parents=True)
    shots = []
    for number, caption in enumerate(captions, start=1):
        name = f"keyframes/{number:04d}.png"
        noise = np.random.default_rng(number).integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / name)
        shots.append(Shot(id=f"{number:04d}", caption=caption, duration="2", keyframe=name, seed=number))
    members = [CastMember(name=name, look=look) for name, look in cast.items()]
    Storyboard(title=title, frame_size=size, cast=members, shots=shots).save(folder)
    return folder
