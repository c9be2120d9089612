"""Whether a puppet of one film is known again in another one by its portrait: ``--cast-from`` on the theatre.

    python benchmarks/cast_from.py
    python benchmarks/cast_from.py --puppets 100 --model runs/toy

Held-out movies of the theatre.  A puppet that has two shots alone, in two places, lends its picture in the
first (as the theatre draws it) for a keyframe of the second: beside the portrait or without it, its look told
in words or only its name.  Told are the drawings in which coat, hat and place are read as they have to be.
"""

import argparse
from collections import Counter
from collections.abc import Iterator, Set
from itertools import count

import torch

from cinema_cli.config import build, load_preset
from cinema_cli.models.weights import TOY, load_keyframe_models, model_folder
from cinema_cli.planning.desk import DeskConfig
from cinema_cli.planning.keyframes import KeyframeArtist, MemoryFrame
from cinema_cli.planning.recall import Recall
from cinema_cli.storyboard import Shot
from cinema_cli.theatre.captions import canonical_caption
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.read_frame import read_frame
from cinema_cli.theatre.screenplay import write_movie
from cinema_cli.theatre.world import FRAME_SIZE, StagedShot
from cinema_cli.training.sequences import HELD_OUT

FIRST_SEED = HELD_OUT + 90_000
SHOTS = 12
ARMS = {"look, portrait": (True, True), "look": (True, False), "name, portrait": (False, True)}
ARMS |= {"name": (False, False)}
"""Whether words tell the look, and whether the portrait is seen."""


def pairs() -> Iterator[tuple[int, StagedShot, StagedShot]]:
    """Of one puppet alone, two shots in different places; at most one pair of a movie, with its seed."""
    for seed in count(FIRST_SEED):
        first: dict[str, StagedShot] = {}
        for shot in write_movie(seed, SHOTS).shots:
            staged = shot.staged
            if len(staged.figures) != 1 or staged.size == "close-up":
                continue
            before = first.setdefault(staged.figures[0].puppet.name, staged)
            if before.place.set != staged.place.set:
                yield seed, before, staged
                break


def drawn_right(
    artist: KeyframeArtist, config: DeskConfig, seed: int, before: StagedShot, staged: StagedShot, arm: str
) -> Set[str]:
    """What of *coat*, *hat* and *place* a keyframe of ``staged`` shows as it has to."""
    told, portrayed = ARMS[arm]
    (figure,) = staged.figures
    names = frozenset((figure.puppet.name,))
    words = canonical_caption(staged, names if told else frozenset())
    memory = []
    if portrayed:
        shot = Shot(id="portrait", caption=canonical_caption(before, names), duration="1", seed=seed)
        size = Recall(config, None, artist.grid).largest
        memory.append(MemoryFrame(shot, shot.caption, draw_frame(before).copy(), size))
    new = Shot(id="0001", caption=words, duration="1", seed=seed + 1)
    order = [*(each.shot.id for each in memory), new.id]
    reading = read_frame(artist.draw([new], [words], memory, order)[new.id], 1)
    right = {"place"} if reading.set == staged.place.set else set()
    for seen in reading.figures[:1]:
        right |= {"coat"} if seen.coat == figure.puppet.coat else set()
        right |= {"hat"} if seen.hat == figure.puppet.hat else set()
    return right


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--puppets", type=int, default=16)
    parser.add_argument("--model", default=TOY)
    options = parser.parse_args()
    config = build(DeskConfig, _drawing(), "the toy preset")
    folder = model_folder(options.model, "keyframes")
    models = load_keyframe_models(
        folder, config.text_length, torch.device("cpu"), torch.float32, config.text_padding
    )
    artist = KeyframeArtist(models, FRAME_SIZE, config)
    right: Counter[tuple[str, str]] = Counter()
    for _, pair in zip(range(options.puppets), pairs(), strict=False):
        for arm in ARMS:
            right.update((arm, what) for what in drawn_right(artist, config, *pair, arm))
    print(f"of {options.puppets}: | coat | hat | place")
    for arm in ARMS:
        print(arm, *(right[arm, what] for what in ("coat", "hat", "place")), sep=" | ")


def _drawing() -> dict[str, object]:
    """The preset's values that tell how keyframes are drawn and remembered."""
    plan = load_preset("toy")["plan"]
    return {name: value for name, value in plan.items() if name in DeskConfig.model_fields}


if __name__ == "__main__":
    main()
