"""What calls cost, on the disk, and a budget that ends the work before it would be exceeded.

Before a call the most that it can cost is reserved and written down; after it, what it did cost.
A command that is killed leaves its reservations, and the next one counts them as spent, since the
server may have done the work.  So the ledger can be too high by a few calls, never too low.

A budget counts what the accounts say was spent, by earlier runs too: the same command again does not
get a second budget.
"""

import json
import re
import threading
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StrictInt, model_validator

from cinema_cli.chat.model import Picture, Request, Usage
from cinema_cli.config import Config, build
from cinema_cli.errors import InputError, Interrupted
from cinema_cli.files import read_json, write_atomic

MAX_LEDGER_BYTES = 1 << 16
MILLION = 1_000_000
FRAME_TOKENS = 256
"""What a server's own template may add to a question: the marks of roles, pictures and turns."""

Tokens = Annotated[StrictInt, Field(ge=0)]
Money = Annotated[Decimal, Field(ge=0)]


class Cost(Config):
    """Tokens and what they cost."""

    tokens_in: Tokens = 0
    """Of questions, pictures included."""
    tokens_out: Tokens = 0
    """Of answers."""
    money: Money = Decimal(0)
    """In the currency of the prices; 0 where no price was given."""

    @property
    def tokens(self) -> int:
        """Both kinds."""
        return self.tokens_in + self.tokens_out

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            tokens_in=self.tokens_in + other.tokens_in,
            tokens_out=self.tokens_out + other.tokens_out,
            money=self.money + other.money,
        )

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(
            tokens_in=self.tokens_in - other.tokens_in,
            tokens_out=self.tokens_out - other.tokens_out,
            money=self.money - other.money,
        )


class Prices(Config):
    """What a million tokens cost: both prices, or none."""

    price_in: Money | None = None
    """Of a question."""
    price_out: Money | None = None
    """Of an answer."""

    @model_validator(mode="after")
    def _both(self) -> "Prices":
        if (self.price_in is None) != (self.price_out is None):
            raise ValueError("prices were wanted for questions and answers both: --price-in and --price-out.")
        return self

    @property
    def known(self) -> bool:
        """Whether money can be counted."""
        return self.price_in is not None and self.price_out is not None

    def cost(self, tokens_in: int, tokens_out: int) -> Cost:
        """What so many tokens cost."""
        none = Decimal(0)
        money = (self.price_in or none) * tokens_in + (self.price_out or none) * tokens_out
        return Cost(tokens_in=tokens_in, tokens_out=tokens_out, money=money / MILLION)


class Budget(Config):
    """The most that a command may spend, earlier runs included."""

    amount: Annotated[Decimal, Field(gt=0)]
    """How much."""
    unit: Literal["money", "tokens"]
    """Of what; tokens are those of questions and answers together."""

    @classmethod
    def read(cls, text: str) -> "Budget":
        """The budget that words such as 2.50usd, 200ktok or 5Mtok mean."""
        found = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?) ?(usd|tok|ktok|mtok)", text.strip().lower())
        if found is None or not Decimal(found[1]):
            raise InputError(
                f"--budget {text[:40]!r}: an amount such as 2.50usd, 200ktok or 5Mtok was wanted "
                "(money needs --price-in and --price-out)."
            )
        times = {"usd": 1, "tok": 1, "ktok": 1_000, "mtok": MILLION}[found[2]]
        return cls(amount=Decimal(found[1]) * times, unit="money" if found[2] == "usd" else "tokens")

    def of(self, cost: Cost) -> Decimal:
        """How much of it a cost takes."""
        return cost.money if self.unit == "money" else Decimal(cost.tokens)

    def shown(self, amount: Decimal) -> str:
        """An amount for a person."""
        return f"{amount:.4f} usd" if self.unit == "money" else f"{amount:,.0f} tokens"


class BudgetSpentError(Interrupted):
    """The next call could exceed the budget."""


class Account(Config):
    """What one film has cost, as a file in its folder."""

    format: Literal["cinema-ledger", "cinema-caption-ledger"] = "cinema-ledger"
    """Says what the file is; the second name is that of older ones."""
    version: Literal[1] = 1
    """Of the format."""
    calls: Tokens = 0
    """Answered and counted."""
    lost: Tokens = 0
    """Calls whose answer never came; counted at the most that they can have cost."""
    spent: Cost = Cost()
    """By all calls that have ended."""
    open: tuple[Cost, ...] = ()
    """Reserved for calls that are under way."""

    @classmethod
    def load(cls, path: Path) -> "Account":
        """The account in a file; a new one where there is none."""
        return build(cls, read_json(path, MAX_LEDGER_BYTES), str(path)) if path.exists() else cls()

    def save(self, path: Path) -> None:
        """Write it."""
        write_atomic(path, self.model_dump_json(indent=2) + "\n")

    @property
    def total(self) -> Cost:
        """Spent, and reserved."""
        return sum(self.open, self.spent)

    def settled(self) -> "Account":
        """What a killed command left open counts as spent."""
        changes = {"spent": self.total, "lost": self.lost + len(self.open), "open": ()}
        return self.model_copy(update=changes)


