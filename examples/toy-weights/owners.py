"""A stage of the keyframe model, which is also asked whose words are whose.

    python examples/toy-weights/owners.py --run runs/toy --stage 8

The same stage as ``cinema train-keyframes --stage 8``, same data, same folder, with a second loss:

* one head of the first single-stream block has to lead a tag to the tag whose caption told its look, and one
  head of the third every token of the picture that shows a puppet to the tag of that puppet;
* one head of the second, every token of scenery to the same token of the first frame that shows its place so;
* after the second block, the token at which a tag begins has to know the look;
* after the fourth, so has every token of the picture that shows the puppet.

A matrix for each question reads a look off and is thrown away.  The velocity alone did not teach it in
reasonable time: a name that is looked up and not used saves nothing, nor does one that is used and not looked
up (docs/log.md).

Shapes:  B sequences   P pairs   T text tokens   L image tokens   S = T + L   D width
"""

import argparse
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from diffusers.models.embeddings import apply_rotary_emb
from einops import rearrange
from torch import Tensor, nn

from cinema_cli.config import build, load_preset, with_overrides
from cinema_cli.models.global_attention import Rotary
from cinema_cli.models.pairs import PairGroup
from cinema_cli.progress import Progress
from cinema_cli.sampling.loader import Sequences
from cinema_cli.theatre.captions import tag
from cinema_cli.theatre.world import Place, Puppet, ShotSize, StagedShot
from cinema_cli.training.keyframe_config import KeyframeTraining
from cinema_cli.training.keyframes import KeyframeBatch, KeyframeTask
from cinema_cli.training.sequences import shown_puppets
from cinema_cli.training.stages import train_keyframes
from reading import LOOK

TO_THE_TELLER = 0
TO_THE_PLACE = 1
TO_THE_TAG = 2
"""Numbers of the single-stream blocks whose first head is led."""
WORDS_AFTER = 1
FRAMES_AFTER = 3
"""Numbers of the single-stream blocks after which words and frames are asked."""
WEIGHT = 0.3
"""Of each of the four cross-entropies, beside the velocity's error."""


class Owners(ModelMixin, ConfigMixin):
    """A matrix for each question about a look, for tokens of words and of frames."""

    @register_to_config
    def __init__(self, width: int) -> None:
        super().__init__()
        for part in ("words", "frames"):
            matrices = {name: nn.Linear(width, len(values)) for name, values in LOOK.items()}
            self.add_module(part, nn.ModuleDict(matrices))


