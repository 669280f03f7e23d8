"""A TCP proxy that loses requests or answers on purpose."""

from __future__ import annotations

import select
import socket
import threading
from enum import Enum

__all__ = ["Lossy", "LossyProxy"]

_RECV_BYTES = 1 << 16
_LOOK_EVERY_S = 0.05


class Lossy(Enum):
    """What becomes of a request that holds `LossyProxy.marker`."""

    PASS = "is passed on, and its answer back"
    CUT_REQUEST = "is passed on in half, then both sides are cut off"
    CUT_ANSWER = "is passed on, its answer is not"
    BAD_GATEWAY = "is answered with 502"


class LossyProxy:
    """Passes on what comes to ``target``, a port; with `mode` set, loses one request with the
    marker in it and is in mode PASS again."""

    def __init__(self, target: int, marker: bytes, *, port: int = 0) -> None:
        self.mode = Lossy.PASS
        self._marker = marker
        self._target = target
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        """End every connection, take no more."""
        if not self._ended.is_set():
            self._ended.set()
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            thread = threading.Thread(target=self._serve, args=(client,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._target)) as server:
            lost = False
            while not self._ended.is_set():
                ready, _, _ = select.select([client, server], [], [], _LOOK_EVERY_S)
                for source in ready:
                    data = source.recv(_RECV_BYTES)
                    if not data or (lost and source is server):
                        return
                    if source is server:
                        client.sendall(data)
                    elif self.mode is Lossy.PASS or self._marker not in data:
                        server.sendall(data)
                    elif self._lose(data, client, server):
                        return
                    else:
                        lost = True

    def _lose(self, data: bytes, client: socket.socket, server: socket.socket) -> bool:
        """Whether that was all."""
        mode, self.mode = self.mode, Lossy.PASS
        if mode is Lossy.BAD_GATEWAY:
            client.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\naway")
            return True
        server.sendall(data if mode is Lossy.CUT_ANSWER else data[: len(data) // 2])
        return mode is Lossy.CUT_REQUEST
