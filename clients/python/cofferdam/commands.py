"""Commands in a live run."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, Iterator, List, Literal, Optional, Tuple, Union

from .contract import ExecReason, ExecStart, Signal, Step
from .errors import CommandFailed, Unreachable

if TYPE_CHECKING:
    from .sandbox import Sandbox

OUTPUT_BYTES_MAX = 64 << 20
"""Of each stream that :meth:`Sandbox.exec` keeps; more is read for nobody, and ``truncated`` says so."""

StepLike = Union[Step, Tuple[str, str, int]]
"""``(trajectory, episode, step)``: where a training framework is."""


@dataclass(frozen=True)
class Output:
    """A piece of what a command says."""

    stream: Literal["stdout", "stderr"]
    data: bytes


@dataclass(frozen=True)
class Ended:
    """How a command ended: by ``code``, or by ``signal``; ``reason`` is why."""

    code: Optional[int]
    signal: Optional[str]
    reason: ExecReason
    detail: Optional[str]

    @property
    def ok(self) -> bool:
        return self.reason == "exited" and self.code == 0


@dataclass(frozen=True)
class Done(Ended):
    """
    A command that has ended, with what it said. ``entry`` is its number on the record. Of one that never began, since its
    run had ended (:meth:`Env.step`), ``exec`` is empty and ``entry`` -1.
    """

    exec: str
    entry: int
    stdout: bytes
    stderr: bytes
    truncated: bool

    @property
    def text(self) -> str:
        return self.stdout.decode("utf-8", "replace")


class Command:
    """
    A command under way: iterate for its output, which comes as it is written.

    It is cancelled, with all that it started, when it is closed before its end: by :meth:`close`, at the end of a
    ``with``, or when its process goes.
    """

    def __init__(self, sandbox: Sandbox, start: ExecStart) -> None:
        self._sandbox = sandbox
        self._lines = sandbox.host.wire.stream("run.exec", start)
        self.ended: Optional[Ended] = None
        first = next(self._lines, None)
        if first is None or first["type"] != "started":
            raise Unreachable("client.broken", "the daemon broke off before the command began")
        self.exec: str = first["exec"]
        self.entry: int = first["entry"]

    def __iter__(self) -> Iterator[Output]:
        return self

    def __next__(self) -> Output:
        line = next(self._lines)
        if line["type"] == "stdout" or line["type"] == "stderr":
            return Output(line["type"], base64.b64decode(line["data"]))
        if line["type"] == "ended":
            self.ended = Ended(
                line.get("code"), line.get("signal"), line["reason"], line.get("detail")
            )
        self.close()
        raise StopIteration

    def wait(self) -> Ended:
        """Reads what is left of its output for nobody; gives its end."""
        for _ in self:
            pass
        if self.ended is None:
            raise Unreachable("client.broken", f"{self.exec} was closed before its end")
        return self.ended

    def collect(
        self,
        on_output: Optional[Callable[[Output], None]] = None,
        output_max: int = OUTPUT_BYTES_MAX,
    ) -> Done:
        """Runs to its end; gives all that it said."""
        parts: dict[str, List[bytes]] = {"stdout": [], "stderr": []}
        sizes = {"stdout": 0, "stderr": 0}
        truncated = False
        for piece in self:
            if on_output is not None:
                on_output(piece)
            room = output_max - sizes[piece.stream]
            truncated = truncated or len(piece.data) > room
            kept = piece.data[: max(room, 0)]
            sizes[piece.stream] += len(kept)
            if kept:
                parts[piece.stream].append(kept)
        end = self.wait()
        return Done(
            code=end.code,
            signal=end.signal,
            reason=end.reason,
            detail=end.detail,
            exec=self.exec,
            entry=self.entry,
            stdout=b"".join(parts["stdout"]),
            stderr=b"".join(parts["stderr"]),
            truncated=truncated,
        )

    def input(self, data: bytes = b"", *, end: bool = False) -> None:
        """Gives a command that was started with ``interactive`` more to read."""
        said = base64.b64encode(data).decode()
        run, wire = self._sandbox.run, self._sandbox.host.wire
        wire.call("exec.input", {"run": run, "exec": self.exec, "data": said, "end": end})

    def signal(self, signal: Signal) -> None:
        """To its process group."""
        run, wire = self._sandbox.run, self._sandbox.host.wire
        wire.call("exec.signal", {"run": run, "exec": self.exec, "signal": signal})

    def cancel(self) -> None:
        """Ends it and all that it started; its end is still to be read."""
        wire = self._sandbox.host.wire
        wire.call("exec.cancel", {"run": self._sandbox.run, "exec": self.exec})

    def close(self) -> None:
        self._lines.close()

    def __enter__(self) -> Command:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def checked(done: Done, check: bool) -> Done:
    if check and not done.ok:
        raise CommandFailed(done)
    return done
