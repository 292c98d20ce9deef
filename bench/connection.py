"""A keep-alive HTTP/1.1 connection with as little overhead as possible: the client shares its cores with the server."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body of one answer."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


class Connection:
    """One connection to a server on loopback; requests one after the other."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def open(self) -> Connection:
        """Connects."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def close(self) -> None:
        """Hangs up."""
        if self._writer is not None:
            self._writer.close()
            await self._writer.wait_closed()

    async def post(self, path: str, body: object) -> Answer:
        """Sends JSON."""
        content = json.dumps(body, separators=(",", ":")).encode()
        fields = f"content-type: application/json\r\ncontent-length: {len(content)}\r\n"
        return await self._send(f"POST {path}", fields, content)

    async def get(self, path: str, token: str | None = None) -> Answer:
        """Asks, with a bearer token if there is one."""
        return await self._send(f"GET {path}", f"authorization: Bearer {token}\r\n" if token else "", b"")

    async def _send(self, line: str, fields: str, content: bytes) -> Answer:
        if self._reader is None or self._writer is None:
            raise RuntimeError("not connected")
        head = f"{line} HTTP/1.1\r\nhost: localhost:{self._port}\r\nuser-agent: authctl-bench\r\n{fields}\r\n"
        self._writer.write(head.encode() + content)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        status = int(answer[9:12])
        length = next(
            (int(line[15:]) for line in answer.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        return Answer(status, await self._reader.readexactly(length) if length else b"")
