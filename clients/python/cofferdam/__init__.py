"""
Cofferdam for trainers: sandboxes of AI agents, commands and files in them, what was noticed; and a gym-like surface.

>>> import cofferdam
>>> host = cofferdam.connect()
>>> with host.create(task="rollout.yaml") as box:
...     box.exec(["pytest", "-q"], step=("t-1", "e-1", 3)).code

What is asked for is done by the daemon of this machine; only Python's standard library is used here.
"""

from .client import Cofferdam, connect
from .commands import Command, Done, Ended, Output
from .contract import Entry, ExecInfo, FileInfo, RunInfo, SnapshotInfo, Step
from .errors import CofferdamError, CommandFailed, Unreachable
from .gym import Env, Info, Observation, Spec, make
from .sandbox import Files, Sandbox

__all__ = [
    "Cofferdam",
    "CofferdamError",
    "Command",
    "CommandFailed",
    "Done",
    "Ended",
    "Entry",
    "Env",
    "ExecInfo",
    "FileInfo",
    "Files",
    "Info",
    "Observation",
    "Output",
    "RunInfo",
    "Sandbox",
    "SnapshotInfo",
    "Spec",
    "Step",
    "Unreachable",
    "connect",
    "make",
]
