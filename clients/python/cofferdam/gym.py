"""
The gym-like surface for trainers: :func:`make`, then ``reset``, ``step`` and ``close``, in Gymnasium's order.

An action is a command, an observation what came of it, a reward what the trainer's own function says. Trajectory,
episode and step are counted here and travel with every command, so that the record says of each event whose doing it
was. Step 0 of an episode is its setup; the first action is step 1.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import (
    Any,
    Callable,
    Generic,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    TypedDict,
    TypeVar,
    overload,
)

from .client import Cofferdam, Place, connect
from .commands import Done
from .contract import Entry, RunState
from .errors import CofferdamError
from .sandbox import Argv, Sandbox

Obs = TypeVar("Obs")


class Info(TypedDict):
    """What a trainer is told beside the observation."""

    run: str
    trajectory: str
    episode: str
    step: int
    seed: Optional[int]
    state: RunState
    exec: Optional[str]
    """The command's id; of ``reset`` none, and of a command whose run had ended before it."""
    entry: Optional[int]
    """The command's number on the record."""
    findings: List[Entry]
    """What was noticed since the step before; of ``reset``, what showed behind the last step of the episode before."""


@dataclass(frozen=True)
class Observation:
    """What a command left, where the trainer makes nothing else of it."""

    stdout: str
    stderr: str
    code: Optional[int]


def plain_observation(env: "Env[Observation]", done: Optional[Done]) -> Observation:
    if done is None:
        return Observation("", "", None)
    return Observation(done.text, done.stderr.decode("utf-8", "replace"), done.code)


class Env(Generic[Obs]):
    """One trajectory's world; made by :func:`make`. Not for several threads at once: each has its own."""

    def __init__(
        self,
        host: Cofferdam,
        spec: Spec,
        *,
        reward: Callable[["Env[Obs]", Done], float],
        observe: Callable[["Env[Obs]", Optional[Done]], Obs],
        is_over: Optional[Callable[["Env[Obs]", Done], bool]],
        trajectory: str,
        snapshot: Optional[str],
    ) -> None:
        self.host = host
        self.spec = spec
        self.trajectory = trajectory
        self.episode = 0
        self.count = 0
        self.snapshot = snapshot
        """The state behind setup, from which each episode begins; another Env may be made of it."""
        self.findings: List[Entry] = []
        """Of this episode; those that came behind its last step are here when it is closed."""
        self._observe = observe
        self._reward = reward
        self._is_over = is_over
        self._sandbox: Optional[Sandbox] = None
        self._seed: Optional[int] = None
        self._ended = True
        self._seen = 0
        self._known = 0

    @property
    def sandbox(self) -> Sandbox:
        """The run of the episode that is under way: for files, or a reward that has to look."""
        if self._sandbox is None:
            raise RuntimeError("call reset() first")
        return self._sandbox

    def reset(self, *, seed: Optional[int] = None) -> Tuple[Obs, Info]:
        """
        A fresh run, in the state behind setup. ``seed`` is the commands' ``COFFERDAM_SEED``; what they make of it is
        theirs. Gives an observation and what is to be told of it.
        """
        late = self._finish()
        self.episode += 1
        self.count = 0
        self._seed = seed
        self._known = 0
        self.findings = []
        sandbox = self._create()
        self._sandbox = sandbox
        self._seen = sandbox.first
        self._stamp(sandbox)
        if self.snapshot is None and self.spec.setup:
            for argv in self.spec.setup:
                sandbox.exec(argv, label="setup", timeout=self.spec.timeout, check=True)
            self.snapshot = sandbox.snapshot()
        self._ended = False
        return self._observe(self, None), self._info(None, late)

    def step(self, action: Argv) -> Tuple[Obs, float, bool, bool, Info]:
        """
        Runs a command. Gives observation, reward, terminated (the task is over: as ``is_over`` says, or since the run
        ended), truncated (steps are up, the command's time was, or something was noticed), and what is to be told.
        """
        if self._ended:
            raise RuntimeError("the episode is over: call reset()")
        self.count += 1
        sandbox = self.sandbox
        self._stamp(sandbox)
        try:
            done = sandbox.exec(action, env=self._environment(), timeout=self.spec.timeout)
        except CofferdamError as error:
            if error.code != "daemon.state" or sandbox.info()["state"] != "ended":
                raise
            done = Done(None, None, "run", error.message, exec="", entry=-1, stdout=b"", stderr=b"", truncated=False)
        info = self._info(done, [])
        terminated = done.reason == "run" or info["state"] == "ended"
        if not terminated and self._is_over is not None:
            terminated = self._is_over(self, done)
        truncated = done.reason == "timeout" or (
            self.spec.max_steps is not None and self.count >= self.spec.max_steps
        )
        if self.spec.ends_on_finding and self.findings:
            truncated = True
        self._ended = terminated or truncated
        return self._observe(self, done), self._reward(self, done), terminated, truncated, info

    def close(self) -> None:
        """
        Ends the run of the episode, and throws away what it changed. Its record stays. ``findings`` then has also what
        was noticed behind the last step: some things show only when they end.
        """
        self._finish()

    def _finish(self) -> List[Entry]:
        """What came behind the last step. Asked for in any case: what was merged shows in no count."""
        sandbox, self._sandbox = self._sandbox, None
        self._ended = True
        if sandbox is None:
            return []
        try:
            sandbox.kill()
            return self._notice(sandbox)
        finally:
            sandbox.discard()

    def __enter__(self) -> "Env[Obs]":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _create(self) -> Sandbox:
        spec = self.spec
        return self.host.create(
            task=spec.task,
            source=spec.source,
            profile=spec.profile,
            workspace=spec.workspace,
            env=spec.env,
            job=spec.job,
            agent=spec.agent,
            snapshot=self.snapshot,
        )

    def _environment(self) -> Mapping[str, str]:
        return {} if self._seed is None else {"COFFERDAM_SEED": str(self._seed)}

    def _stamp(self, sandbox: Sandbox) -> None:
        sandbox.step = (self.trajectory, f"e-{self.episode}", self.count)

    def _notice(self, sandbox: Sandbox) -> List[Entry]:
        """What was noticed since it was last asked."""
        new = sandbox.findings(since=self._seen)
        if new:
            self._seen = new[-1]["seq"] + 1
        self.findings.extend(new)
        return new

    def _info(self, done: Optional[Done], late: List[Entry]) -> Info:
        about = self.sandbox.info()
        new = late
        if about["counts"]["findings"] != self._known:
            self._known = about["counts"]["findings"]
            new = new + self._notice(self.sandbox)
        return {
            "run": self.sandbox.run,
            "trajectory": self.trajectory,
            "episode": f"e-{self.episode}",
            "step": self.count,
            "seed": self._seed,
            "state": about["state"],
            "exec": None if done is None or done.exec == "" else done.exec,
            "entry": None if done is None or done.entry < 0 else done.entry,
            "findings": new,
        }


