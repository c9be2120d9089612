"""A pen that draws flat shapes in unit coordinates, whatever the size of the picture.

A pen holds one map from its own coordinates to pixels: a scale for each axis (negative to
mirror), an origin, and a lean that shears x along y.  Scenery and puppets are written once
in units and look the same at 128x256 and at 400x800, only sharper.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import ImageDraw

from cinema_cli.theatre.palette import RGB

Point = tuple[float, float]


@dataclass(frozen=True)
class Pen:
    """Draws on ``canvas``; x maps to ``origin_x + scale_x * (x + lean * y)``, y likewise without lean."""

    canvas: ImageDraw.ImageDraw
    scale_x: float
    scale_y: float
    origin_x: float
    origin_y: float
    lean: float = 0.0

    def at(self, x: float, y: float) -> Point:
        """Where a point falls, in pixels."""
        return self.origin_x + self.scale_x * (x + self.lean * y), self.origin_y + self.scale_y * y

    def shape(
        self, points: Sequence[Point], fill: RGB, outline: RGB | None = None, width: float = 0.0
    ) -> None:
        """A filled polygon, with an outline of ``width`` units where one is given."""
        pixels = [self.at(x, y) for x, y in points]
        self.canvas.polygon(pixels, fill=fill)
        if outline is not None:
            self._line([*pixels, pixels[0], pixels[1]], outline, width)

    def oval(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        fill: RGB,
        outline: RGB | None = None,
        width: float = 0.0,
    ) -> None:
        """A filled ellipse about its centre."""
        (cx, cy), (px, py) = self.at(x, y), (abs(self.scale_x) * rx, abs(self.scale_y) * ry)
        if outline is not None:
            edge = abs(self.scale_y) * width / 2
            self.canvas.ellipse(
                (cx - px - edge, cy - py - edge, cx + px + edge, cy + py + edge), fill=outline
            )
            px, py = px - edge, py - edge
        if px > 0 and py > 0:
            self.canvas.ellipse((cx - px, cy - py, cx + px, cy + py), fill=fill)

    def box(self, left: float, top: float, right: float, bottom: float, fill: RGB) -> None:
        """A filled rectangle between two corners."""
        self.shape(((left, top), (right, top), (right, bottom), (left, bottom)), fill)

    def stroke(self, points: Sequence[Point], fill: RGB, width: float) -> None:
        """A thick line with round joints and round ends."""
        pixels = [self.at(x, y) for x, y in points]
        self._line(pixels, fill, width)
        radius = abs(self.scale_y) * width / 2
        for x, y in (pixels[0], pixels[-1]):
            self.canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)

    def _line(self, pixels: list[Point], fill: RGB, width: float) -> None:
        self.canvas.line(pixels, fill=fill, width=max(1, round(abs(self.scale_y) * width)), joint="curve")
