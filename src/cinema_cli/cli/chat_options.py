"""The options of a command that asks a chat model, each written once, and how its cost is shown."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from cinema_cli.chat.ledger import Cost, Prices

BaseUrl = Annotated[
    str | None,
    typer.Option("--base-url", help="OpenAI-compatible address; else Ollama on this machine.", metavar="URL"),
]
KeyEnv = Annotated[
    str | None,
    typer.Option(
        "--key-env", help="Environment variable with the key; else CINEMA_API_KEY.", metavar="VARIABLE"
    ),
]
PriceIn = Annotated[
    float | None,
    typer.Option("--price-in", min=0, help="Of a million tokens of questions.", metavar="USD"),
]
PriceOut = Annotated[
    float | None,
    typer.Option("--price-out", min=0, help="Of a million tokens of answers.", metavar="USD"),
]


def shown_cost(cost: "Cost", prices: "Prices") -> dict[str, Any]:
    """Tokens, and money where there are prices."""
    tokens = {"tokens_in": cost.tokens_in, "tokens_out": cost.tokens_out}
    return tokens | ({"usd": f"{cost.money:.4f}"} if prices.known else {})
