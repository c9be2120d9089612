"""What is dear to make and always the same, kept in shards: latents of keyframes, features of captions.

RUN/cache/
└── 3f9a.../                 what makes the items: weights, frame size, code
    ├── made-by.json
    └── 81c2.../0003.safetensors     a film's fourth block of items

The folder is named by all that makes an item, so an old autoencoder's latents are never read by a new one.  A
shard tells the stamps of its items (which file, which words): one that was made from others is made again.
Shards are written aside and renamed.  Two processes may fill a cache at the same time: both make the same
shard, and either one is right.
"""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from cinema_cli.files import atomic_path, sha256_json, write_atomic

Tensors = dict[str, Tensor]

RECORD = "made-by.json"


class ShardCache:
    """Tensors with a row for every item, in shards that are made when one of their items is wanted."""

    def __init__(self, folder: Path, made_by: Mapping[str, Any], tell: Callable[[str], None]) -> None:
        """``made_by``: everything that the items depend on, beside their stamps; ``tell`` takes one line."""
        self.folder = folder / sha256_json(made_by)[:16]
        self._tell = tell
        self._making = threading.Lock()
        if not (self.folder / RECORD).is_file():
            write_atomic(self.folder / RECORD, json.dumps(made_by, indent=2) + "\n")

    def rows(
        self, shard: str, stamps: Sequence[str], wanted: Sequence[int], make: Callable[[], Tensors]
    ) -> Tensors:
        """The wanted rows of a shard; ``make`` gives all of its rows, one for every stamp, in their order."""
        path = self.folder / f"{shard}.safetensors"
        made_from = sha256_json(list(stamps))
        found, _ = self._read(path, made_from, wanted)
        if found is not None:
            return found
        with self._making:
            found, fault = self._read(path, made_from, wanted)  # another thread may have made it meanwhile
            if fault:
                self._tell(f"{path}: {fault}, made again")
            if found is None:
                tensors = make()
                assert all(len(tensor) == len(stamps) for tensor in tensors.values()), shard
                with atomic_path(path) as aside:
                    save_file(tensors, aside, {"made_from": made_from})
                found = {name: tensor[list(wanted)] for name, tensor in tensors.items()}
        return found

    @staticmethod
    def _read(path: Path, made_from: str, wanted: Sequence[int]) -> tuple[Tensors | None, str]:
        """The rows, or none and what is wrong with the shard; a missing one is no fault."""
        if not path.is_file():
            return None, ""
        try:
            with safe_open(path, framework="pt") as file:
                if (file.metadata() or {}).get("made_from") != made_from:
                    return None, "its pictures or words changed"
                return {name: file.get_slice(name)[list(wanted)] for name in file.keys()}, ""  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            return None, f"damaged ({error})"
