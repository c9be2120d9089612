"""The model card of a checkpoint: a ``README.md`` that tells whoever finds the folder what it holds.

A checkpoint is in the layout of stock libraries, so it is the exported model.  Its card names what was
trained, from what and on what, how, and how it is loaded; the block before the text is what model hubs read.
No path is told: a base goes by the name of its folder.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
import yaml
from torch import nn

from cinema_cli import __version__
from cinema_cli.models.quantise import quantised_weights
from cinema_cli.training.lora import LoraLayers

CARD_NAME = "README.md"
"""Where hubs look for a card."""
PARTS = ("keyframes", "video")
"""Folders of a model that hold a pipeline; the model's own name is that of the folder around them."""


@dataclass(frozen=True)
class Stock:
    """What is known of a stock class."""

    pipeline: str
    """The pipeline that takes it."""
    tag: str
    """What a hub calls its task."""
    use: str
    """What it is trained for here."""


STOCK = {
    "FluxTransformer2DModel": Stock(
        "FluxPipeline", "text-to-image", "drawing the keyframes of a story, many frames that see one another"
    ),
    "WanTransformer3DModel": Stock(
        "WanPipeline", "text-to-video", "making the clips of a film's shots from their keyframes"
    ),
}
"""By the name of the class that loads the folder."""


@dataclass(frozen=True)
class Subject:
    """What only a task knows of its training; a task that has it gives it as ``card``."""

    data: str
    """On what it is trained, in a phrase."""
    sequences: int
    """Sequences in a batch."""
    length: str
    """How long each is, in a phrase such as "8 pairs"."""


def described(theatre: str, facts: Mapping[str, Any] | None) -> str:
    """The data in a phrase: the theatre's movies as ``theatre`` counts them, or a dataset by its hashes."""
    if not facts:
        return f"{theatre} of the toy theatre"
    return "a dataset: " + ", ".join(f"{key} `{value}`" for key, value in facts.items())


def model_card(task: Any, what: str, state: Mapping[str, Any], step: int, loss: float) -> str:
    """The card of a checkpoint as Markdown.

    Args:
        task: what is trained, a ``Task`` of the loop; if it has a ``card`` (``Subject``), that is told too.
        what: what the run calls it.
        state: ``loop``, the loop's config as plain data, and ``batches`` of a step.
        step: steps taken.
        loss: of the last of them.
    """
    modules: Mapping[str, nn.Module] = task.modules
    model = getattr(task, "model", None) or modules.get("transformer")
    base = base_name(model)
    sections = [
        _front_matter(modules, model, base),
        f"# {what}: {step:,} steps",
        f"Written by `cinema` {__version__} with the checkpoint; `config.yaml` beside it has every number.",
        "## What was trained\n\n" + _table(_facts(task, model, base, state, step, loss)),
        _loading(modules, model, base),
        "## Use and limits\n\n" + _limits(model),
        "## Licence\n\n" + _licence(base),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def base_name(model: nn.Module | None) -> str | None:
    """What a model was read from, by its name in a hub's cache or its folder's; none: made from scratch."""
    path = getattr(getattr(model, "config", None), "_name_or_path", "")
    if not path:
        return None
    folder = Path(path).resolve().parent
    for part in folder.parts:
        if found := re.fullmatch(r"models--(.+?)--(.+)", part):
            return f"{found[1]}/{found[2]}"
    return (folder.parent if folder.name in PARTS else folder).name


def _front_matter(modules: Mapping[str, nn.Module], model: nn.Module | None, base: str | None) -> str:
    adapters = any(isinstance(module, LoraLayers) for module in modules.values())
    stock = STOCK.get(_stock_class(model)[1])
    told: dict[str, Any] = {"library_name": "diffusers"}
    if base is not None:
        told |= {"base_model": base, "base_model_relation": "adapter" if adapters else "finetune"}
    if stock is not None:
        told["pipeline_tag"] = stock.tag
    told["tags"] = ["cinema", "storyboard", *(["lora"] if adapters else [])]
    return f"---\n{yaml.safe_dump(told, sort_keys=False, allow_unicode=True)}---"


def _facts(
    task: Any, model: nn.Module | None, base: str | None, state: Mapping[str, Any], step: int, loss: float
) -> dict[str, str]:
    """The table's rows."""
    loop, subject = state["loop"], getattr(task, "card", None)
    optimizer = loop["optimizer"]
    told = {"trained": "; ".join(_trained(name, module, model) for name, module in task.modules.items())}
    if model is not None:
        told["from"] = "random weights" if base is None else base
    if subject is not None:
        told["on"] = subject.data
        told["sequences a step"] = f"{state['batches'] * subject.sequences:,}, each of {subject.length}"
    return told | {
        "steps": f"{step:,} of {loop['steps']:,}",
        "loss": f"{loss:.4f} in the last step alone",
        "precision": "bf16 in the forward, weights in fp32" if loop["precision"] == "bf16" else "fp32",
        "optimizer": f"{optimizer['kind']}, rate {optimizer['learning_rate']:g} ({optimizer['schedule']}, "
        f"warm-up of {optimizer['warmup']:,} steps), norm of the gradient at most {loop['clip']:g}",
        "average": f"decay {loop['ema']:g}; in `ema/`, and better than the last weights beside it",
        "versions": f"cinema {__version__}, torch {torch.__version__}, diffusers {diffusers.__version__}",
    }


def _trained(name: str, module: nn.Module, model: nn.Module | None) -> str:
    count = sum(p.numel() for p in module.parameters() if p.requires_grad)
    if isinstance(module, LoraLayers) and model is not None:
        beside = sum(p.numel() for p in model.parameters()) + quantised_weights(model) - count
        return f"adapters of rank {module.config.rank}: {count:,} parameters beside {beside:,} frozen ones"
    return f"`{name}`, {count:,} parameters"


def _table(rows: Mapping[str, str]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows.items())])


