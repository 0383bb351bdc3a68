"""A run, its commands, its files and its record."""

from __future__ import annotations

import base64
import io
import os
import shutil
import subprocess
from typing import (
    TYPE_CHECKING,
    BinaryIO,
    Callable,
    Iterable,
    List,
    Literal,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    Union,
    cast,
)

from .commands import OUTPUT_BYTES_MAX, Command, Done, Output, StepLike, checked
from .contract import (
    Entry,
    EventType,
    ExecInfo,
    ExecStart,
    FileAt,
    FileInfo,
    FileWrite,
    LogReadTakes,
    RunInfo,
    RunStart,
    Step,
    WorkspaceDiffGives,
)
from .errors import CofferdamError
from .home import find_program
from .lines import Lines
from .wire import CHUNK_BYTES

if TYPE_CHECKING:
    from .client import Cofferdam
    from .wire import Wire

Argv = Union[str, Sequence[str]]
"""A command and its arguments; or a line for ``sh``."""
IncidentFormat = Literal["md", "html", "ocsf", "aiid", "atlas"]


class Files:
    """Files of a run, as the run itself sees them. Paths are absolute; bytes of any length in constant memory."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def read(self, path: str, *, step: Optional[StepLike] = None) -> bytes:
        with self.open(path, step=step) as stream:
            return stream.read()

    def open(self, path: str, *, step: Optional[StepLike] = None) -> io.BufferedReader:
        """A stream of its bytes; closing it early ends the reading in the run."""
        return io.BufferedReader(self._wire.download(self._at(path, step)), CHUNK_BYTES)

    def write(
        self,
        path: str,
        content: Union[bytes, Iterable[bytes], BinaryIO],
        *,
        mode: Optional[str] = None,
        step: Optional[StepLike] = None,
    ) -> int:
        """Whole or not at all; folders on the way are made. ``mode`` is octal: ``"755"``. Gives its length."""
        takes = cast(FileWrite, self._at(path, step))
        if mode is not None:
            takes["mode"] = mode
        return self._wire.upload(takes, cast(io.IOBase, content))

    def upload(self, local: Union[str, "os.PathLike[str]"], path: str, *, mode: Optional[str] = None) -> int:
        with open(local, "rb") as stream:
            return self.write(path, stream, mode=mode)

    def download(self, path: str, local: Union[str, "os.PathLike[str]"]) -> None:
        """Beside its place until it is whole."""
        part = f"{os.fspath(local)}.part"
        try:
            with self.open(path) as source, open(part, "wb") as target:
                shutil.copyfileobj(source, target, CHUNK_BYTES)
            os.replace(part, local)
        except BaseException:
            if os.path.exists(part):
                os.unlink(part)
            raise

    def list(self, path: str, *, depth: int = 1) -> List[FileInfo]:
        return self._wire.call("file.list", {"run": self._sandbox.run, "path": path, "depth": depth})

    def stat(self, path: str) -> FileInfo:
        return self._wire.call("file.stat", self._at(path, None))

    def remove(self, path: str) -> None:
        """A file, or a folder with all in it."""
        self._wire.call("file.remove", self._at(path, None))

    def move(self, path: str, to: str) -> None:
        self._wire.call("file.move", {"run": self._sandbox.run, "path": path, "to": to})

    def make_folder(self, path: str) -> None:
        self._wire.call("file.folder", self._at(path, None))

    @property
    def _wire(self) -> Wire:
        return self._sandbox.host.wire

    def _at(self, path: str, step: Optional[StepLike]) -> FileAt:
        takes: FileAt = {"run": self._sandbox.run, "path": path}
        said = self._sandbox.step if step is None else step
        if said is not None:
            takes["step"] = step_of(said)
        return takes


class Sandbox:
    """A run without an agent: it holds still until commands come. At the end of a ``with`` it is killed."""

    def __init__(self, host: Cofferdam, info: RunInfo, order: Optional[RunStart] = None) -> None:
        self.host = host
        self._order = order
        self.run = info["run"]
        self.workspace = info["workspace"]
        self.files = Files(self)
        self.step: Optional[StepLike] = None
        """What every command and file carries for which no other step is said."""
        self.first = info["entries"]["first"]
        """Number of its first entry on the record."""

    def info(self) -> RunInfo:
        return self.host.wire.call("run.show", {"run": self.run})

    def start(
        self,
        argv: Argv,
        *,
        step: Optional[StepLike] = None,
        label: Optional[str] = None,
        cwd: Optional[str] = None,
        env: Optional[Mapping[str, str]] = None,
        stdin: Optional[bytes] = None,
        interactive: bool = False,
        terminal: Optional[Tuple[int, int]] = None,
        timeout: Optional[float] = None,
    ) -> Command:
        """
        Starts a command; what comes back gives its output as it comes.

        :param stdin: all of its input
        :param interactive: more input comes by :meth:`Command.input`
        :param terminal: columns and rows of a terminal for it
        :param timeout: seconds; then it is ended, with all that it started
        """
        takes: ExecStart = {
            "run": self.run,
            "argv": ["sh", "-c", argv] if isinstance(argv, str) else list(argv),
        }
        said = self.step if step is None else step
        if said is not None:
            takes["step"] = step_of(said)
        if label is not None:
            takes["label"] = label
        if cwd is not None:
            takes["cwd"] = cwd
        if env is not None:
            takes["environment"] = dict(env)
        if stdin is not None:
            takes["stdin"] = base64.b64encode(stdin).decode()
        if interactive:
            takes["interactive"] = True
        if terminal is not None:
            takes["terminal"] = {"columns": terminal[0], "rows": terminal[1]}
        if timeout is not None:
            takes["timeoutMs"] = max(1, round(timeout * 1000))
        return Command(self, takes)

    def exec(
        self,
        argv: Argv,
        *,
        step: Optional[StepLike] = None,
        label: Optional[str] = None,
        cwd: Optional[str] = None,
        env: Optional[Mapping[str, str]] = None,
        stdin: Optional[bytes] = None,
        timeout: Optional[float] = None,
        on_output: Optional[Callable[[Output], None]] = None,
        output_max: int = OUTPUT_BYTES_MAX,
        check: bool = False,
    ) -> Done:
        """
        Runs a command to its end.

        :param on_output: called with each piece of output as it comes
        :param check: raise :class:`CommandFailed` where it does not end with 0
        """
        with self.start(
            argv, step=step, label=label, cwd=cwd, env=env, stdin=stdin, timeout=timeout
        ) as command:
            return checked(command.collect(on_output, output_max), check)

    def commands(self) -> List[ExecInfo]:
        """Those under way."""
        return self.host.wire.call("exec.list", {"run": self.run})

    def set_step(self, step: StepLike) -> None:
        """Every event of the run from now on says so, whatever causes it."""
        at = step_of(step)
        self.host.wire.call(
            "run.step",
            {
                "run": self.run,
                "trajectory": at["trajectory"],
                "episode": at["episode"],
                "step": at["step"],
            },
        )

    def pause(self) -> RunInfo:
        return self.host.wire.call("run.pause", {"run": self.run})

    def resume(self) -> RunInfo:
        return self.host.wire.call("run.resume", {"run": self.run})

    def kill(self) -> RunInfo:
        """Ends it, if it has not ended; its record and its changes stay."""
        try:
            return self.host.wire.call("run.kill", {"run": self.run})
        except CofferdamError as error:
            if error.code not in ("daemon.state", "daemon.no_such_run"):
                raise
            return self.info()

    def snapshot(self) -> str:
        """Keeps what it made of its workspace and HOME; others start there: ``host.create(snapshot=...)``."""
        return self.host.wire.call("run.snapshot", {"run": self.run})["snapshot"]

    def fork(self) -> Sandbox:
        """
        Another run of the same task that begins with the files of now, its own ones from then on. Processes are not
        copied. For many of one state take :meth:`snapshot` once.
        """
        if self._order is None:
            raise CofferdamError(
                "client.fork",
                f"how {self.run} was started is not known here",
                "host.create(..., snapshot=sandbox.snapshot()), with its task",
            )
        snapshot = self.snapshot()
        try:
            order = self._order.copy()
            order["from"] = snapshot
            return self.host.start(order)
        finally:
            self.host.wire.call("snapshot.remove", {"snapshot": snapshot})

    def diff(self) -> WorkspaceDiffGives:
        """What it changed in its workspace."""
        return self.host.wire.call("workspace.diff", {"run": self.run})

    def discard(self) -> None:
        """Throws its changes away; it must have ended."""
        self.host.wire.call("workspace.discard", {"run": self.run})

    def events(
        self,
        *,
        follow: bool = False,
        types: Optional[Sequence[EventType]] = None,
        since: Optional[int] = None,
    ) -> Lines[Entry]:
        """
        Its entries of the record, from the first or from number ``since``. With ``follow`` it goes on as they are made,
        until it is closed.
        """
        start = self.first if since is None else since
        takes: LogReadTakes = {"run": self.run, "follow": follow, "from": start}
        if types is not None:
            takes["types"] = list(types)
        return self.host.wire.stream("log.read", takes)

    def findings(self, since: Optional[int] = None) -> List[Entry]:
        """What was noticed of it: ``data["finding"]`` is the kind, ``cause["step"]`` whose doing it was."""
        with self.events(types=["finding"], since=since) as entries:
            return list(entries)

    def incident(self, format: IncidentFormat = "md") -> str:
        """
        The incident report, as `cofferdam incident` makes it: by a process of its own that reads the record, verifies it
        and proves each entry that the report cites. The daemon, which wrote the record, is not asked to vouch for it.
        """
        command = [str(find_program(self.host.program)), "incident", self.run, "--format", format]
        made = subprocess.run(
            command,
            env={**os.environ, "COFFERDAM_HOME": str(self.host.wire.home)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if made.returncode != 0:
            why = made.stderr.decode("utf-8", "replace").strip()
            raise CofferdamError("client.incident", f"no proven report of {self.run}: {why}")
        return made.stdout.decode("utf-8")

    def close(self) -> None:
        self.kill()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def step_of(step: StepLike) -> Step:
    if isinstance(step, tuple):
        trajectory, episode, number = step
        return {"trajectory": trajectory, "episode": episode, "step": number}
    return step
