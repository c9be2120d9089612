"""The options that several commands share, each written once."""

from pathlib import Path
from typing import Annotated, Any

import typer


class ShotList(tuple[str, ...]):
    """Shots named on the command line."""

    @classmethod
    def read(cls, text: str) -> "ShotList":
        """The shots that a list such as "7,9" names."""
        words = [word.strip() for word in text.split(",")]
        if not all(words):
            raise typer.BadParameter(f"shots separated by commas were wanted, such as 7,9; found {text!r}.")
        return cls(words)


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]
Preset = Annotated[str, typer.Option("--preset", help="A shipped preset.", metavar="NAME")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="Change one value of the config; can be given several times.", metavar="A.B=C"
    ),
]
Redo = Annotated[
    ShotList | None,
    typer.Option("--redo", parser=ShotList.read, help="Make these shots anew, such as 7,9.", metavar="SHOTS"),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="A model: its name on the hub such as org/name, or a folder; else the embedded weights.",
        metavar="NAME",
    ),
]
Adapter = Annotated[
    str | None,
    typer.Option(
        "--adapter", help="A LoRA beside the model: its file, or a checkpoint that has one.", metavar="PATH"
    ),
]
Transformer = Annotated[
    str | None,
    typer.Option(
        "--transformer",
        help="A GGUF file in place of the model's transformer, whose weights are then not needed.",
        metavar="FILE",
    ),
]
AcceptLicence = Annotated[
    bool, typer.Option("--accept-licence", help="Accept the model's licence; noted, and not asked again.")
]
Run = Annotated[
    Path, typer.Option("--run", help="Folder of the run: checkpoints, config, log.", metavar="DIR")
]
Checkpoint = Annotated[
    str | None,
    typer.Option(
        "--checkpoint",
        help="Go on from this one, such as step-001000; later ones are put aside.",
        metavar="NAME",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the expanded config and stop.")]
Estimate = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be trained and what it would cost, and stop.")
]
On = Annotated[
    str | None,
    typer.Option("--on", help='With --dry-run: for these devices, such as "32 x H100".', metavar="DEVICES"),
]


def given(**options: Any) -> dict[str, Any]:
    """The options that were given; the others keep the default of the config."""
    return {name: value for name, value in options.items() if value is not None}
