"""Silence of the libraries: what they print about loading is not for who makes a film.

Their errors stay; bars, hints and notes go, which would end up between our own lines on stderr.
"""

import logging
import warnings

from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging


def quiet_libraries() -> None:
    """Let diffusers and transformers tell errors only, and torch nothing of what cannot be helped."""
    for library in (diffusers_logging, transformers_logging):
        library.set_verbosity_error()
        library.disable_progress_bar()
    # Under autocast norms keep their weights in fp32, as they should; torch says so at the first of them.
    warnings.filterwarnings("ignore", "Mismatch dtype between input and weight", UserWarning)
    # Of a CUDA toolkit without a GPU, when blocks are compiled for the CPU.
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
