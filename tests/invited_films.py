"""A story into which somebody of another film comes, and what its shots were drawn beside."""

from pathlib import Path

from cinema_cli.storyboard import Storyboard

STORY = """The Empty Castle

Tom waved at the castle in the morning.

Mira walked through the castle at night.

Tom danced in the desert by day.

Mira jumped for joy in the desert by day.
"""
IDS = ["0001", "0002", "0003", "0004"]


def pictures(film: Path) -> dict[str, bytes]:
    """The keyframes of a film, by shot."""
    return {path.stem: path.read_bytes() for path in (film / "keyframes").iterdir()}


def changed(film: Path, before: dict[str, bytes]) -> list[str]:
    """Shots whose keyframe is not what it was before."""
    return sorted(name for name, content in pictures(film).items() if before.get(name) != content)


def saw(film: Path, id: str) -> list[tuple[str | None, str]]:
    """The shots that a shot was drawn beside, and whose portrait each was."""
    return [(each.portrait_of, each.shot) for each in Storyboard.load(film).shot(id).context]
