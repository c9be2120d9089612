"""What new shots remember: candidates, their scores, and the size at which each is kept (3.2, D).

Candidates are all other shots of the film that have a picture.  What was chosen, why and how large is written
into the storyboard (``context``), so that memory can be seen; ``pin`` and ``forbid`` steer it.

Shapes:  n candidates   D width of the vectors
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from cinema_cli.config import Config
from cinema_cli.context.goldenmem import GoldenMem, Grid
from cinema_cli.context.retrieval import Candidates, Chosen, RetrievalConfig, recency_scores, retrieve
from cinema_cli.errors import InputError, MissingError
from cinema_cli.models.captions import with_looks
from cinema_cli.models.clip import ClipEncoder
from cinema_cli.models.encoders import TextEncoder
from cinema_cli.models.pictures import Frame
from cinema_cli.models.sentences import sentence_vectors
from cinema_cli.storyboard import Remembered, Shot, Storyboard


class RecallConfig(Config):
    """What is remembered."""

    memory: GoldenMem = GoldenMem()
    """How many frames, and at which sizes."""
    retrieval: RetrievalConfig = RetrievalConfig()
    """Which ones."""
    clip: Annotated[str, Field(min_length=1)] | None = None
    """A folder that open_clip reads, or a name and a tag of its own such as ViT-B-32/laion2b_s34b_b79k; else
    ``clip/`` beside the model."""


class Judge(Protocol):
    """Tells how well earlier shots fit new words."""

    def vector(self, shot: Shot, caption: str, frame: Frame) -> Tensor:
        """(D) of unit length, of a shot that can be remembered; by it near-duplicates are known."""

    def wish(self, caption: str) -> Tensor:
        """(D) of unit length, of the words of a new shot; its cosine with a shot's vector is the score."""


class ClipJudge:
    """Words against pictures: the paper's choice (Fig. 5)."""

    def __init__(self, clip: ClipEncoder) -> None:
        """``clip``: its vectors of words and pictures are compared."""
        self.clip = clip

    def vector(self, shot: Shot, caption: str, frame: Frame) -> Tensor:
        """Of the picture."""
        return self.clip.image(torch.from_numpy(frame)[None])[0]

    def wish(self, caption: str) -> Tensor:
        """Of the words."""
        return self.clip.text([caption])[0]


class SentenceJudge:
    """Words against words: T5, the paper's alternative."""

    def __init__(self, text: TextEncoder) -> None:
        """``text``: the keyframe model's own."""
        self.text = text

    def vector(self, shot: Shot, caption: str, frame: Frame) -> Tensor:
        """Of the caption."""
        return self.wish(caption)

    def wish(self, caption: str) -> Tensor:
        """Of the words."""
        return sentence_vectors(self.text, [caption])[0]


@dataclass(frozen=True)
class Recalled:
    """What new shots remember."""

    context: tuple[Remembered, ...]
    """As the storyboard tells it, in the order of the film."""
    grids: Mapping[str, Grid]
    """The size of each in tokens."""


