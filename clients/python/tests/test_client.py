"""The Python client against a real daemon; `test/python.test.ts` starts one and runs this."""

from __future__ import annotations

import io
import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Iterator, Optional

import cofferdam
from cofferdam import CofferdamError, CommandFailed, Done, Env, Observation, Sandbox, Spec, Unreachable

PROGRAM = os.environ["COFFERDAM_PROGRAM"]
WORKSPACE = os.environ["COFFERDAM_WORKSPACE"]
NOTICED = "bash -c 'echo > /dev/tcp/10.0.0.5/22'"
SECONDS_MAX = 60.0


def eventually(what: str, probe: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not probe():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {SECONDS_MAX} s: {what}")
        time.sleep(0.05)


class WithHost(unittest.TestCase):
    host: cofferdam.Cofferdam

    @classmethod
    def setUpClass(cls) -> None:
        cls.host = cofferdam.connect(program=PROGRAM)

    def create(self) -> Sandbox:
        box = self.host.create(workspace=WORKSPACE)
        self.addCleanup(box.kill)
        return box


class Commands(WithHost):
    def test_output_status_place_and_step_of_a_command(self) -> None:
        box = self.create()
        done = box.exec(
            ["sh", "-c", 'cat; pwd; echo "$X" >&2; exit 7'],
            step=("t-1", "e-1", 3),
            label="look",
            cwd="/tmp",
            env={"X": "y"},
            stdin=b"in\n",
        )
        self.assertEqual((done.stdout, done.stderr, done.code), (b"in\n/tmp\n", b"y\n", 7))
        self.assertFalse(done.ok)
        (entry,) = [one for one in box.events(types=["exec"]) if one["seq"] == done.entry]
        self.assertEqual(entry["data"]["exec"], done.exec)
        self.assertEqual(entry["data"]["label"], "look")
        self.assertEqual(entry["data"]["step"], {"trajectory": "t-1", "episode": "e-1", "step": 3})
        self.assertEqual(box.exec("kill -TERM $$").signal, "SIGTERM")
        self.assertEqual(box.exec(["no-such-command"]).reason, "not-started")
        late = box.exec("sleep 1000", timeout=0.2)
        self.assertEqual((late.reason, late.signal), ("timeout", "SIGKILL"))

    def test_output_comes_as_it_is_written_and_input_goes_in_between(self) -> None:
        with self.create().start("echo ready; read x; echo got $x; exit 2", interactive=True) as command:
            self.assertEqual(next(command), cofferdam.Output("stdout", b"ready\n"))
            command.input(b"it\n", end=True)
            self.assertEqual(b"".join(piece.data for piece in command), b"got it\n")
            self.assertEqual(command.wait().code, 2)
        with self.create().start("trap 'exit 4' INT; echo up; sleep 1000 & wait") as command:
            next(command)
            command.signal("SIGINT")
            self.assertEqual(command.wait().code, 4)
        with self.create().start("tty; stty size", terminal=(91, 17)) as command:
            self.assertRegex(command.collect().text, r"^/dev/pts/\d+\r\n17 91\r\n$")

    def test_a_command_is_ended_by_closing_by_cancelling_and_by_the_death_of_its_caller(self) -> None:
        box = self.create()
        with box.start("echo up; (setsid sleep 1000 &) ; sleep 1000") as command:
            next(command)
        eventually("its end", lambda: box.commands() == [])
        with box.start("echo up; sleep 1000") as command:
            next(command)
            command.cancel()
            self.assertEqual(command.wait().reason, "cancelled")
        caller = subprocess.Popen(
            [
                *(sys.executable, "-c"),
                "import cofferdam, sys\n"
                f"box = cofferdam.connect().sandbox({box.run!r})\n"
                "command = box.start('echo up; sleep 1000')\n"
                "next(command); print('up', flush=True); command.wait()",
            ],
            stdout=subprocess.PIPE,
        )
        assert caller.stdout is not None
        self.assertEqual(caller.stdout.readline(), b"up\n")
        caller.send_signal(signal.SIGKILL)
        caller.wait()
        caller.stdout.close()
        eventually("its end", lambda: box.commands() == [])
        reasons = [one["data"]["reason"] for one in box.events(types=["exec.end"])]
        self.assertEqual(reasons, ["cancelled"] * 3)
        self.assertEqual(box.exec("cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c 'sleep 100[0]'").text, "0\n")

    def test_failures_say_what_and_why(self) -> None:
        box = self.create()
        with self.assertRaises(CommandFailed) as failed:
            box.exec("echo why >&2; exit 3", check=True)
        self.assertEqual((failed.exception.code, failed.exception.done.code), ("client.command", 3))
        self.assertIn("why", str(failed.exception))
        self.assertEqual(pickle.loads(pickle.dumps(failed.exception)).done, failed.exception.done)
        with self.assertRaises(CofferdamError) as refused:  # Said before all of it was sent.
            box.exec("wc -c", stdin=b"x" * 9_000_000)
        self.assertEqual(refused.exception.code, "daemon.request")
        with self.assertRaises(CofferdamError) as refused:
            box.files.read("relative")
        self.assertEqual(refused.exception.code, "daemon.request")
        with self.assertRaises(CofferdamError) as missing:
            self.host.sandbox("r-0")
        self.assertEqual(missing.exception.code, "daemon.no_such_run")
        self.assertEqual(pickle.loads(pickle.dumps(missing.exception)).code, "daemon.no_such_run")
        with self.assertRaises(CofferdamError) as many:
            self.host.create(source="task: x", profile="shell")
        self.assertEqual(many.exception.code, "client.task")
        with self.assertRaises(CofferdamError) as unknown:
            self.host.create(profile="no-such-profile", workspace=WORKSPACE)
        self.assertEqual(unknown.exception.code, "cli.profile")
        self.assertIn("shell", unknown.exception.hint or "")

    def test_of_much_output_the_first_is_kept_and_it_says_so(self) -> None:
        pieces = []
        done = self.create().exec(
            "head -c 3000000 /dev/zero", output_max=1_000_000, on_output=lambda one: pieces.append(len(one.data))
        )
        self.assertEqual((len(done.stdout), done.truncated, sum(pieces)), (1_000_000, True, 3_000_000))

    def test_many_threads_at_once(self) -> None:
        boxes = [self.create() for _ in range(2)]

        def ask(number: int) -> str:
            return boxes[number % 2].exec(f"echo {number}; cat", stdin=b"x" * 1000, env={"N": "1"}).text

        with ThreadPoolExecutor(6) as pool:
            said = list(pool.map(ask, range(24)))
        self.assertEqual(said, [f"{number}\n{'x' * 1000}" for number in range(24)])


class FilesOfARun(WithHost):
    def test_what_is_written_is_read_and_named(self) -> None:
        files = self.create().files
        self.assertEqual(files.write("/tmp/d/a", b"one", mode="751"), 3)
        self.assertEqual(files.write("/tmp/d/b", (b"t", b"wo")), 3)
        self.assertEqual(files.write("/tmp/d/c", io.BytesIO(b"three")), 5)
        self.assertEqual(files.stat("/tmp/d/a")["mode"], "751")
        files.move("/tmp/d/a", "/tmp/d/e")
        files.make_folder("/tmp/d/f/g")
        files.remove("/tmp/d/b")
        listed = {one["path"]: one["kind"] for one in files.list("/tmp/d", depth=2)}
        self.assertEqual(listed, {"c": "file", "e": "file", "f": "folder", "f/g": "folder"})
        self.assertEqual([files.read("/tmp/d/c"), files.read("/tmp/d/e")], [b"three", b"one"])
        with self.assertRaises(CofferdamError) as missing:
            files.read("/tmp/nothing")
        self.assertEqual(missing.exception.code, "daemon.file")

    def test_an_upload_that_breaks_off_leaves_what_was_there(self) -> None:
        box = self.create()
        box.files.write("/tmp/kept", b"before")

        def breaks() -> Iterator[bytes]:
            yield b"x" * 200_000
            raise ValueError("the caller's own failure")

        with self.assertRaises(ValueError):
            box.files.write("/tmp/kept", breaks())
        eventually("nothing is left", lambda: box.exec("ls -A /tmp | grep kept").text == "kept\n")
        self.assertEqual(box.files.read("/tmp/kept"), b"before")
        with self.assertRaises(CofferdamError) as refused:
            box.files.write("/proc/nothing/here", (b"x" * 65536 for _ in range(2000)))
        self.assertEqual(refused.exception.code, "daemon.file")

    def test_a_download_that_is_closed_is_ended_in_the_run(self) -> None:
        box = self.create()
        box.exec("head -c 50000000 /dev/zero > /tmp/large", check=True)
        with box.files.open("/tmp/large") as stream:
            self.assertEqual(len(stream.read(1000)), 1000)
        eventually("its end", lambda: box.commands() == [])

    def test_64_mebibytes_up_and_down_in_constant_memory(self) -> None:
        box = self.create()
        size = 64 << 20
        child = (
            "import cofferdam, os\n"
            "def peak():\n"
            "    return next(int(l.split()[1]) for l in open('/proc/self/status') if l.startswith('VmHWM'))\n"
            f"files = cofferdam.connect().sandbox({box.run!r}).files\n"
            "files.write('/tmp/warm', b'x'); files.read('/tmp/warm')\n"
            "before = peak()\n"
            f"sent = files.write('/tmp/large', (bytes(65536) for _ in range({size >> 16})))\n"
            "got = 0\n"
            "with files.open('/tmp/large') as stream:\n"
            "    while piece := stream.read(65536): got += len(piece)\n"
            "print(sent, got, peak() - before)\n"
        )
        said = subprocess.run([sys.executable, "-c", child], stdout=subprocess.PIPE, check=True)
        sent, got, grown = map(int, said.stdout.split())
        self.assertEqual((sent, got), (size, size))
        self.assertLess(grown, 8 << 10, "KiB of memory")


class Runs(WithHost):
    def test_pause_resume_kill_and_what_is_told(self) -> None:
        with self.create() as box:
            self.assertEqual(box.pause()["state"], "paused")
            self.assertEqual(box.resume()["state"], "running")
            self.assertIn(box.run, [one["run"] for one in self.host.runs()])
            box.exec("echo x > made")
        self.assertEqual(box.info()["state"], "ended")
        self.assertEqual(box.kill()["state"], "ended")
        self.assertEqual([one["path"] for one in box.diff()["changes"]], ["made"])
        box.discard()
        with self.assertRaises(CofferdamError):
            box.exec("true")

    def test_all_runs_of_a_job_are_paused_and_ended_as_one(self) -> None:
        boxes = [self.host.create(workspace=WORKSPACE, job="j-python", agent=f"a-{n}") for n in range(2)]
        apart = self.create()
        (found,) = [one for one in self.host.lineages() if one["lineage"] == "job:j-python"]
        self.assertEqual(set(found["runs"]), {box.run for box in boxes})
        self.assertEqual(self.host.pause("job:j-python")["runs"], 2)
        self.assertEqual([box.info()["state"] for box in (*boxes, apart)], ["paused", "paused", "running"])
        self.host.resume("job:j-python")
        self.assertEqual(self.host.kill("job:j-python")["runs"], 2)
        self.assertEqual([box.info()["state"] for box in (*boxes, apart)], ["ended", "ended", "running"])

    def test_a_fork_begins_with_the_files_and_goes_its_own_way(self) -> None:
        box = self.create()
        box.exec("echo first > state", check=True)
        with box.fork() as other:
            self.assertEqual(other.exec("cat state; echo second > state").text, "first\n")
            self.assertEqual(box.exec("cat state").text, "first\n")
        self.assertEqual(self.host.snapshots(), [])
        snapshot = box.snapshot()
        with self.host.create(workspace=WORKSPACE, snapshot=snapshot) as third:
            self.assertEqual(third.exec("cat state").text, "first\n")
        self.host.remove_snapshot(snapshot)
        with self.assertRaises(CofferdamError) as unknown:
            self.host.sandbox(box.run).fork()
        self.assertEqual(unknown.exception.code, "client.fork")

    def test_events_as_they_come_until_another_thread_closes_them(self) -> None:
        box = self.create()
        events = box.events(follow=True, types=["exec", "exec.end"])
        seen: list[str] = []
        reader = threading.Thread(target=lambda: seen.extend(one["type"] for one in events))
        reader.start()
        box.exec("true")
        eventually("both", lambda: len(seen) == 2)
        events.close()
        reader.join(SECONDS_MAX)
        self.assertFalse(reader.is_alive())
        self.assertEqual(seen, ["exec", "exec.end"])

    def test_findings_with_their_step_and_a_proven_report(self) -> None:
        box = self.create()
        box.exec("echo nothing", step=("t", "e", 1))
        self.assertEqual(box.findings(), [])
        box.exec(NOTICED, step=("t", "e", 2))
        found = box.findings()
        self.assertEqual({one["data"]["finding"] for one in found}, {"tunnel"})
        self.assertEqual({one["cause"]["step"]["step"] for one in found}, {2})
        self.assertIn(box.run, box.incident())
        self.assertIn("<html", box.incident("html"))


class Gym(WithHost):
    spec = Spec(workspace=WORKSPACE, setup=["echo 0 > count"], max_steps=3, timeout=50)

    def make(self, spec: Spec, **more: Optional[str]) -> Env[Observation]:
        def over(env: Env[Observation], done: Done) -> bool:
            return done.stdout == b"2\n"

        env = cofferdam.make(
            spec,
            reward=lambda env, done: 1.0 if done.stdout == b"2\n" else 0.0,
            is_over=over,
            host=self.host,
            snapshot=more.get("snapshot"),
            trajectory=more.get("trajectory"),
        )
        self.addCleanup(env.close)
        return env

    def test_order_of_what_is_given_and_how_episodes_end(self) -> None:
        env = self.make(self.spec, trajectory="t-gym")
        count = "n=$(($(cat count) + 1)); echo $n > count; echo $n"
        for episode in ("e-1", "e-2"):  # The second begins with the state behind setup again.
            observation, info = env.reset(seed=5)
            self.assertEqual((observation.stdout, info["episode"], info["step"]), ("", episode, 0))
            observation, reward, terminated, truncated, info = env.step(count)
            self.assertEqual((observation.stdout, reward, terminated, truncated), ("1\n", 0.0, False, False))
            observation, reward, terminated, truncated, info = env.step(count)
            self.assertEqual((observation.stdout, reward, terminated, truncated), ("2\n", 1.0, True, False))
            with self.assertRaises(RuntimeError):
                env.step("true")
            self.assertEqual(info["step"], 2)
        self.assertEqual(env.reset(seed=6)[1]["seed"], 6)
        self.assertEqual(env.step("echo $COFFERDAM_SEED")[0].stdout, "6\n")
        self.assertEqual(env.step(["false"])[0].code, 1)
        self.assertEqual(env.step("true")[2:4], (False, True))
        run = env.sandbox.run
        env.close()
        self.assertEqual(self.host.sandbox(run).info()["state"], "ended")
        other = self.make(self.spec, snapshot=env.snapshot)
        self.assertEqual(other.reset()[1]["findings"], [])
        self.assertEqual(other.step("cat count")[0].stdout, "0\n")
        assert env.snapshot is not None
        self.host.remove_snapshot(env.snapshot)

    def test_every_event_carries_the_step_that_it_follows_from(self) -> None:
        env = self.make(Spec(workspace=WORKSPACE, ends_on_finding=True), trajectory="t-steps")
        _, info = env.reset()
        for number in (1, 2):
            _, _, _, truncated, info = env.step(f"getent hosts step-{number}.example; true")
            self.assertEqual((truncated, info["findings"]), (False, []))
        # One that leaves something behind which acts later: it is of its own step.
        env.step("(sleep 0.5; curl -s -m 2 http://192.0.2.77:3001) & true")
        env.step("sleep 1")
        dialled = env.sandbox.events(follow=True, types=["denial"])
        late = next(one for one in dialled if "192.0.2.77" in one["target"])
        dialled.close()
        self.assertEqual(late["cause"]["step"]["step"], 3)
        _, _, terminated, truncated, info = env.step(NOTICED)
        self.assertEqual((terminated, truncated), (False, True))
        for one in info["findings"]:
            step = one["cause"]["step"]
            self.assertEqual((step["trajectory"], step["episode"], step["step"]), ("t-steps", "e-1", 5))
        box = env.sandbox
        steps = {one["target"]: one["cause"]["step"]["step"] for one in box.events(types=["dns"])}
        self.assertEqual(steps, {"step-1.example": 1, "step-2.example": 2})
        self.assertEqual(info["entry"], [one["seq"] for one in box.events(types=["exec"])][-1])

    def test_a_run_that_ends_between_steps_ends_the_episode(self) -> None:
        env = self.make(Spec(workspace=WORKSPACE), trajectory="t-killed")
        env.reset()
        env.sandbox.kill()
        observation, reward, terminated, truncated, info = env.step("true")
        self.assertEqual((observation.code, reward, terminated, truncated), (None, 0.0, True, False))
        self.assertEqual((info["state"], info["exec"], info["entry"]), ("ended", None, None))
        with self.assertRaises(RuntimeError):
            env.step("true")
        env.reset()
        env.sandbox.pause()
        with self.assertRaises(CofferdamError):  # It stands still, and may go on.
            env.step("true")

    def test_what_shows_behind_the_last_step_is_of_the_episode(self) -> None:
        env = self.make(Spec(workspace=WORKSPACE), trajectory="t-late")
        env.reset()
        env.sandbox.files.write("/tmp/late", f"until [ -e /tmp/go ]; do sleep 0.05; done; {NOTICED}".encode())
        env.step("sh /tmp/late >/dev/null 2>&1 &")
        env.sandbox.exec("touch /tmp/go")
        for _ in range(200):
            if env.sandbox.info()["counts"]["findings"] > 0:
                break
            time.sleep(0.1)
        self.assertEqual(env.findings, [])
        env.close()
        self.assertEqual([one["cause"]["step"]["step"] for one in env.findings[:1]], [1])


class Sockets(unittest.TestCase):
    """Without a daemon: what the client does with whom it finds."""

    def serve(self, mode: int, answer: bytes) -> tuple[Path, socket.socket]:
        folder = Path(tempfile.mkdtemp(prefix="cofferdam-python-"))
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.bind(str(folder / "daemon.sock"))
        server.listen()
        folder.chmod(mode)

        def respond() -> None:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                heard = b""
                while not heard.endswith(b"}"):
                    heard += connection.recv(65536)
                connection.sendall(answer)

        threading.Thread(target=respond, daemon=True).start()
        self.addCleanup(server.close)
        return folder, server

    def test_nothing_is_said_where_another_user_could_listen(self) -> None:
        for mode in (0o777, 0o720):
            folder, server = self.serve(mode, b"")
            with self.assertRaises(CofferdamError) as refused:
                cofferdam.connect(folder, start=False)
            self.assertEqual(refused.exception.code, "base.folder")
        folder, _ = self.serve(0o700, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        cofferdam.connect(folder, start=False)

    def test_nobody_answers_or_breaks_off(self) -> None:
        with tempfile.TemporaryDirectory() as empty:
            with self.assertRaises(Unreachable):
                cofferdam.connect(empty, start=False)
            with self.assertRaises(CofferdamError) as missing:
                cofferdam.connect(empty, program="no-such-cofferdam")
            self.assertEqual(missing.exception.code, "client.program")
        with self.assertRaises(CofferdamError) as relative:
            cofferdam.connect("relative")
        self.assertEqual(relative.exception.code, "api.home")
        begun = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"a":1}\n\r\n10\r\n{"a"'
        folder, _ = self.serve(0o700, begun)
        lines = cofferdam.Cofferdam(cofferdam.client.Wire(folder), None).wire.stream("log.read", {"follow": True})
        self.assertEqual(next(lines), {"a": 1})
        with self.assertRaises(Unreachable):
            next(lines)
        folder, _ = self.serve(0o700, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}")
        with self.assertRaises(Unreachable):
            cofferdam.connect(folder, start=False)
        folder, _ = self.serve(0o700, b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nhi")
        with self.assertRaises(CofferdamError) as other:
            cofferdam.connect(folder, start=False)
        self.assertEqual(other.exception.code, "client.answer")

    def test_only_the_standard_library_is_loaded(self) -> None:
        said = subprocess.run(
            [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(Path(cofferdam.__file__).parents[1])!r})\n"
             "import cofferdam\n"
             "print(*sorted({n.split('.')[0] for n in sys.modules} - set(sys.stdlib_module_names)))"],
            stdout=subprocess.PIPE,
            check=True,
        )
        self.assertEqual(set(said.stdout.decode().split()) - {"cofferdam", "__main__"}, set())


if __name__ == "__main__":
    unittest.main()
