"""Several processes that train together, as torchrun starts them."""

import os
import subprocess
import sys
from pathlib import Path


def launched(worker: str, folder: Path, *words: str, processes: int = 2) -> None:
    """Start a file that lies beside this one in so many processes, and wait for all of them."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
    done = subprocess.run(
        [*launch, str(processes), str(Path(__file__).with_name(worker)), str(folder), *words],
        capture_output=True,
        text=True,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == 0, done.stderr[-3000:]