class Recall:
    """Chooses what shots remember; learns of every picture once."""

    def __init__(self, config: RecallConfig, judge: Judge | None, grid: Grid) -> None:
        """``judge``: none where recency alone counts; ``grid``: of a full frame in tokens.

        Raises:
            InputError: the budget is too small for one frame, or a group shrinks to nothing.
        """
        self.config, self.judge, self.grid = config, judge, grid
        self.capacity = config.memory.capacity(grid)
        config.memory.layout(self.capacity, grid)
        self.largest = config.memory.layout(1, grid)[0]
        """The size of a portrait: that of the newest frame."""
        self._vectors: dict[str, Tensor] = {}

    def learn(self, board: Storyboard, shot: Shot, frame: Frame) -> None:
        """Shots drawn from now on may remember this one."""
        vector = torch.zeros(1) if self.judge is None else self.judge.vector(shot, _words(board, shot), frame)
        self._vectors[shot.id] = vector

    def choose(
        self, board: Storyboard, new: Sequence[Shot], portraits: int = 0, introduced: Sequence[str] = ()
    ) -> Recalled:
        """What some new shots remember, all of them the same, beside so many portraits.

        ``introduced``: shots that told the looks of those who are only named (``introductions.py``).

        Raises:
            InputError: what a shot pins cannot be remembered, or the portraits do not fit the budget.
        """
        room = self.room(portraits)
        places = {shot.id: place for place, shot in enumerate(board.shots)}
        known = [id for id in self._vectors if id in places]
        target = places[new[0].id]
        if not known and not any(shot.pin for shot in new):
            return Recalled((), {})
        pin = dict.fromkeys(id for shot in new for id in shot.pin)
        forbid = {id for shot in new for id in shot.forbid}
        candidates = Candidates(
            known,
            [places[id] for id in known],
            self._scores(board, new, known, places),
            self._pictures(known),
        )
        try:
            memory = retrieve(candidates, target, room, self.config.retrieval, list(pin), forbid, introduced)
        except InputError as error:
            raise InputError(f"shot {new[0].id}: {error}") from error
        sizes = self.config.memory.layout(len(memory.chosen), self.grid)
        grids = dict(zip((each.shot for each in memory.chosen), sizes, strict=True))
        told = [self._told(each, grids[each.shot]) for each in memory.chosen]
        return Recalled(tuple(sorted(told, key=lambda each: places[each.shot])), grids)

    def room(self, portraits: int) -> int:
        """How many frames of the film are remembered beside so many portraits, which are never dropped.

        A portrait takes the place of one frame.  Where there are more of them than places, all are seen: an
        editor of one reference is shown two people side by side.

        Raises:
            InputError: the portraits alone have more tokens than ``memory.tokens`` allows.
        """
        memory, room = self.config.memory, max(self.capacity - portraits, 0)
        if memory.tokens is None:
            return room
        spent = portraits * memory.cost(1, self.grid)
        if spent > memory.tokens:
            raise InputError(
                f"memory.tokens: at least {spent} were wanted for {portraits} portraits, found "
                f"{memory.tokens}. Raise it, or remove a portrait from the cast in the storyboard."
            )
        left = memory.tokens - spent
        return next(count for count in range(room, -1, -1) if memory.cost(count, self.grid) <= left)

    def _scores(
        self, board: Storyboard, new: Sequence[Shot], known: Sequence[str], places: Mapping[str, int]
    ) -> list[float]:
        """For several new shots the best that a candidate has for one of them."""
        if self.judge is None:
            each = [recency_scores([places[id] for id in known], places[shot.id]) for shot in new]
            return [max(scores) for scores in zip(*each, strict=True)]
        wishes = torch.stack([self.judge.wish(_words(board, shot)) for shot in new])
        vectors = torch.stack([self._vectors[id] for id in known])
        return [float(score) for score in (vectors @ wishes.T).amax(dim=1)]

    def _pictures(self, known: Sequence[str]) -> NDArray[np.floating]:
        """(n, D); all different where nothing was compared."""
        if self.judge is None:
            return np.zeros((len(known), 1))
        return torch.stack([self._vectors[id] for id in known]).numpy()

    def _told(self, each: Chosen, grid: Grid) -> Remembered:
        kind = self.config.retrieval.kind
        why = "recent" if kind == "recency" and each.why == "score" else each.why
        score = round(each.score, 4)
        return Remembered(shot=each.shot, why=why, by=kind, score=score, short_side_tokens=min(grid))


def build_judge(
    config: RecallConfig, folder: Path, text: TextEncoder | None, device: torch.device
) -> Judge | None:
    """The judge that the config wants.

    Args:
        config: Whose ``retrieval.kind`` and ``clip`` count.
        folder: Where CLIP lies if the config does not say.
        text: The keyframe model's text encoders; none where it is an editor.
        device: Where CLIP runs.

    Raises:
        MissingError: CLIP is wanted and is not there.
    """
    if config.retrieval.kind == "recency":
        return None
    if config.retrieval.kind == "t5":
        assert text is not None
        return SentenceJudge(text)
    if config.clip is None and not folder.is_dir():
        raise MissingError(
            f"CLIP was wanted in {folder} to choose what shots remember, but there is none. Give one with "
            "--set clip=DIR or clip=ViT-B-32/laion2b_s34b_b79k, or choose "
            + ("by words: --set retrieval.kind=t5." if text else "the last: --set retrieval.kind=recency.")
        )
    return ClipJudge(ClipEncoder.load(config.clip or folder, device))


def _words(board: Storyboard, shot: Shot) -> str:
    """The caption with the look of everybody named: a picture shows no names (appendix D)."""
    return with_looks(shot.caption, board.cast)
