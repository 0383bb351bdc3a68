"""Connections to the daemon's socket, and the JSON lines that come over one."""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path
from typing import Generic, Iterator, TypeVar, cast

from .errors import Unreachable

T = TypeVar("T")


class Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("control")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.sock.connect(str(self._path))
        except OSError:
            self.sock.close()
            raise


class Lines(Generic[T]):
    """JSON lines as they come. ``close`` ends them, also from another thread, and whatever the daemon does for them."""

    def __init__(self, response: http.client.HTTPResponse, connection: Connection, sock: socket.socket) -> None:
        self._response = response
        self._connection = connection
        self._socket = sock
        self._closed = False

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if self._closed:
            raise StopIteration
        try:
            line = self._response.readline()
        except (OSError, ValueError, AttributeError, http.client.HTTPException) as error:
            if self._closed:  # By another thread, while this one read.
                raise StopIteration from None
            self.close()
            raise Unreachable("client.broken", f"the daemon broke off: {error}") from error
        if line == b"":
            self.close()
            raise StopIteration
        return cast(T, json.loads(line))

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        shut(self._socket)
        self._connection.close()

    def __enter__(self) -> Lines[T]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


def shut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)  # Closing alone would leave a thread that reads.
    except OSError:
        pass
