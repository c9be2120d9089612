"""What the text encoders learn before any picture: to read off a caption what its shot shows.

A shot's set, hour and size are read from the pooled vector and from the caption's last token; what a figure
does, where it stands and how it looks (where the caption says so) from the token at which its tag begins.
The readers themselves are single matrices and are thrown away: what they can read, the keyframe model finds
at the same places.  FLUX has encoders that were trained on the web; a model from nothing otherwise spends
most of its single-image stage on learning that woods are a forest.

Names are cut into pieces, so the token at which a tag begins must also come to stand for the whole name: it
is matched with the same name in other captions, among all names of the batch.  A keyframe model can then
find the caption that told a look by one step of attention (``owners.py``).

Shapes:  n captions   T tokens   D width of the encoder   F figures   N width of a name
"""

import random
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn
from transformers import CLIPTextModel, PreTrainedTokenizerFast, T5EncoderModel

from cinema_cli.theatre.captions import tag, write_caption
from cinema_cli.theatre.screenplay import random_cast, stage_shot
from cinema_cli.theatre.world import (
    ACTIONS,
    BUILDS,
    COLOURS,
    HAT_SHAPES,
    PROPS,
    SETS,
    SHOT_SIZES,
    SKINS,
    TIMES,
    Figure,
    Place,
    Puppet,
    StagedShot,
)

CASTS = 12
SHOTS = 4
"""Captions of each cast in a batch, so that its names come again."""
TOLD = 0.6
"""Chance that a caption tells a look."""
NAME_WIDTH = 48
TEMPERATURE = 0.1
"""Of matching names, as in SimCLR (arXiv 2002.05709)."""
UNSAID = -100
SCENE = {"set": SETS, "time": TIMES, "size": SHOT_SIZES}
ROLE = {"position": ("left", "middle", "right"), "facing": ("left", "right"), "action": ACTIONS}
LOOK = {
    "coat": COLOURS,
    "hat": COLOURS,
    "hat_shape": HAT_SHAPES,
    "skin": SKINS,
    "build": BUILDS,
    "prop": (None, *PROPS),
}


@dataclass(frozen=True)
class Readings:
    """Captions and what they say; ``UNSAID`` where they do not."""

    ids: Tensor  # (n, T)
    scene: dict[str, Tensor]  # (n) each
    tags: tuple[Tensor, Tensor]  # caption and token of every figure's tag
    figures: dict[str, Tensor]  # (F) each
    same: Tensor  # (F, F) bool, figures of the same name in other captions


class Readers(ModelMixin, ConfigMixin):
    """A matrix for each question: about the scene, from either encoder, about figures and their names."""

    @register_to_config
    def __init__(self, pooled: int, tokens: int) -> None:
        super().__init__()
        for part, width, questions in (
            ("from_pooled", pooled, SCENE),
            ("from_last", tokens, SCENE),
            ("from_tag", tokens, {**ROLE, **LOOK}),
        ):
            matrices = {name: nn.Linear(width, len(values)) for name, values in questions.items()}
            self.add_module(part, nn.ModuleDict(matrices))
        self.name = nn.Linear(tokens, NAME_WIDTH)


