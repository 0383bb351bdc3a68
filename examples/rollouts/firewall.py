"""
The firewall outside: listens at the places that it cries at, and says each connection as netfilter's LOG target does.

Takes `[[alarm, address, greeting], ...]` as its argument; prints JSON lines: the ports, then lines of its log and bytes
that came. `accept` has the other end's address from the SYN, also where the connection is torn already.
"""

import json
import socket
import sys
import threading
from datetime import datetime, timezone

REFUSAL = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n"


def say(**what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def talk(connection: socket.socket, alarm: str, greeting: str) -> None:
    with connection:
        try:
            connection.sendall(greeting.encode())
            while data := connection.recv(65536):
                say(alarm=alarm, bytes=len(data))
                if not greeting:
                    connection.sendall(REFUSAL)
                    return
        except OSError:
            pass  # Torn by the other side.


def watch(server: socket.socket, alarm: str, greeting: str) -> None:
    target, port = server.getsockname()
    while True:
        connection, (source, source_port) = server.accept()
        at = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        say(
            line=f"{at} gateway kernel: {alarm} IN=lan0 OUT=wan0 SRC={source} DST={target} LEN=60 TTL=63 DF"
            f" PROTO=TCP SPT={source_port} DPT={port} WINDOW=65495 RES=0x00 SYN URGP=0"
        )
        threading.Thread(target=talk, args=(connection, alarm, greeting), daemon=True).start()


servers = []
for alarm, address, greeting in json.loads(sys.argv[1]):
    servers.append((socket.create_server((address, 0)), alarm, greeting))
say(ports=[server.getsockname()[1] for server, *_ in servers])
for server in servers:
    threading.Thread(target=watch, args=server, daemon=True).start()
sys.stdin.read()  # Until whoever started it goes.