class OwnersTask(KeyframeTask):
    """The velocity, and whose words are whose."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.owners = Owners(self.model.inner_dim)
        self.modules["owners"] = self.owners
        self._seen: dict[str, Tensor] = {}
        self._entering: dict[int, tuple[Tensor, Tensor, Rotary]] = {}
        self._gone = torch.zeros(0)
        self._watch()

    def _watch(self) -> None:
        """Keep what the two blocks give; the blocks themselves may be compiled."""
        blocks = list(self.model.single_transformer_blocks)
        asked = {blocks[WORDS_AFTER]: "words", blocks[FRAMES_AFTER]: "frames"}
        run = self.model._run

        def watched(block: nn.Module, *given: Any) -> Any:
            if block in blocks[: TO_THE_TAG + 1]:
                self._entering[blocks.index(block)] = given[0][-1], given[1][-1], given[2]
            result = run(block, *given)
            if block in asked:
                self._seen[asked[block]] = result[0][-1]  # (B P, S, D)
            return result

        self.model._run = watched

    def pairs_of(self, sequences: Sequences, t: Tensor, noise: Tensor, gone: Tensor) -> PairGroup:
        """As the keyframe task; which words are gone is remembered."""
        self._gone = gone
        return super().pairs_of(sequences, t, noise, gone)

    def loss(self, batch: KeyframeBatch, generator: torch.Generator) -> Tensor:
        """The velocity's error, and the cross-entropy of the questions to words and frames."""
        error = super().loss(batch, generator)
        if batch.split is not None:
            return error
        scenery, returned = self._scenery(batch.sequences)
        if scenery:
            error = error + WEIGHT * self._led(TO_THE_PLACE, scenery, returned)
        words, frames, first, puppets = self._asked(batch.sequences)
        if not puppets:
            return error
        return error + WEIGHT * (
            self._answers("words", words, puppets)
            + self._answers("frames", frames, puppets)
            + self._led(TO_THE_TELLER, words, first)
            + self._led(TO_THE_TAG, frames, words)
        )

    def _asked(self, sequences: Sequences) -> tuple[list[Tensor], list[Tensor], list[Tensor], list[Puppet]]:
        """For each figure whose look is known: tag, tokens that show it, the tag that told its look.

        Tokens are rows (k, 2): the pair's row in the folded batch, the token in it.
        """
        words, frames, first, puppets = [], [], [], []
        tags = self._tags(sequences)
        for sequence, shots in enumerate(sequences.shots or []):
            met: dict[
                str, tuple[bool, int, int | None]
            ] = {}  # of the first caption: is it there, and its tag
            for pair, shot in enumerate(shots):
                row, there = sequence * self.pairs + pair, not self._gone[sequence, pair]
                shown = tokens_of_figures(nameless(shot), self.grid)
                for figure, places in zip(shot.figures, shown, strict=True):
                    name = figure.puppet.name
                    token = tags.get((row, name))
                    known, *teller = met.setdefault(name, (there, row, token))
                    if not (there and known) or token is None or teller[1] is None:
                        continue
                    tokens = places.nonzero().flatten() + self.config.text_length
                    words.append(torch.tensor([[row, token]]))
                    frames.append(torch.stack([torch.full_like(tokens, row), tokens], dim=1))
                    first.append(torch.tensor([teller]))
                    puppets.append(figure.puppet)
        return words, frames, first, puppets

    def _scenery(self, sequences: Sequences) -> tuple[list[Tensor], list[Tensor]]:
        """For each frame whose place was seen so before: its tokens of scenery, and the same ones there.

        The first frame that shows a place is led to the next.  Tokens that show a puppet in either count out.
        """
        tokens, same = [], []
        for sequence, shots in enumerate(sequences.shots or []):
            shown: dict[tuple[Place, ShotSize], list[int]] = {}
            for pair, shot in enumerate(shots):
                if not self._gone[sequence, pair]:
                    shown.setdefault((shot.place, shot.size), []).append(pair)
            for first, *later in shown.values():
                for pair, other in [(first, pair) for pair in later[:1]] + [(pair, first) for pair in later]:
                    hidden = tokens_of_figures(nameless(shots[pair]), self.grid).any(dim=0)
                    hidden = hidden | tokens_of_figures(nameless(shots[other]), self.grid).any(dim=0)
                    free = (~hidden).nonzero().flatten() + self.config.text_length
                    if not len(free):
                        continue
                    for rows, at in ((tokens, pair), (same, other)):
                        row = torch.full_like(free, sequence * self.pairs + at)
                        rows.append(torch.stack([row, free], dim=1))
        return tokens, same

    def _led(self, number: int, rows: list[Tensor], to: list[Tensor]) -> Tensor:
        """Cross-entropy of the attention of a block's first head: which tokens have to look at which."""
        joined, temb, rotary = self._entering[number]
        block, width, pairs = self.model.single_transformer_blocks[number], joined.shape[1], self.pairs
        normed, _ = block.norm(joined, emb=temb)

        def of_the_head(projection: nn.Linear, norm: nn.Module) -> Tensor:
            own = slice(0, block.attn.head_dim)
            one = norm(nn.functional.linear(normed, projection.weight[own], projection.bias[own]))
            one = rearrange(one, "(b p) s d -> b (p s) 1 d", p=pairs)
            return apply_rotary_emb(one, rotary, sequence_dim=1)[:, :, 0]  # (B, P S, d)

        query = of_the_head(block.attn.to_q, block.attn.norm_q)
        key = of_the_head(block.attn.to_k, block.attn.norm_k)
        tokens, _, share = _laid_out(rows)
        sequence, place = tokens[:, 0] // pairs, _place(tokens, pairs, width)
        wanted = _place(torch.cat([t.expand(len(r), 2) for t, r in zip(to, rows, strict=True)]), pairs, width)
        losses = []
        for own in sequence.unique():  # keys of a sequence are shared by its tokens, not copied for each
            asking = sequence == own
            scores = query[own, place[asking]] @ key[own].T * query.shape[2] ** -0.5
            each = nn.functional.cross_entropy(scores.float(), wanted[asking], reduction="none")
            losses.append((each * share[asking]).sum())
        return torch.stack(losses).sum()

    def _tags(self, sequences: Sequences) -> dict[tuple[int, str], int]:
        """Token at which a name's tag begins, by row and name."""
        captions = [caption for sequence in sequences.captions for caption in sequence]
        read = self.text.t5_tokenizer(captions, truncation=True, max_length=self.config.text_length)
        found = {}
        for row, shot in enumerate(shot for shots in sequences.shots or [] for shot in shots):
            for figure in shot.figures:
                token = read.char_to_token(row, captions[row].index(tag(figure.puppet)))
                if token is not None:  # else the caption was cut before it
                    found[row, figure.puppet.name] = token
        return found

    def _answers(self, part: str, rows: list[Tensor], puppets: list[Puppet]) -> Tensor:
        """Mean cross-entropy of all questions, every figure counting the same."""
        where, of, share = _laid_out(rows)
        seen = rearrange(self._seen[part], "r s d -> (r s) d")
        seen = seen.index_select(0, _place(where, len(self._seen[part]), self._seen[part].shape[1]))
        seen = nn.functional.layer_norm(seen, (self.model.inner_dim,))
        readers = getattr(self.owners, part)
        losses = []
        for name, values in LOOK.items():
            wanted = torch.tensor([values.index(getattr(puppet, name)) for puppet in puppets])[of]
            each = nn.functional.cross_entropy(readers[name](seen).float(), wanted, reduction="none")
            losses.append((each * share).sum())
        return torch.stack(losses).mean()


