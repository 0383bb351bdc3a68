"""HTTP over the daemon's Unix socket: a connection for each question, so that threads share nothing."""

from __future__ import annotations

import http.client
import io
import json
import socket
from pathlib import Path
from typing import Any, Iterable, Iterator, Union
from urllib.parse import quote

from .contract import Contract, FileAt, FileWrite
from .errors import CofferdamError, Unreachable
from .home import require_own
from .lines import Connection, Lines, shut

CHUNK_BYTES = 1 << 16
_REFUSAL_BYTES_MAX = 1 << 20


class Download(io.RawIOBase):
    """A file's bytes, as they are read in the run. Closing it ends that."""

    def __init__(self, response: http.client.HTTPResponse, connection: Connection, sock: socket.socket) -> None:
        self._response = response
        self._connection = connection
        self._socket = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            return self._response.readinto(buffer)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise Unreachable("client.broken", f"the file broke off: {error}") from error

    def close(self) -> None:
        if not self.closed:
            shut(self._socket)
            self._connection.close()
        super().close()


class Wire(Contract):
    """Asks one daemon; see :class:`Contract` for what."""

    def __init__(self, home: Path) -> None:
        require_own(home)  # Before a word is said.
        self.home = home
        self._path = home / "daemon.sock"

    def download(self, takes: FileAt) -> Download:
        return Download(*self._ask("file.read", takes))

    def upload(self, takes: FileWrite, content: Union[bytes, Iterable[bytes], io.IOBase]) -> int:
        connection = Connection(self._path)
        path = f"/v1/file.write?request={quote(json.dumps(takes))}"
        headers = {"content-type": "application/octet-stream", "transfer-encoding": "chunked"}
        try:
            try:
                connection.request("POST", path, _pieces(content), headers, encode_chunked=True)
            except (BrokenPipeError, ConnectionResetError):
                pass  # A refusal came while there was more to send: it says why.
            response = _answer(connection)
            return int(json.loads(response.read())["bytes"])
        except (OSError, http.client.HTTPException) as error:
            raise _unreachable(error) from error
        finally:
            connection.close()

    def _call(self, name: str, takes: Any) -> Any:
        response, connection, _ = self._ask(name, takes)
        try:
            return json.loads(response.read())
        except (OSError, http.client.HTTPException) as error:
            raise _unreachable(error) from error
        finally:
            connection.close()

    def _stream(self, name: str, takes: Any) -> Lines[Any]:
        return Lines(*self._ask(name, takes))

    def _ask(self, name: str, takes: Any) -> tuple[http.client.HTTPResponse, Connection, socket.socket]:
        connection = Connection(self._path)
        try:
            body = json.dumps(takes).encode()
            try:
                connection.request("POST", f"/v1/{name}", body, {"content-type": "application/json"})
            except (BrokenPipeError, ConnectionResetError):
                pass  # A refusal came while there was more to send: it says why.
            sock = connection.sock
            return _answer(connection), connection, sock
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise _unreachable(error) from error
        except BaseException:
            connection.close()
            raise


def _answer(connection: Connection) -> http.client.HTTPResponse:
    response = connection.getresponse()
    if response.status == 200:
        return response
    said = response.read(_REFUSAL_BYTES_MAX)
    try:
        fault = json.loads(said)
        raise CofferdamError(fault["code"], fault["message"], fault.get("hint"))
    except (ValueError, KeyError, TypeError):
        raise CofferdamError("client.answer", f"the daemon answered {said[:200]!r}", "is it of another version?") from None


def _pieces(content: Union[bytes, Iterable[bytes], io.IOBase]) -> Iterator[bytes]:
    """In pieces of a size: a stream iterated over would give lines."""
    if isinstance(content, (bytes, bytearray, memoryview)):
        view = memoryview(content)
        for at in range(0, len(view), CHUNK_BYTES):
            yield bytes(view[at : at + CHUNK_BYTES])
    elif hasattr(content, "read"):
        while True:
            piece = content.read(CHUNK_BYTES)
            if not piece:
                return
            yield piece
    else:
        yield from content


def _unreachable(error: Exception) -> Unreachable:
    return Unreachable(
        "cli.unreachable",
        f"no daemon answers: {error}",
        "it starts with `cofferdam run` or `cofferdam serve`",
    )
