"""Where a run starts: its frozen parts, and what a stage goes on from (3.2, 4.2, Fig. 7).

A run names its base once, with ``--init``; later stages find it in ``base.json``.  How many pairs a model was
trained on stands in its own ``cinema.json``; a model without one, such as FLUX.1-dev itself, knows one.
"""

import json
from pathlib import Path
from typing import Any

from cinema_cli.errors import InputError, MissingError
from cinema_cli.files import read_json, write_atomic
from cinema_cli.models.acceptance import require_accepted
from cinema_cli.models.architecture import refuse_editors
from cinema_cli.models.contents import RECORD_NAME, Part
from cinema_cli.models.licences import licence_of
from cinema_cli.models.resolve import Place, check_model, model_folder, pinned, same_model

BASE_NAME = "base.json"
"""In a run's folder: the models that its parts start from."""
FROZEN_TEXT: dict[Part, str] = {"keyframes": "text_encoder_2", "video": "text_encoder"}
"""Where the text encoder of each part lies."""
TRAINED_NAME = RECORD_NAME
"""In a model's ``keyframes/``: how it was trained."""
FIRST_PAIRS = 8
"""The paper goes from single images to this many pairs (3.2); longer sequences want a stage before."""
MAX_BYTES = 1 << 16


def base_of(run: Path, init: str | None, part: Part = "keyframes") -> Path:
    """The folder of the frozen parts, in the layout of ``FluxPipeline`` or ``WanPipeline``.

    A model that is named is checked before it is read: that it is whole, that ours can be it, and that its
    licence was accepted.

    Raises:
        InputError: the run started from another model, or ours cannot be this one.
        MissingError: there are no frozen parts, or the model is not here, half there or not yet accepted.
    """
    noted = _field(run / BASE_NAME, part)
    if init is not None and noted is not None and not same_model(noted, init):
        raise InputError(
            f"{run / BASE_NAME}: this run started from {noted}, found --init {init}. Take another --run."
        )
    named = named_base(run, init, part)
    base = named or run / part
    if named is not None and (named / "transformer").is_dir():
        model = noted or init or ""
        check_model(Place(model, named, part, "folder"), to_train=True)
        refuse_editors(named)
        require_accepted(model, licence_of(model, named))
    for folder in ("vae", FROZEN_TEXT[part]):
        if not (base / folder).is_dir():
            raise MissingError(
                f"An autoencoder and a text encoder were wanted in {base}, but there is no {base / folder}. "
                "Make them as examples/toy-weights/README.md says, or take the embedded ones: --init toy."
            )
    return base


def note_base(run: Path, init: str | None, part: Part = "keyframes") -> None:
    """Note the model that a run starts from, for when it goes on; what is noted stays."""
    known = {each: name for each in FROZEN_TEXT if (name := _field(run / BASE_NAME, each)) is not None}
    if init is not None and not known.get(part):
        write_atomic(run / BASE_NAME, json.dumps(known | {part: pinned(init)}) + "\n")


def named_base(run: Path, init: str | None, part: Part = "keyframes") -> Path | None:
    """The folder of the model that a run starts from, or would; none where it is made from scratch."""
    noted = _field(run / BASE_NAME, part)
    named = noted if noted is not None and (init is None or same_model(noted, init)) else init
    return model_folder(named, part) if named else None


def trained_pairs(base: Path) -> int:
    """On sequences of how many pairs a model was trained; 1 for a plain image model."""
    record = base / TRAINED_NAME
    pairs = _field(record, "pairs")
    if pairs is None:
        return 1
    if type(pairs) is not int or pairs < 1:
        raise InputError(f"{record}: a number of pairs was wanted, found {pairs!r}.")
    return pairs


def refuse_a_leap(stage: int, before: int | None, known: int, anyway: bool) -> None:
    """Refuse what the paper found to collapse.

    Args:
        stage: Pairs that are to be trained.
        before: Pairs of the stage before it in the preset, if there is one.
        known: Pairs that the weights it would start from were trained on.
        anyway: Do it nevertheless.

    Raises:
        InputError: long sequences straight from a base.
    """
    if anyway or stage <= FIRST_PAIRS or before is None or known >= before:
        return
    raise InputError(
        f"Stage {stage} goes on from stage {before} (3.2), found weights that were trained on {known} "
        f"{'pair' if known == 1 else 'pairs'}. Fine-tuned straight on long sequences the paper's base model "
        f"collapsed (4.2, Fig. 7). Train stage {before} first, or say --anyway."
    )


def _field(record: Path, name: str) -> Any:
    """One field of a small JSON file; none where there is no file, or no such field in it."""
    if not record.is_file():
        return None
    data = read_json(record, MAX_BYTES)
    if not isinstance(data, dict):
        raise InputError(f"{record}: fields such as {name!r} were wanted, found other data. Remove the file.")
    return data.get(name)