def _laid_out(rows: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Tokens of all figures (n, 2), whose each is (n), and its share (n), every figure's sum the same."""
    of = torch.cat([torch.full((len(own),), number) for number, own in enumerate(rows)])
    share = torch.cat([torch.full((len(own),), 1 / len(own)) for own in rows]) / len(rows)
    return torch.cat(rows), of, share


def _place(tokens: Tensor, pairs: int, width: int) -> Tensor:
    """Where in a sequence of P pairs of S tokens a token of a row stands."""
    return tokens[:, 0] % pairs * width + tokens[:, 1]


def nameless(shot: StagedShot) -> StagedShot:
    """The same picture, whatever its puppets are called."""
    figures = tuple(replace(f, puppet=replace(f.puppet, name="")) for f in shot.figures)
    return replace(shot, figures=figures)


@lru_cache(maxsize=100_000)
def tokens_of_figures(shot: StagedShot, grid: tuple[int, int]) -> Tensor:
    """(figures, L) bool: tokens that show each; where two overlap, both."""
    if not shot.figures:
        return torch.zeros(0, grid[0] * grid[1], dtype=torch.bool)
    return shown_puppets([replace(shot, figures=(figure,)) for figure in shot.figures], grid)


def main() -> None:
    """Train the stage, or go on with it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, default=Path("runs/toy"))
    parser.add_argument("--stage", type=int, default=4)
    parser.add_argument("--init", help="a model to start from")
    parser.add_argument("--set", action="append", default=[], help="KEY=VALUE of the toy preset")
    options = parser.parse_args()
    numbers = with_overrides(load_preset("toy")["train_keyframes"], options.set)
    config = build(KeyframeTraining, numbers, "owners.py")
    with Progress() as progress:
        last = train_keyframes(
            options.stage, options.run, config, progress, init=options.init, make=OwnersTask
        )
    print(last)


if __name__ == "__main__":
    main()
