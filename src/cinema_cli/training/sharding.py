"""FSDP2: every rank holds a slice of each weight, its gradient, its average and its optimizer state.

One function of ours calls torch's ``fully_shard`` on every device.  accelerate's own preparation does so on
GPUs alone: on a CPU it falls back to DDP without a word, and what is tested there would be something else.

Each block of ``_no_split_modules`` is a unit that is gathered when it is called and let go after, then the
rest of the module is one more.  Blocks that are compiled must be compiled before.
"""

import os
from collections.abc import Mapping
from typing import Any, Literal

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor
from torch.distributed.tensor._utils import compute_local_shape_and_global_offset

from cinema_cli.errors import InputError
from cinema_cli.training.ranks import Ranks

Sharding = Literal["auto", "none", "full", "node"]
"""``full``: over all ranks.  ``node``: over those of a node, whole copies on each node.  ``none``: every rank
holds everything.  ``auto``: full where accelerate was launched with FSDP, else none."""

OTHER_FORWARDS = ("remember",)
"""Methods that compute with a module's own weights as ``forward`` does, so that they are gathered as well."""


def is_sharded(sharding: Sharding, ranks: Ranks) -> bool:
    """Whether weights are to be sharded.

    Raises:
        InputError: sharding was wanted, but there is one process.
    """
    if sharding == "auto":
        return ranks.world > 1 and os.environ.get("ACCELERATE_USE_FSDP", "false").lower() == "true"
    if sharding != "none" and not dist.is_initialized():
        raise InputError(
            f"sharding={sharding}: several processes were wanted, found one. Start them with `accelerate "
            "launch` or torchrun, or take sharding=none."
        )
    return sharding != "none"


def shard(module: nn.Module, sharding: Sharding, bf16: bool, ranks: Ranks) -> None:
    """Shard a module in place; its parameters become DTensors.

    Args:
        module: of diffusers or transformers; its blocks are the classes named in ``_no_split_modules``.
        sharding: over whom.
        bf16: compute in bfloat16.  Inputs keep their own precision: rounded to bfloat16, a noise level of
            501 thousandths would be 500.
        ranks: this process.

    Raises:
        InputError: the module has no such blocks: adapters, for one.
    """
    names = set(getattr(module, "_no_split_modules", None) or ())
    blocks = [m for m in module.modules() if type(m).__name__ in names]
    if not blocks:
        raise InputError(
            f"sharding={sharding}: a model of blocks was wanted, found {type(module).__name__}. Adapters are "
            "small: take sharding=none, where every process holds them and the base."
        )
    mesh = _mesh(sharding, ranks)
    policy = MixedPrecisionPolicy(
        param_dtype=torch.bfloat16 if bf16 else None, reduce_dtype=torch.float32, cast_forward_inputs=False
    )
    for block in blocks:
        fully_shard(block, mesh=mesh, mp_policy=policy)
    fully_shard(module, mesh=mesh, mp_policy=policy)
    for name in OTHER_FORWARDS:
        if hasattr(module, name):
            register_fsdp_forward_method(module, name)
    assert isinstance(module, FSDPModule)
    assert all(isinstance(p, DTensor) for p in module.parameters())


def _mesh(sharding: Sharding, ranks: Ranks) -> DeviceMesh:
    kind = ranks.device.type
    if sharding != "node":
        return init_device_mesh(kind, (ranks.world,), mesh_dim_names=("shard",))
    local = int(os.environ.get("LOCAL_WORLD_SIZE", ranks.world))
    if ranks.world % local:
        raise InputError(
            f"sharding=node: as many processes on every node were wanted, found {ranks.world} in all and "
            f"{local} here. Start equally many on each, or take sharding=full."
        )
    return init_device_mesh(kind, (ranks.world // local, local), mesh_dim_names=("replicate", "shard"))


def own(tensor: Tensor) -> Tensor:
    """This rank's slice of a tensor, in the same memory; all of one that is not sharded."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def whole(tensor: Tensor) -> Tensor:
    """The tensor, gathered from all ranks, which must all ask for it."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def like(parameter: Tensor, file: Any, name: str) -> Tensor:
    """A tensor of an open safetensors file, sharded as ``parameter`` is if it has its shape."""
    if not isinstance(parameter, DTensor) or file.get_slice(name).get_shape() != list(parameter.shape):
        return file.get_tensor(name)
    part = _own_rows(parameter, file, name).to(parameter.device)
    return DTensor.from_local(
        part,
        parameter.device_mesh,
        parameter.placements,
        run_check=False,
        shape=parameter.shape,
        stride=parameter.stride(),
    )


@torch.no_grad()
def fill(targets: Mapping[str, Tensor], file: Any, where: str) -> None:
    """Copy those tensors of an open safetensors file that ``targets`` has, each rank its own slice.

    Raises:
        InputError: a tensor has another shape.
    """
    for name in file.keys():  # noqa: SIM118 - an open safetensors file is no mapping
        target = targets.get(name)
        shape = file.get_slice(name).get_shape()
        if target is None or shape != list(target.shape):
            found = "nothing of that name" if target is None else f"a shape of {list(target.shape)}"
            raise InputError(
                f"{where}: {name} has the shape {shape}, but the model has {found}. Take the "
                "config that it was trained with, or another --run folder."
            )
        own(target).copy_(
            _own_rows(target, file, name) if isinstance(target, DTensor) else file.get_tensor(name)
        )


def _own_rows(target: DTensor, file: Any, name: str) -> Tensor:
    """Read no more of a tensor than this rank holds: FSDP2 slices the first dimension."""
    shape, offset = compute_local_shape_and_global_offset(target.shape, target.device_mesh, target.placements)
    return file.get_slice(name)[offset[0] : offset[0] + shape[0]]