def _loading(modules: Mapping[str, nn.Module], model: nn.Module | None, base: str | None) -> str:
    """Code that runs in this folder; nothing where no stock class is trained."""
    stock = STOCK.get(_stock_class(model)[1])
    imports, lines = [], []
    for name, module in modules.items():
        library, kind = _stock_class(module)
        if kind:
            imports.append(f"from {library} import {kind}")
            lines.append(f'{name} = {kind}.from_pretrained("ema/{name}")')
    adapters = [name for name, module in modules.items() if isinstance(module, LoraLayers)]
    if stock is not None and base is not None:
        imports.insert(0, f"from diffusers import {stock.pipeline}")
        given = "".join(f", {name}={name}" for name in modules if name not in adapters)
        lines.append(f'pipeline = {stock.pipeline}.from_pretrained("{base}"{given})')
        file = f"{LoraLayers.weights_stem}.safetensors"
        lines += [f'pipeline.load_lora_weights("ema/{name}", weight_name="{file}")' for name in adapters]
    if not lines:
        return ""
    code = "\n".join(["```python", *imports, "", *lines, "```"])
    where = "" if base is None else f"; `{base}` is the base, by its folder or its name on a hub"
    return f"## How to load it\n\nIn this folder{where}:\n\n{code}"


def _stock_class(module: nn.Module | None) -> tuple[str, str]:
    """Library and class that load what this module saves; empty where none does."""
    for kind in type(module).__mro__:
        library = kind.__module__.partition(".")[0]
        if library in ("diffusers", "transformers"):
            return library, kind.__name__
    return "", ""


def _limits(model: nn.Module | None) -> str:
    stock = STOCK.get(_stock_class(model)[1])
    use = "Meant for the experiment that it was trained in."
    if stock is not None:
        use = f"Meant for `cinema`: {stock.use}; a stock `{stock.pipeline}` makes one at a time."
    return (
        f"{use} This card is written while training and knows of no measurement but the loss: how well words "
        "are followed and faces remembered has yet to be measured, and what neither these data nor a base "
        "showed it the model does not know."
    )


def _licence(base: str | None) -> str:
    if base is None:
        return "None is given here: whoever hands the weights on names one."
    return f"The base model's licence applies: read it where you found {base}."
