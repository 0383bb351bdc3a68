"""Where the daemon is, and starting one where none answers."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Optional, Union

from .errors import CofferdamError, Unreachable

_START_SECONDS_MAX = 600.0
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def locate_home(home: Optional[Union[str, "os.PathLike[str]"]] = None) -> Path:
    """The folder of an installation's state: ``home``, else ``COFFERDAM_HOME``, else the XDG state folder."""
    if home is None:
        home = os.environ.get("COFFERDAM_HOME")
    if home is None:
        state = os.environ.get("XDG_STATE_HOME")
        home = Path(state) / "cofferdam" if state else Path.home() / ".local/state/cofferdam"
    path = Path(home)
    if not path.is_absolute():
        raise CofferdamError(
            "api.home",
            f"no state folder: {str(path)!r} is not an absolute path",
            "set COFFERDAM_HOME to an absolute path",
        )
    return path


def require_own(home: Path) -> None:
    """Whoever else may write to the folder can put a socket there, and would hear what is said to it."""
    try:
        about = home.stat()
    except FileNotFoundError:
        return
    user = os.geteuid()
    if about.st_uid != user and user != 0:
        raise CofferdamError(
            "base.folder",
            f"{home} belongs to user {about.st_uid}, and not to {user}",
            "set COFFERDAM_HOME to a folder of your own",
        )
    if about.st_mode & _OTHERS_MAY_WRITE:
        raise CofferdamError(
            "base.folder",
            f"{home} can be written by other users",
            f"chmod go-w '{home}', if nobody has used that yet; else take another COFFERDAM_HOME",
        )


def find_program(program: Optional[str] = None) -> Path:
    """The ``cofferdam`` command: ``program``, else the one on ``PATH``."""
    found = shutil.which(program or "cofferdam")
    if found is None:
        raise CofferdamError(
            "client.program",
            f"no program {program or 'cofferdam'!r} on PATH",
            "install Cofferdam, or say where its command is: connect(program=...)",
        )
    return Path(found).resolve()


def start_daemon(home: Path, program: Optional[str]) -> None:
    """Has the command line start a daemon, which it does for whatever needs one, and waits until it answers."""
    command = [str(find_program(program)), "ps"]
    environment = {**os.environ, "COFFERDAM_HOME": str(home)}
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=_START_SECONDS_MAX,
        check=False,
    )
    if done.returncode != 0:
        raise Unreachable("cli.daemon", done.stderr.decode("utf-8", "replace").strip())


def read_profile(name: str, program: Optional[str]) -> tuple[str, str]:
    """Text and place of a ready task file; they lie beside the command."""
    folder = find_program(program).parent.parent / "profiles"
    file = folder / f"{name}.yaml"
    names = sorted(one.stem for one in folder.glob("*.yaml"))
    if name not in names:
        raise CofferdamError("cli.profile", f"no profile {name!r}", f"there are {', '.join(names)}")
    return file.read_text("utf-8"), str(file)
