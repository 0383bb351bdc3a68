"""What goes wrong, as exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

if TYPE_CHECKING:
    from .commands import Done


class CofferdamError(Exception):
    """A refusal: what (``code``), why (``message``) and what helps (``hint``)."""

    def __init__(self, code: str, message: str, hint: Optional[str] = None) -> None:
        super().__init__(message if hint is None else f"{message} (fix: {hint})")
        self.code = code
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type[CofferdamError], tuple[str, str, Optional[str]]]:
        return (type(self), (self.code, self.message, self.hint))  # Trainers pass them between processes.


class Unreachable(CofferdamError):
    """No daemon answers, or the one that did is gone."""


class CommandFailed(CofferdamError):
    """A command that was to succeed did not; ``done`` is what it left."""

    def __init__(self, done: Done) -> None:
        how = done.signal if done.code is None else f"status {done.code}"
        said = done.stderr.decode("utf-8", "replace").strip()[-400:]
        super().__init__(
            "client.command", f"{done.exec} ended: {done.detail or done.reason}, {how}: {said}"
        )
        self.done = done

    def __reduce__(self) -> tuple[type[CommandFailed], tuple[Done]]:  # type: ignore[override]
        return (type(self), (self.done,))
