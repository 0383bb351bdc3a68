"""The daemon of one home, and runs made at it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import List, Mapping, Optional, Union

from .contract import LineageInfo, LineageReached, RunInfo, RunStart, SnapshotInfo
from .errors import CofferdamError, Unreachable
from .home import locate_home, read_profile, start_daemon
from .sandbox import Sandbox
from .wire import Wire

Place = Union[str, "os.PathLike[str]"]


class Cofferdam:
    """A daemon that answers. It holds no connection: any number of threads may use it at once."""

    def __init__(self, wire: Wire, program: Optional[str]) -> None:
        self.wire = wire
        self.program = program

    def create(
        self,
        *,
        task: Optional[Place] = None,
        source: Optional[str] = None,
        profile: Optional[str] = None,
        workspace: Place = ".",
        env: Optional[Mapping[str, str]] = None,
        job: Optional[str] = None,
        agent: Optional[str] = None,
        snapshot: Optional[str] = None,
    ) -> Sandbox:
        """
        Starts a run that holds still until commands come.

        :param task: a task file: what the run may reach
        :param source: the text of one, instead
        :param profile: the name of a ready one, instead; without any of the three, ``shell``, which reaches nothing
        :param workspace: the folder that it works on a copy of
        :param env: values of the variables that the task passes in, and of nothing else
        :param job: what it is one of: all runs of a job are one thing, with one budget, paused as one
        :param agent: which agent it is; the task's name where that is not said
        :param snapshot: what its workspace and HOME begin with (:meth:`Sandbox.snapshot`)
        """
        order = self._order(task, source, profile, workspace, env)
        if snapshot is not None:
            order["from"] = snapshot
        if job is not None or agent is not None:
            order["lineage"] = {}
            if job is not None:
                order["lineage"]["job"] = job
            if agent is not None:
                order["lineage"]["agent"] = agent
        return self.start(order)

    def start(self, order: RunStart) -> Sandbox:
        """The same, said in the control contract's own words."""
        return Sandbox(self, self.wire.call("run.start", order), order)

    def lineages(self) -> List[LineageInfo]:
        """Jobs, agents and secrets with runs that live, or that are paused."""
        return self.wire.call("lineage.list", {})

    def pause(self, lineage: str) -> LineageReached:
        """Freezes every run of it (``job:NAME``, ``agent:NAME``), and lets none begin until it is resumed."""
        return self.wire.call("lineage.pause", {"lineage": lineage})

    def resume(self, lineage: str) -> LineageReached:
        return self.wire.call("lineage.resume", {"lineage": lineage})

    def kill(self, lineage: str) -> LineageReached:
        """Ends every run of it; it stays paused."""
        return self.wire.call("lineage.kill", {"lineage": lineage})

    def snapshots(self) -> List[SnapshotInfo]:
        return self.wire.call("snapshot.list", {})

    def remove_snapshot(self, snapshot: str) -> None:
        self.wire.call("snapshot.remove", {"snapshot": snapshot})

    def sandbox(self, run: str) -> Sandbox:
        """One that there is."""
        return Sandbox(self, self.wire.call("run.show", {"run": run}))

    def runs(self, *, all: bool = False) -> List[RunInfo]:
        return self.wire.call("run.list", {"all": all})

    def _order(
        self,
        task: Optional[Place],
        source: Optional[str],
        profile: Optional[str],
        workspace: Place,
        env: Optional[Mapping[str, str]],
    ) -> RunStart:
        if sum(one is not None for one in (task, source, profile)) > 1:
            raise CofferdamError(
                "client.task", "task, source and profile exclude each other", "give one of them"
            )
        folder = str(Path(workspace).resolve())
        order: RunStart = {
            "task": {"source": source or "", "fileName": str(Path(folder) / "task.yaml")},
            "command": [],
            "cwd": folder,
            "path": os.environ.get("PATH", ""),
            "environment": dict(env or {}),
            "detach": True,
        }
        if task is not None:
            file = Path(task).resolve()
            order["task"] = {"source": file.read_text("utf-8"), "fileName": str(file)}
        elif source is None:
            name = profile or "shell"
            text, file_name = read_profile(name, self.program)
            order["task"] = {"source": text, "fileName": file_name}
            order["profile"] = name
        return order


def connect(
    home: Optional[Place] = None, *, start: bool = True, program: Optional[str] = None
) -> Cofferdam:
    """
    The daemon of ``home`` (else of ``COFFERDAM_HOME``, else of this user).

    :param start: start one where none answers, by the ``cofferdam`` command
    :param program: that command, where it is not on ``PATH``
    """
    wire = Wire(locate_home(home))
    try:
        wire.call("daemon.status", {})
    except Unreachable:
        if not start:
            raise
        start_daemon(wire.home, program)
    return Cofferdam(wire, program)