class Reading:
    """What the loop trains: both encoders, and the readers that are thrown away."""

    def __init__(
        self, clip: CLIPTextModel, t5: T5EncoderModel, tokenizer: PreTrainedTokenizerFast, length: int
    ) -> None:
        """``length``: tokens that a caption is padded to."""
        self.clip, self.t5, self.tokenizer, self.length = clip, t5, tokenizer, length
        self.readers = Readers(clip.config.hidden_size, t5.config.d_model)
        self.modules = {"text_encoder": clip, "text_encoder_2": t5, "readers": self.readers}

    def batch(self, seed: int) -> Readings:
        """Random shots of some casts in random words; more than half of the looks are told."""
        rng = random.Random(seed)
        casts = [random_cast(rng, rng.choice((1, 2, 2, 3))) for _ in range(CASTS)]
        shots = [random_words(rng, cast) for cast in casts for _ in range(SHOTS)]
        captions = [caption for _, _, caption in shots]
        encoded = self.tokenizer(
            captions, padding="max_length", max_length=self.length, truncation=True, return_tensors="pt"
        )
        rows, places, figures = [], [], []
        for row, (staged, told, caption) in enumerate(shots):
            for figure in staged.figures:
                token = encoded.char_to_token(row, caption.index(tag(figure.puppet)))
                rows.append(row)
                places.append(token)
                figures.append((figure, figure.puppet.name in told))
        names = [figure.puppet.name for figure, _ in figures]
        return Readings(
            encoded["input_ids"],
            {
                name: torch.tensor([values.index(scene_of(s, name)) for s, _, _ in shots])
                for name, values in SCENE.items()
            },
            (torch.tensor(rows), torch.tensor(places)),
            {
                **{name: answers(figures, name, values, True) for name, values in ROLE.items()},
                **{name: answers(figures, name, values, False) for name, values in LOOK.items()},
            },
            torch.tensor([[mine == other for other in names] for mine in names]).fill_diagonal_(False),
        )

    def loss(self, batch: Readings, generator: torch.Generator) -> Tensor:
        """Mean cross-entropy of all questions, and that of matching names."""
        tokens = self.t5(batch.ids)[0]
        questions = [nn.functional.cross_entropy(*asked) for asked in self._asked(batch, tokens).values()]
        return torch.stack(questions).mean() + self._names(batch, tokens)[0]

    @torch.no_grad()
    def preview(self, path: Path) -> None:
        """Print the share of right answers on captions never seen."""
        batch = self.batch(-1)
        tokens = self.t5(batch.ids)[0]
        for name, (given, wanted) in self._asked(batch, tokens).items():
            said = wanted != UNSAID
            print(f"{name:<16} {(given.argmax(dim=1) == wanted)[said].float().mean():.1%}")
        print(f"{'name':<16} {self._names(batch, tokens)[1]:.1%}")

    def _names(self, batch: Readings, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Loss of finding the same name in other captions, and the share of figures whose nearest is it."""
        names = nn.functional.normalize(self.readers.name(tokens[batch.tags]).float(), dim=1)  # (F, N)
        alike = (names @ names.T / TEMPERATURE).fill_diagonal_(float("-inf"))
        again = batch.same.any(dim=1)
        chance = alike.log_softmax(dim=1).masked_fill(~batch.same, float("-inf"))[again]
        nearest = batch.same[again].gather(1, alike[again].argmax(dim=1, keepdim=True))
        return -chance.logsumexp(dim=1).mean(), nearest.float().mean()

    def _asked(self, batch: Readings, tokens: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        pooled = self.clip(batch.ids).pooler_output
        ends = (batch.ids == self.tokenizer.eos_token_id).int().argmax(dim=1)
        last = tokens[torch.arange(len(ends)), ends]
        at_tags = tokens[batch.tags]
        return {
            **{
                f"pooled {name}": (self.readers.from_pooled[name](pooled).float(), batch.scene[name])
                for name in SCENE
            },
            **{name: (self.readers.from_last[name](last).float(), batch.scene[name]) for name in SCENE},
            **{
                name: (self.readers.from_tag[name](at_tags).float(), wanted)
                for name, wanted in batch.figures.items()
            },
        }


def random_words(rng: random.Random, cast: tuple[Puppet, ...]) -> tuple[StagedShot, frozenset[str], str]:
    """A shot of one or two of a cast, the names whose look is told, and a caption of it."""
    present = rng.sample(cast, min(len(cast), rng.choice((1, 2, 2))))
    place, size = Place(rng.choice(SETS), 0), rng.choice(SHOT_SIZES)
    staged = stage_shot(rng, place, rng.choice(TIMES), size, present)
    told = frozenset(f.puppet.name for f in staged.figures if rng.random() < TOLD)
    return staged, told, write_caption(staged, told, rng)


def scene_of(staged: StagedShot, name: str) -> str:
    """The answer to a question about the scene."""
    return staged.place.set if name == "set" else str(getattr(staged, name))


def answers(
    figures: list[tuple[Figure, bool]], name: str, values: tuple[str | None, ...], always: bool
) -> Tensor:
    """Answers about figures; a look that is not told has none."""
    owner = (lambda figure: figure) if always else (lambda figure: figure.puppet)
    return torch.tensor(
        [values.index(getattr(owner(f), name)) if always or told else UNSAID for f, told in figures]
    )
