"""What directors and judges have in common: who is asked, at which price, and how an answer is sent back."""

from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from cinema_cli.chat.ledger import Prices
from cinema_cli.chat.openai import OpenAIConfig
from cinema_cli.chat.patience import Patience
from cinema_cli.config import Config

REPAIRS = 2
"""Times that somebody is told what is wrong with an answer."""

REPAIR = """\
That answer cannot be used:
{faults}
Write the whole answer again, with this put right, as one JSON object and nothing else."""


def strict_object(**properties: Any) -> dict[str, Any]:
    """An object in the part of JSON Schema that strict modes accept: all fields required, no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


class SlowChat(OpenAIConfig):
    """Which server, which model; a long answer, or a look at many pictures, takes its time."""

    timeout: Annotated[float, Field(gt=0, le=3600)] = 600.0
    """Seconds for one call."""


class ConsultingConfig(Config):
    """Who is asked, and at which price."""

    wanted: ClassVar[str]
    """Whose options these are, and how one is named on the command line."""

    chat: SlowChat
    """Which model."""
    patience: Patience = Patience()
    """How often a call is tried."""
    prices: Prices = Prices()
    """Per million tokens."""
    budget: str | None = None
    """The most that may be spent on one film, earlier runs included: 2.50usd, 200ktok."""

    @model_validator(mode="before")
    @classmethod
    def _model_is_named(cls, data: Any) -> Any:
        chat = data.get("chat", {}) if isinstance(data, dict) else None
        if isinstance(chat, dict) and "model" not in chat:
            raise ValueError(f"a server, prices and a budget are for {cls.wanted}.")
        return data
