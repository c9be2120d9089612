"""Low-rank adapters: the base stays as it is, small matrices beside its own are trained (peft).

They are saved as ``pytorch_lora_weights.safetensors`` with keys that begin with ``transformer.``: a stock
``FluxPipeline`` or ``WanPipeline`` loads that, and ComfyUI reads it.  Alpha is the rank: who is told no alpha
is right as well.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import torch
from peft import LoraConfig as PeftConfig
from pydantic import Field
from torch import Tensor, nn

from cinema_cli.config import Config
from cinema_cli.errors import InputError
from cinema_cli.files import read_json
from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.models.quantise import Quantise, quantised_as
from cinema_cli.models.video import InterleavedWan

ATTENTION = r"to_q|to_k|to_v|to_out\.0|add_q_proj|add_k_proj|add_v_proj|to_add_out"
MLP = r"proj_mlp|proj_out|ff\.net\.0\.proj|ff\.net\.2|ff_context\.net\.0\.proj|ff_context\.net\.2"
TOLD_NAME = "lora.json"
"""Where a checkpoint's adapters tell beside what they were trained."""
MAX_TOLD_BYTES = 1 << 16


class LoraConfig(Config):
    """Size and place of the adapters."""

    rank: Annotated[int, Field(ge=1, le=1024)] = 64
    """Rank of the added matrices; alpha is the same."""
    targets: str = rf".*transformer_blocks\.\d+\.(attn\.)?({ATTENTION}|{MLP})"
    """Linear layers that are adapted: a regular expression over whole names."""


class LoraLayers(nn.Module):
    """The adapters of a model, as what is trained, averaged and saved; the base is no part of it."""

    weights_stem = "pytorch_lora_weights"

    def __init__(self, model: InterleavedFlux | InterleavedWan, config: LoraConfig) -> None:
        """Freeze the model and put adapters into it; they start by changing nothing."""
        super().__init__()
        model.requires_grad_(False)
        model.add_adapter(PeftConfig(r=config.rank, lora_alpha=config.rank, target_modules=config.targets))
        self.config, self.base = config, quantised_as(model)
        added = {name: p for name, p in model.named_parameters() if p.requires_grad}
        with torch.no_grad():
            for parameter in added.values():
                parameter.data = parameter.data.float()  # a half-precision base makes them too coarse
        self.names = [f"transformer.{name.replace('.default.', '.')}" for name in added]
        self.adapters = nn.ParameterList(added.values())

    def state_dict(self, *args: Any, **options: Any) -> dict[str, Tensor]:  # type: ignore[override]
        """The adapters by the names under which stock pipelines know them."""
        return dict(zip(self.names, (p.detach() for p in self.adapters), strict=True))

    @torch.no_grad()
    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Take adapters in by those names."""
        for name, parameter in zip(self.names, self.adapters, strict=True):
            parameter.copy_(state_dict[name])

    def save_config(self, folder: Path) -> None:
        """Rank, targets and how the base was kept; stock pipelines do not need them."""
        told = {"rank": self.config.rank, "alpha": self.config.rank, "targets": self.config.targets}
        (folder / TOLD_NAME).write_text(json.dumps(told | {"quantise": self.base}, indent=2) + "\n")


def refuse_other_base(checkpoints: Path, kind: Quantise) -> None:
    """Refuse to go on with adapters beside other weights than those that they were begun beside.

    Raises:
        InputError: the newest checkpoint's base is kept as something else.
    """
    for told in sorted(checkpoints.glob(f"step-*/lora/{TOLD_NAME}"))[-1:]:
        facts = read_json(told, MAX_TOLD_BYTES)
        before = facts.get("quantise", "none") if isinstance(facts, dict) else "none"
        if before != kind:
            raise InputError(
                f"{checkpoints}: these adapters were begun with quantise={before}, found quantise={kind}. "
                f"Take quantise={before}, or another --run folder."
            )
