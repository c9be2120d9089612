"""Which films of a dataset are kept for previews and the validation loss.

Whole films, for shots of one film are alike.  They are chosen by the hashes of their names, so every stage
and every process holds out the same ones, and the video model the same as the keyframe model.
"""

import hashlib
from collections.abc import Sequence

from cinema_cli.progress import Progress


def hold_out(names: Sequence[str], share: float, progress: Progress) -> frozenset[int]:
    """Numbers of the films that are held out, and say which: ``share`` of all, rounded, and never all."""
    ranked = sorted(range(len(names)), key=lambda i: hashlib.sha256(names[i].encode()).hexdigest())
    held = frozenset(ranked[: min(round(share * len(names)), len(names) - 1)])
    if held:
        shown = ", ".join(sorted(names[i] for i in held)[:3]) + (", ..." if len(held) > 3 else "")
        progress.say(f"{len(held)} of {len(names)} films held out: {shown}")
    else:
        progress.say(
            f"No film is held out (held_out={share:g} of {len(names)}): previews and validation show what is "
            "trained on"
        )
    return held
