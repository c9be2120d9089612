"""Films that were planned and not yet rendered: a plain picture for every shot."""

from pathlib import Path

from PIL import Image, ImageDraw

from cinema_cli.storyboard import Storyboard

SIZE = (32, 32)


def make_film(folder: Path, durations: list[str], size: tuple[int, int] = SIZE) -> Path:
    """A storyboard with a plain picture for every shot."""
    shots = []
    for number, duration in enumerate(durations, start=1):
        picture = Image.new("RGB", size[::-1], (40 * number, 90, 160))
        ImageDraw.Draw(picture).ellipse((4 * number, 6, 4 * number + 12, 24), fill=(240, 200, 40))
        path = folder / "keyframes" / f"{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path)
        shots.append(
            {
                "id": f"{number:04d}",
                "caption": f"<Mira> waves for the time number {number}.",
                "duration": duration,
                "keyframe": f"keyframes/{path.name}",
                "seed": number,
            }
        )
    cast = [{"name": "Mira", "look": "a tall puppet in a red coat"}]
    Storyboard(title="Film", caption="About <Mira>.", frame_size=size, cast=cast, shots=shots).save(folder)
    return folder