class Ledger:
    """All accounts of one command, under one budget; called from several threads."""

    def __init__(
        self, paths: Sequence[Path], prices: Prices, budget: Budget | None, picture_tokens: int = 0
    ) -> None:
        """``paths`` are the files of the accounts; one picture is thought to cost ``picture_tokens``."""
        if budget is not None and budget.unit == "money" and not prices.known:
            raise InputError(
                "a budget in money needs prices per million tokens: give --price-in and --price-out."
            )
        self.prices, self.budget = prices, budget
        self._accounts = {path: Account.load(path).settled() for path in paths}
        self.before = self.total
        self._picture_tokens = picture_tokens
        self._largest_in = 0
        self._free = threading.Condition()

    @property
    def total(self) -> Cost:
        """Of all films, reservations included."""
        return sum((account.total for account in self._accounts.values()), Cost())

    def open(self, path: Path) -> None:
        """Begin with a film, its folder locked: read again what others may have spent on it."""
        with self._free:
            self._accounts[path] = Account.load(path).settled()

    def worst(self, request: Request) -> Cost:
        """The most that a call can cost.

        A token of text is at least one byte, an answer ends at ``max_tokens``; what a picture costs
        is the server's secret, so the largest question that it has reported so far counts too.
        """
        texts = [request.system, json.dumps(request.schema)]
        texts += [part for part in request.parts if isinstance(part, str)]
        pictures = sum(isinstance(part, Picture) for part in request.parts)
        known = FRAME_TOKENS + sum(len(text.encode("utf-8")) for text in texts)
        known += pictures * self._picture_tokens
        return self.prices.cost(max(known, self._largest_in), request.max_tokens)

    def reserve(self, path: Path, request: Request) -> Cost:
        """Write down the most that a call can cost, before it is made.

        Where the rest of the budget would do only if other calls stay below their worst, wait for them.

        Raises:
            BudgetSpentError: the call could exceed the budget.
        """
        with self._free:
            while not self._fits(self.worst(request)):
                if not any(account.open for account in self._accounts.values()):
                    raise BudgetSpentError(self._told(self.worst(request)))
                self._free.wait()
            worst = self.worst(request)
            account = self._accounts[path]
            account = account.model_copy(update={"open": (*account.open, worst)})
            account.save(path)
            self._accounts[path] = account
            return worst

    def settle(self, path: Path, reserved: Cost, usage: Usage | None) -> None:
        """Put what an answered call did cost in place of what was reserved; None counts as the most."""
        cost = reserved if usage is None else self.prices.cost(usage.tokens_in, usage.tokens_out)
        with self._free:
            self._largest_in = max(self._largest_in, cost.tokens_in)
        self._close(path, reserved, cost, calls=1)

    def release(self, path: Path, reserved: Cost) -> None:
        """A call failed and cannot have been charged."""
        self._close(path, reserved, Cost())

    def lose(self, path: Path, reserved: Cost) -> None:
        """A call failed and may have been charged: the most counts."""
        self._close(path, reserved, reserved, lost=1)

    def _close(self, path: Path, reserved: Cost, cost: Cost, calls: int = 0, lost: int = 0) -> None:
        with self._free:
            account = self._accounts[path]
            rest = list(account.open)
            rest.remove(reserved)
            changes = {
                "open": tuple(rest),
                "spent": account.spent + cost,
                "calls": account.calls + calls,
                "lost": account.lost + lost,
            }
            self._accounts[path] = account.model_copy(update=changes)
            self._free.notify_all()  # before the disk may fail: nobody waits for a call that has ended
            self._accounts[path].save(path)

    def _fits(self, worst: Cost) -> bool:
        if self.budget is None:
            return True
        learning = not self._largest_in and any(account.open for account in self._accounts.values())
        # Until the first answer has told what a picture costs, one call is made at a time.
        return not learning and self.budget.of(self.total + worst) <= self.budget.amount

    def _told(self, worst: Cost) -> str:
        assert self.budget is not None
        spent, budget = self.budget.of(self.total), self.budget
        return (
            f"the budget of {budget.shown(budget.amount)} has {budget.shown(budget.amount - spent)} left, "
            f"and the next call could cost {budget.shown(budget.of(worst))}. Give a larger --budget to go on."
        )
