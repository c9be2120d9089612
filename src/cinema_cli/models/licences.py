"""Licences of the models that are known, and what each lets one do: in one line, before first use.

A line is a reminder and no legal advice: the licence itself counts, and its address stands behind the line.
Read in November 2026 (docs/models.md tells where); what was not found is not guessed.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cinema_cli.errors import CinemaError
from cinema_cli.files import read_json
from cinema_cli.models.contents import RECORD_NAME

HUB = "https://huggingface.co"
CARD_NAME = "README.md"
MAX_CARD_BYTES = 1 << 20


@dataclass(frozen=True)
class Licence:
    """What may be done with a model."""

    name: str
    permissive: bool | None
    """Whether it may be used for everything without being asked; none: not known."""
    summary: str
    """What it lets one do, as the end of a sentence."""
    address: str = ""

    @property
    def line(self) -> str:
        """As it is told to who is about to use it."""
        return f"{self.name}: {self.summary}" + (f" ({self.address})" if self.address else "")


_ANY = "any use, commercial too; keep the notices when you hand weights on"
APACHE = Licence("Apache-2.0", True, _ANY, "https://www.apache.org/licenses/LICENSE-2.0")
MIT = Licence("MIT", True, _ANY, "https://opensource.org/license/mit")
FLUX_DEV = Licence(
    "FLUX.1 [dev] Non-Commercial License",
    False,
    "weights and what is trained from them for non-commercial, non-production use alone; what it says of "
    "pictures differs between its versions: read it before you sell any",
    f"{HUB}/black-forest-labs/FLUX.1-dev/blob/main/LICENSE.md",
)
FLUX_2 = Licence(
    "FLUX Non-Commercial License",
    False,
    "weights and what is trained from them for non-commercial, non-production use alone; read what it says "
    "of pictures before you sell any",
    f"{HUB}/black-forest-labs/FLUX.2-dev/blob/main/LICENSE.md",
)
HUNYUAN = Licence(
    "Tencent Hunyuan Community License",
    False,
    "does not apply in the European Union, the United Kingdom and South Korea: no use there, nor of what it "
    "makes; elsewhere with conditions",
    f"{HUB}/tencent/HunyuanVideo/blob/main/LICENSE",
)
LTX_2 = Licence(
    "LTX-2 Community License",
    False,
    "free below 10 million US dollars of yearly revenue, with restrictions of use; above that ask Lightricks",
    f"{HUB}/Lightricks/LTX-2.3/blob/main/LICENSE",
)
READ_CARD = Licence("a licence of its own", False, "read the model card")
UNKNOWN = Licence("licence unknown", None, "read its card")

MODELS: tuple[tuple[str, Licence], ...] = (
    (r"toy", APACHE),
    (r"black-forest-labs/FLUX\.1-schnell", APACHE),
    (r"black-forest-labs/FLUX\.1-(dev|Kontext-dev|Fill-dev|Depth-dev|Canny-dev|Redux-dev)", FLUX_DEV),
    (r"black-forest-labs/FLUX\.2-klein-(base-)?4B", APACHE),
    (r"black-forest-labs/FLUX\.2-(dev|klein-(base-)?9B)", FLUX_2),
    (r"Qwen/Qwen-Image(-Edit(-2509|-2511)?)?", APACHE),
    (r"Wan-AI/Wan2\.[12]-.+", APACHE),
    (r"Lightricks/LTX-2.*", LTX_2),
    (r"Lightricks/LTX-Video.*", READ_CARD),  # versions differ
    (r"(tencent|hunyuanvideo-community)/HunyuanVideo.*", HUNYUAN),
    (r"openai/clip-vit-.+", MIT),
    (r"google/(t5-v1_1|umt5|t5)-.+", APACHE),
)
"""Whole names on the hub, and the embedded weights."""
NAMES: dict[str, Licence] = {
    "apache-2.0": APACHE,
    "mit": MIT,
    "flux-1-dev-non-commercial-license": FLUX_DEV,
    "flux-dev-non-commercial-license": FLUX_2,
    "flux-non-commercial-license": FLUX_2,
    "tencent-hunyuan-community": HUNYUAN,
    "ltx-2-community-license-agreement": LTX_2,
}
"""As cards name them, ``license`` or ``license_name``."""


def known_licence(model: str) -> Licence | None:
    """The licence of a model by its name; none where the table does not have it."""
    name = model.partition("@")[0]
    return next((found for pattern, found in MODELS if re.fullmatch(pattern, name, re.IGNORECASE)), None)


def base_licence(base: str) -> Licence | None:
    """The licence of a base as our own cards name it: on the hub, or by its folder alone (``FLUX.1-dev``)."""
    own = ((pattern.rpartition("/")[2], found) for pattern, found in MODELS)
    named = next((found for pattern, found in own if re.fullmatch(pattern, base, re.IGNORECASE)), None)
    return known_licence(base) or named


def licence_of(model: str, folder: Path | None) -> Licence:
    """The licence of a model: by its name, by its base, or as its card names it.

    Args:
        model: A name on the hub, a folder's path or "toy".
        folder: Where it lies, if it is here.
    """
    named = known_licence(model)
    if named is not None or folder is None:
        return named or UNKNOWN
    cached = next(
        (found for part in folder.parts if (found := re.fullmatch(r"models--(.+?)--(.+)", part))), None
    )
    if cached is not None and (named := known_licence(f"{cached[1]}/{cached[2]}")) is not None:
        return named
    for place in (folder, folder.parent):
        base = base_of(place)
        if base is not None and (told := base_licence(base)) is not None:
            return told
        if (stated := card_licence(card_of(place))) is not None:
            return stated
    return UNKNOWN


def base_of(folder: Path) -> str | None:
    """The model that one was trained from, as its record or its card says."""
    told: Any = None
    if (folder / RECORD_NAME).is_file():
        record = read_json(folder / RECORD_NAME, MAX_CARD_BYTES)
        told = record.get("base") if isinstance(record, dict) else None
    told = told or card_of(folder).get("base_model")
    first = told[0] if isinstance(told, list) and told else told
    return first if isinstance(first, str) else None


def card_licence(card: dict[str, Any]) -> Licence | None:
    """The licence that a card's head names; none where it names none."""
    for field in ("license_name", "license"):
        name = card.get(field)
        if isinstance(name, str) and name.lower() in NAMES:
            return NAMES[name.lower()]
    name = card.get("license_name") or card.get("license")
    if not isinstance(name, str):
        return None
    return Licence(name, None, "so its card says; read it there")


def card_of(folder: Path) -> dict[str, Any]:
    """The head of a model card, between two lines of three dashes; empty where there is none."""
    path = folder / CARD_NAME
    try:
        text = path.read_bytes()[:MAX_CARD_BYTES].decode("utf-8", errors="replace") if path.is_file() else ""
        found = re.match(r"---\r?\n(.*?)\r?\n---", text, re.DOTALL)
        head = yaml.safe_load(found[1]) if found else {}
    except (OSError, yaml.YAMLError, CinemaError, RecursionError):  # a card that cannot be read tells nothing
        return {}
    return head if isinstance(head, dict) else {}
