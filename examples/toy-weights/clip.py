"""The small CLIP of the toy preset: which earlier frames show what a caption says (paper, 3.2, Fig. 5).

    python examples/toy-weights/clip.py --run runs/toy --out src/cinema_cli/toy/clip

Trained from nothing on drawn frames, in batches of whole movies, where the cast is always the same and only
the looks tell who is who.  Half of a caption's weight goes to its own frame; the other half is shared by all
frames that show the same puppets at the same kind of place, because a memory is asked who and where, not at
what hour and from how near.  So frames that show what the caption says are never pushed away from it.

Beside that, one matrix reads from either vector which set, coats and hats there are, and is thrown away.
Writes ``OUT`` as open_clip's ``local-dir:`` reads it and prints what it finds in movies it never saw.

Shapes:  n captions, and as many frames   D width of the vectors
"""

import argparse
import json
import random
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import open_clip
import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast

from cinema_cli.models.clip import CONFIG, WEIGHTS, normalised, squash, without_brackets
from cinema_cli.progress import Progress
from cinema_cli.theatre.captions import write_caption
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.screenplay import write_movie
from cinema_cli.theatre.world import SETS, MovieShot, StagedShot
from cinema_cli.training.checkpoint import module_weights
from cinema_cli.training.loop import LoopConfig, train
from cinema_cli.training.optimizers import OptimizerConfig
from cinema_cli.training.sequences import HELD_OUT, renamed
from matches import ANSWERS, everything, look_answers, matches, who_and_where

SIZE = (48, 96)
"""Of the pictures that the model sees: 6 x 12 patches."""
LENGTH = 96
"""Tokens of a caption, as many as the keyframe model reads."""
EOS = 3
MODEL = {
    "embed_dim": 128,
    "vision_cfg": {
        "image_size": list(SIZE),
        "patch_size": 8,
        "width": 128,
        "head_width": 32,
        "layers": 3,
        "pool_type": "avg",
    },
    "text_cfg": {
        "context_length": LENGTH,
        "vocab_size": 2048,
        "hf_tokenizer_name": "tokenizer.json",
        "width": 96,
        "heads": 3,
        "layers": 2,
        "pool_type": "eos",
        "eos_id": EOS,
    },
}
PREPROCESS = {"mean": [0.5] * 3, "std": [0.25] * 3, "interpolation": "bicubic", "resize_mode": "squash"}

MOVIES, SHOTS = 1000, 16
"""Movies that are drawn once and kept as small pictures (220 MB), and shots of each."""
IN_BATCH = 8
"""Movies in a batch."""
UNTOLD, NAMELESS = 0.1, 0.2
"""Captions that only name, and captions that name nobody."""
OWN = 0.5
"""A caption's weight on its own frame; the rest is for all frames of the same puppets and place."""
HINTS = 0.3
"""Weight of the questions beside the contrast."""
MAX_SCALE = 100.0
"""CLIP's bound of the scale."""
SOMEBODY = ("someone", "a puppet", "the puppet", "a figure")

LOOP = LoopConfig(
    steps=800,
    optimizer=OptimizerConfig(kind="muon", learning_rate=2e-3, warmup=60, weight_decay=0.02, floor=0.02),
    ema=0.995,
    save_every=200,
    preview_every=200,
)


class Trained(ModelMixin, ConfigMixin):
    """The CLIP, and the matrix that reads from its vectors."""

    @register_to_config
    def __init__(self, model: dict[str, object]) -> None:
        super().__init__()
        self.clip = open_clip.CLIP(**model)
        self.looks = nn.Linear(self.clip.text_projection.shape[1], ANSWERS)
        self.sets = nn.Linear(self.clip.text_projection.shape[1], len(SETS))
        nn.init.constant_(self.looks.bias, -4.0)  # hardly any of the many pairs is there
        # Word order from the start: "a red coat and a blue hat" wants neighbours told apart.
        self.clip.positional_embedding.data.copy_(0.03 * sinusoids(*self.clip.positional_embedding.shape))


