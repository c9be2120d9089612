"""An encoder whose vectors can be worked out by hand: how red, green and blue a frame is on average."""

import numpy as np

from cinema_cli.evaluation.encoders import Frames, Vectors

WORDS = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1)}


class ColourEncoder:
    """Sees mean colours, and reads the first of three words."""

    name = "colours"

    def image(self, frames: Frames) -> Vectors:
        """(N, 3), unit length; black is told apart from nothing by a trace of grey."""
        return unit(frames.reshape(len(frames), -1, 3).mean(axis=1) + 1e-3)

    def text(self, captions: list[str]) -> Vectors:
        """(N, 3)."""
        found = [next(colour for word, colour in WORDS.items() if word in caption) for caption in captions]
        return unit(np.array(found, np.float64))

    def cut(self, captions: list[str]) -> list[int]:
        """It reads eighty characters."""
        return [index for index, caption in enumerate(captions) if len(caption) > 80]


def unit(vectors: np.ndarray) -> Vectors:
    """Of length 1."""
    found: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return found