@dataclass(frozen=True)
class Spec:
    """
    What an Env is made of. Which run, as of :meth:`Cofferdam.create`: ``task`` to ``agent``. And:

    ``setup``: commands that make the first state; it is kept, and each episode begins with it. ``max_steps`` of an
    episode, then it is truncated. ``timeout``: seconds for each command, then it is ended and the episode truncated.
    ``ends_on_finding``: an episode in which something was noticed is truncated.
    """

    task: Optional[Place] = None
    source: Optional[str] = None
    profile: Optional[str] = None
    workspace: Place = "."
    env: Mapping[str, str] = field(default_factory=dict)
    job: Optional[str] = None
    agent: Optional[str] = None
    setup: Sequence[Argv] = ()
    max_steps: Optional[int] = None
    timeout: Optional[float] = None
    ends_on_finding: bool = False


@overload
def make(
    spec: Spec,
    *,
    reward: Callable[[Env[Observation], Done], float],
    is_over: Optional[Callable[[Env[Observation], Done], bool]] = None,
    trajectory: Optional[str] = None,
    snapshot: Optional[str] = None,
    host: Optional[Cofferdam] = None,
) -> Env[Observation]: ...


@overload
def make(
    spec: Spec,
    *,
    reward: Callable[[Env[Obs], Done], float],
    observe: Callable[[Env[Obs], Optional[Done]], Obs],
    is_over: Optional[Callable[[Env[Obs], Done], bool]] = None,
    trajectory: Optional[str] = None,
    snapshot: Optional[str] = None,
    host: Optional[Cofferdam] = None,
) -> Env[Obs]: ...


def make(
    spec: Spec,
    *,
    reward: Callable[[Env[Any], Done], float],
    observe: Callable[[Env[Any], Optional[Done]], Any] = plain_observation,
    is_over: Optional[Callable[[Env[Any], Done], bool]] = None,
    trajectory: Optional[str] = None,
    snapshot: Optional[str] = None,
    host: Optional[Cofferdam] = None,
) -> Env[Any]:
    """
    Makes an Env; nothing runs before its first ``reset``.

    :param reward: the trainer's own function of the Env and the command that ended
    :param observe: makes observations; it gets None for the command of a ``reset``
    :param is_over: whether the task is over (``terminated``)
    :param trajectory: its name on the record; one is made up where it is not said
    :param snapshot: of an Env of the same spec (``env.snapshot``): its setup is not run again
    """
    return Env(
        connect() if host is None else host,
        spec,
        reward=reward,
        observe=observe,
        is_over=is_over,
        trajectory=trajectory or f"t-{secrets.token_hex(6)}",
        snapshot=snapshot,
    )