class WrittenOut(nn.MultiheadAttention):
    """The same attention with the same weights: on a CPU the fused one takes nine times as long backwards."""

    def forward(
        self, x: Tensor, k: Tensor, v: Tensor, need_weights: bool = False, attn_mask: Tensor | None = None
    ) -> tuple[Tensor, None]:
        """Of ``x`` (n, S, D) with itself."""
        qkv = nn.functional.linear(x, self.in_proj_weight, self.in_proj_bias)
        q, k, v = qkv.unflatten(2, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        scores = (q * self.head_dim**-0.5) @ k.transpose(-1, -2)
        weights = (scores if attn_mask is None else scores + attn_mask).softmax(dim=-1)
        return self.out_proj((weights.to(v.dtype) @ v).transpose(1, 2).flatten(2)), None


def sinusoids(length: int, width: int) -> Tensor:
    """(length, width): the fixed positions of the first transformer."""
    rates = 10 ** (-4 * torch.arange(0, width, 2) / width)
    angles = torch.arange(length)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


@dataclass(frozen=True)
class Batch:
    """Captions and frames, and what is true of both."""

    ids: Tensor  # (n, T)
    pictures: Tensor  # (n, 3, h, w) uint8
    targets: Tensor  # (n, n): how much of caption i belongs to frame j, unnormalised
    told: Tensor  # (n) whether the caption tells looks
    sets: Tensor  # (n)
    looks: Tensor  # (n, ANSWERS)


class Clip:
    """What the loop trains."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, movies: int) -> None:
        torch.manual_seed(0)
        self.tokenizer, self.movies = tokenizer, movies
        self.trained = Trained(MODEL)
        for module in self.trained.modules():
            if isinstance(module, nn.MultiheadAttention):
                module.__class__ = WrittenOut
        self.modules = {"clip": self.trained}
        self.drawn: dict[int, tuple[tuple[MovieShot, ...], Tensor]] = {}

    def movie(self, seed: int) -> tuple[tuple[MovieShot, ...], Tensor]:
        """Shots and their pictures (SHOTS, 3, h, w); drawn at the first call."""
        if seed not in self.drawn:
            rng = random.Random(f"moments {seed}")
            shots = write_movie(seed, SHOTS).shots
            frames = [draw_frame(shot.staged, rng.choice((0.0, rng.uniform(0, 2)))) for shot in shots]
            self.drawn[seed] = shots, squash(torch.from_numpy(np.stack(frames)), SIZE)
        return self.drawn[seed]

    def batch(self, seed: int) -> Batch:
        """Whole movies with fresh names and fresh wordings."""
        rng = random.Random(seed)
        shots, pictures = [], []
        for movie in rng.sample(range(self.movies), IN_BATCH):
            written, drawn = self.movie(movie)
            shots += renamed(written, rng)
            pictures.append(drawn)
        told = [rng.random() >= UNTOLD for _ in shots]
        captions = [words(shot.staged, whole, rng) for shot, whole in zip(shots, told, strict=True)]
        staged = [shot.staged for shot in shots]
        own, mates = matches(staged, told, everything), matches(staged, told, who_and_where)
        return Batch(
            encoded(self.tokenizer, captions),
            torch.cat(pictures),
            OWN * own / own.sum(dim=1, keepdim=True) + (1 - OWN) * mates / mates.sum(dim=1, keepdim=True),
            torch.tensor(told),
            torch.tensor([SETS.index(shot.place.set) for shot in staged]),
            torch.stack([look_answers(shot) for shot in staged]),
        )

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Contrast both ways, and the questions."""
        clip = self.trained.clip
        text = clip.encode_text(batch.ids)
        image = clip.encode_image(normalised(batch.pictures, PREPROCESS["mean"], PREPROCESS["std"]))
        with torch.autocast("cpu", enabled=False):
            text, image = (nn.functional.normalize(x.float(), dim=1) for x in (text, image))
            scores = clip.logit_scale.exp().clamp(max=MAX_SCALE) * text @ image.T
            contrast = (
                nn.functional.cross_entropy(scores, batch.targets)
                + nn.functional.cross_entropy(
                    scores.T, batch.targets.T / batch.targets.T.sum(1, keepdim=True)
                )
            ) / 2
            return contrast + HINTS * (
                self._hints(text[batch.told], batch, batch.told) + self._hints(image, batch)
            )

    def _hints(self, vectors: Tensor, batch: Batch, rows: Tensor | slice = slice(None)) -> Tensor:
        scaled = vectors * vectors.shape[1] ** 0.5
        looks = nn.functional.binary_cross_entropy_with_logits(
            self.trained.looks(scaled), batch.looks[rows], reduction="none"
        )
        return looks.sum(dim=1).mean() + nn.functional.cross_entropy(
            self.trained.sets(scaled), batch.sets[rows]
        )

    @torch.no_grad()
    def preview(self, path: Path) -> None:
        """Print what is found in movies never seen."""
        for name, share in found(self.trained.clip, self.tokenizer).items():
            print(f"{name:<44} {share:.1%}")


def words(shot: StagedShot, told: bool, rng: random.Random) -> str:
    """A caption; sometimes without looks, sometimes without names."""
    names = frozenset(figure.puppet.name for figure in shot.figures) if told else frozenset()
    caption = write_caption(shot, names, rng)
    if rng.random() < NAMELESS:
        caption = re.sub(r"<[^<>]+>", lambda _: rng.choice(SOMEBODY), caption)
    return without_brackets(caption)


def encoded(tokenizer: PreTrainedTokenizerFast, captions: list[str]) -> Tensor:
    """Token ids (n, T)."""
    ids: Tensor = tokenizer(
        captions, padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt"
    )["input_ids"]
    return ids


def found(clip: nn.Module, tokenizer: PreTrainedTokenizerFast, rounds: int = 4) -> dict[str, float]:
    """Shares of right answers: 100 captions each look for their frame among 100, in ``rounds`` heaps."""
    right: dict[str, list[bool]] = {}
    for heap in range(rounds):
        rng = random.Random(heap)
        shots = [rng.choice(write_movie(HELD_OUT + 100 * heap + i, SHOTS).shots).staged for i in range(100)]
        frames = squash(torch.from_numpy(np.stack([draw_frame(shot) for shot in shots])), SIZE)
        pixels = normalised(frames, PREPROCESS["mean"], PREPROCESS["std"])
        image = clip.encode_image(pixels, normalize=True)
        text = clip.encode_text(encoded(tokenizer, [words(s, True, rng) for s in shots]), normalize=True)
        for shot, index in zip(shots, (text @ image.T).argmax(dim=1).tolist(), strict=True):
            best = shots[index]
            facts = {
                "the very frame, of 100": best is shot,
                "right set": best.place.set == shot.place.set,
                "right hour": best.time == shot.time,
            }
            if shot.figures:
                facts["right coats"] = coats(best) == coats(shot)
                facts["right hats"] = {f.puppet.hat for f in best.figures} == {
                    f.puppet.hat for f in shot.figures
                }
            for name, answer in facts.items():
                right.setdefault(name, []).append(answer)
    return {name: sum(answers) / len(answers) for name, answers in right.items()}


def coats(shot: StagedShot) -> set[str]:
    """All coats of a shot."""
    return {figure.puppet.coat for figure in shot.figures}


def export(weights: dict[str, Tensor], tokenizer: Path, out: Path) -> None:
    """Half precision in open_clip's layout, the tokenizer beside it without its spaces."""
    out.mkdir(parents=True, exist_ok=True)
    clip = {name.removeprefix("clip."): v.half() for name, v in weights.items() if name.startswith("clip.")}
    save_file(clip, out / WEIGHTS, {"format": "pt"})
    config = {"model_cfg": MODEL, "preprocess_cfg": PREPROCESS}
    (out / CONFIG).write_text(json.dumps(config, indent=2) + "\n")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        words = json.loads((tokenizer / name).read_text(encoding="utf-8"))
        (out / name).write_text(
            json.dumps(words, ensure_ascii=False, separators=(",", ":")), encoding="utf-8"
        )


def main() -> None:
    """Train, then export."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, default=Path("runs/toy"))
    parser.add_argument("--out", type=Path, default=Path("src/cinema_cli/toy/clip"))
    parser.add_argument("--steps", type=int, default=LOOP.steps)
    options = parser.parse_args()
    tokenizer = options.run / "keyframes" / "tokenizer_2"
    task = Clip(PreTrainedTokenizerFast.from_pretrained(tokenizer), MOVIES)
    loop = LOOP.model_copy(update={"steps": options.steps})
    with Progress() as progress:
        checkpoint = train(task, options.run / "checkpoints" / "clip", loop, progress, "clip")
    export(module_weights(checkpoint / "ema" / "clip"), tokenizer, options.out)
    size = sum(path.stat().st_size for path in options.out.iterdir())
    print(f"{options.out}: {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
