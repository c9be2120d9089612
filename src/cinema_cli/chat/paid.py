"""A chat model whose calls cost something: reserved before, kept and settled after."""

from pathlib import Path

from cinema_cli.chat.answers import Answers
from cinema_cli.chat.ledger import Ledger
from cinema_cli.chat.model import Answer, ChatError, ChatModel, Request


class PaidChat:
    """One call: reserve the most that it can cost, ask, write the answer down, settle."""

    def __init__(self, model: ChatModel, account: Path, book: Answers, ledger: Ledger) -> None:
        """``account`` is the file that pays."""
        self.name = model.name
        self._model, self._account, self._book, self._ledger = model, account, book, ledger

    def complete(self, request: Request) -> Answer:
        """The model's answer, which is on the disk when this returns.

        Raises:
            BudgetSpentError: the call could exceed the budget, and was not made.
        """
        reserved = self._ledger.reserve(self._account, request)
        try:
            answer = self._model.complete(request)
        except Exception as error:
            billed = isinstance(error, ChatError) and error.billed
            (self._ledger.lose if billed else self._ledger.release)(self._account, reserved)
            raise
        try:
            self._book.keep(request, self.name, answer)  # before anything else happens to it
        finally:  # a full disk does not make it cheaper
            self._ledger.settle(self._account, reserved, answer.usage)
        return answer
