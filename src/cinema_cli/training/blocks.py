"""Compilation of the repeated blocks: on a CPU this is what makes training possible at all."""

import torch
from diffusers import ModelMixin


def compile_blocks(model: ModelMixin) -> None:
    """Compile every repeated block, and fail rather than fall back to eager code."""
    torch._dynamo.config.recompile_limit = 64
    torch._dynamo.config.fail_on_recompile_limit_hit = True
    names = set(model._repeated_blocks)
    for module in model.modules():
        if type(module).__name__ in names:
            module.compile(dynamic=False)
