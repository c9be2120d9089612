"""The folder of an encoder of transformers: found, fetched where it is lacking, checked before it is read."""

from pathlib import Path

from cinema_cli.errors import InputError, MissingError
from cinema_cli.files import read_json
from cinema_cli.models.hub import TIMEOUT, is_offline, split_name

CONFIG, PROCESSOR, WEIGHTS = "config.json", "preprocessor_config.json", "model.safetensors"
MAX_CONFIG_BYTES = 1 << 20
KINDS = {"clip": "CLIP", "dinov2": "DINOv2", "vit": "a ViT such as DINO"}
"""What ``model_type`` may be."""
PICKLES = (".bin", ".pt", ".pth")
FILES = (
    CONFIG,
    PROCESSOR,
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.json",
    "merges.txt",
    WEIGHTS,  # last: where they are, all is there
)
"""What is fetched of a repository, in that order: no pickle, no code."""


def model_type(folder: Path) -> str:
    """Which kind of model a folder holds, as its config says.

    Raises:
        InputError: a kind that is not known here.
        MissingError: a file is lacking, or the weights are pickles.
    """
    for name in (CONFIG, PROCESSOR):
        if not (folder / name).is_file():
            raise MissingError(
                f"{folder}: {name} was wanted, but there is none. Save the model and its image "
                "processor with save_pretrained."
            )
    if not (folder / WEIGHTS).is_file():
        pickles = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLES)
        found = f"found {pickles[0]}, a pickle, which may hold code" if pickles else "found none"
        raise MissingError(
            f"{folder}: weights as {WEIGHTS} were wanted, {found}. Take a revision that has them "
            "(name@revision), or save the model anew."
        )
    config = read_json(folder / CONFIG, MAX_CONFIG_BYTES)
    kind = config.get("model_type") if isinstance(config, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise InputError(f"{folder / CONFIG}: {', '.join(KINDS.values())} was wanted, found {kind!r}.")
    return kind


def fetched(name: str) -> Path:
    """The folder of a model of the hub: from the local cache where it is whole, else fetched.

    Raises:
        MissingError: it is not here, and cannot be fetched.
    """
    import httpx2
    from huggingface_hub import HfApi, hf_hub_download, try_to_load_from_cache

    repository, revision = split_name(name)
    weights = try_to_load_from_cache(repository, WEIGHTS, revision=revision)
    if isinstance(weights, str):
        return Path(weights).parent
    if is_offline():
        raise MissingError(
            f"{name}: an encoder was wanted that is not whole in the local cache, and HF_HUB_OFFLINE is set. "
            "Unset it, or give a folder."
        )
    try:
        info = HfApi().model_info(repository, revision=revision, timeout=TIMEOUT)
        there = {sibling.rfilename for sibling in info.siblings or ()}
        paths = [hf_hub_download(repository, file, revision=revision) for file in FILES if file in there]
    except (httpx2.HTTPError, OSError, RuntimeError, ValueError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise MissingError(
            f"{name}: an encoder was wanted that is not in the local cache, and it cannot be fetched "
            f"({lines[0]}). Check the name and the network, or give a folder."
        ) from error
    if not paths:
        raise MissingError(f"{name}: a model of transformers was wanted, found none of {', '.join(FILES)}.")
    return Path(paths[0]).parent
