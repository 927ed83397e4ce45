"""A headless Chromium, asked over its DevTools protocol."""

import asyncio
import operator
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tenacity import AsyncRetrying, retry_if_result, stop_after_delay, wait_fixed

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass
class Tab:
    """`problems` are errors of scripts and what a page's policy has blocked."""

    _socket: aiohttp.ClientWebSocketResponse
    _session: str
    problems: list[str] = field(default_factory=list)
    _number: int = 0

    async def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        body = {"id": self._number, "method": method, "params": parameters, "sessionId": self._session}
        await self._socket.send_json(body)
        while True:
            answer = await self._socket.receive_json(timeout=30)
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return dict(answer["result"])
            self._note(answer)

    async def tell(self, script: str) -> Any:
        """The value of an expression in the page."""
        found = await self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def until(self, script: str, seconds: float = 30) -> Any:
        """The first value that is true."""
        every = AsyncRetrying(
            retry=retry_if_result(operator.not_), wait=wait_fixed(0.1), stop=stop_after_delay(seconds), reraise=True
        )
        return await every(self.tell, script)

    async def goto(self, url: str) -> None:
        await self.ask("Page.navigate", url=url)
        await self.until(f"location.href === '{url}' && document.readyState === 'complete'")

    def _note(self, event: dict[str, Any]) -> None:
        if event.get("method") == "Runtime.exceptionThrown":
            self.problems.append(str(event["params"]["exceptionDetails"]))
        entry = event.get("params", {}).get("entry", {})
        if event.get("method") == "Log.entryAdded" and entry.get("source") in ("security", "violation"):
            self.problems.append(str(entry["text"]))


@asynccontextmanager
async def tab(folder: Path) -> AsyncIterator[Tab]:
    """An empty one, in a browser of its own that keeps what it must in `folder`."""
    options = ("--headless=new", "--remote-debugging-port=0", f"--user-data-dir={folder}", "--no-first-run")
    as_root = ("--no-sandbox",) if os.getuid() == 0 else ()
    process = await asyncio.create_subprocess_exec(
        _program(), *options, *as_root, "about:blank", stderr=asyncio.subprocess.PIPE, limit=2**20
    )
    try:
        async with asyncio.timeout(60):
            url = await _listening(process)
        async with aiohttp.ClientSession() as client, client.ws_connect(url, max_msg_size=0) as socket:
            made = await Tab(socket, "").ask("Target.createTarget", url="about:blank")
            session = await Tab(socket, "").ask("Target.attachToTarget", targetId=made["targetId"], flatten=True)
            found = Tab(socket, session["sessionId"])
            for domain in ("Page", "Runtime", "Log"):
                await found.ask(f"{domain}.enable")
            yield found
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _program() -> str:
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        pytest.fail("no Chromium is installed: install one, or name its program in CHROMIUM", pytrace=False)
    return found


async def _listening(process: asyncio.subprocess.Process) -> str:
    assert process.stderr
    async for line in process.stderr:
        _, found, url = line.decode().partition("DevTools listening on ")
        if found:
            return url.strip()
    raise AssertionError(f"the browser ended with {await process.wait()} before it listened")
