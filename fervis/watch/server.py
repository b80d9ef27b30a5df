"""A server for one reader on this machine: the site as it is, and a word when it changes."""

from __future__ import annotations

import asyncio
import json
import mimetypes
import os
import re
import socket
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Literal

from tornado import httpserver, netutil, web, websocket

from fervis.errors import MachineError

ADDRESS = "127.0.0.1"
FIRST_PORT, PORTS = 8000, 20
OWN = "-"  # below it are the server's own files; a site has none there
SCRIPT, STYLE, SOCKET = f"/{OWN}/watch.js", f"/{OWN}/watch.css", f"/{OWN}/socket"
_POLICY = re.compile(
    rb"""(<meta http-equiv=["']?Content-Security-Policy["']? content=["'])""", re.I
)
_HEAD_END = re.compile(rb"</head\s*>", re.IGNORECASE)
_WAITING = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>fervis watch</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
</head><body><p>{words}</p></body></html>
"""


@dataclass(frozen=True)
class State:
    """What the browser is told. ``build`` counts the sites published; problems: (place, words)."""

    build: int
    phase: Literal["building", "done", "failed"]
    stage: str = ""
    done: int = 0
    total: int = 0
    problems: tuple[tuple[str, str], ...] = ()
    published: bool = False


class Live:
    """The state, and the browsers that want to hear of it."""

    def __init__(self) -> None:
        self.state = State(0, "building")
        self.listeners: set[_Socket] = set()

    def say(self, state: State) -> None:
        """Tells all browsers."""
        self.state = state
        for listener in tuple(self.listeners):
            listener.tell(state)


class Server:
    """Listens on 127.0.0.1; ``address`` is where the site is."""

    def __init__(self, site: Path, live: Live, port: int | None = None) -> None:
        self._sockets, self.port = _bound(port)
        self.address = f"http://{ADDRESS}:{self.port}/"
        self._live = live
        self._server = httpserver.HTTPServer(application(site, live, self.port))
        self._server.add_sockets(self._sockets)

    def stop(self) -> None:
        """Closes the port and all connections."""
        self._server.stop()
        for listener in tuple(self._live.listeners):
            listener.close()


def application(site: Path, live: Live, port: int) -> web.Application:
    """The server without its port."""
    common = {"port": port, "live": live}
    return web.Application(
        [
            (SOCKET, _Socket, common),
            (f"/{OWN}/(watch\\.(?:js|css))", _Own, common),
            (r"/(.*)", _Page, {**common, "site": site}),
        ],
        websocket_ping_interval=20,
        log_function=lambda _: None,
    )


class _Guarded(web.RequestHandler):
    """Answers only to who asked for this machine by name.

    A page elsewhere can have its own name point here (DNS rebinding) and would then read the
    site; its requests carry its name as Host.
    """

    def initialize(self, port: int, live: Live) -> None:
        self.live = live
        names = {ADDRESS, "localhost"}
        self.own_names = {f"{name}:{port}" for name in names} | (names if port == 80 else set())

    def prepare(self) -> None:
        if self.request.host.lower() not in self.own_names:
            raise web.HTTPError(403, reason="Forbidden: this server is for 127.0.0.1 alone")

    def set_default_headers(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        self.set_header("X-Frame-Options", "SAMEORIGIN")


class _Own(_Guarded):
    """The script that reloads and the style of what it shows."""

    def get(self, name: str) -> None:
        self.set_header("Content-Type", f"{mimetypes.guess_type(name)[0]}; charset=utf-8")
        self.finish((Path(__file__).parent / name).read_bytes())


class _Page(_Guarded):
    """Files of the site, pages with the script put in."""

    def initialize(self, port: int, live: Live, site: Path) -> None:  # type: ignore[override]
        super().initialize(port, live)
        self.site = site

    def get(self, path: str) -> None:
        file = inside(self.site, path)
        if file is not None and file.is_dir():
            if path and not path.endswith("/"):
                self.redirect(self.request.path.replace("//", "/") + "/")
                return
            file = inside(self.site, f"{path}index.html")
        if file is None or not file.is_file():
            self._missing(path)
            return
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        content = file.read_bytes()
        if kind == "text/html":
            content = with_script(content, self.live.state.build, self.request.host)
        text = kind.startswith("text/") or kind.endswith("javascript")
        self.set_header("Content-Type", f"{kind}; charset=utf-8" if text else kind)
        self._send(content)

    def head(self, path: str) -> None:
        self.get(path)

    def _missing(self, path: str) -> None:
        built = (self.site / "index.html").is_file()
        if path and not path.endswith((".html", "/")):
            raise web.HTTPError(404)
        words = f"There is no page {path}." if built else "The first build is under way."
        self.set_status(404 if built else 503)
        page = _WAITING.format(words=escape(words)).encode()
        self._send(with_script(page, self.live.state.build, self.request.host))

    def _send(self, content: bytes) -> None:
        self.set_header("Content-Length", str(len(content)))
        self.finish(None if self.request.method == "HEAD" else content)


class _Socket(_Guarded, websocket.WebSocketHandler):
    """Tells one browser; it has nothing to say itself. Its Origin is checked by tornado."""

    def open(self) -> None:
        self.live.listeners.add(self)
        self.tell(self.live.state)

    def on_message(self, message: str | bytes) -> None:
        del message

    def on_close(self) -> None:
        self.live.listeners.discard(self)

    def tell(self, state: State) -> None:
        """Sends the state; who has gone is forgotten."""
        try:
            sent = self.write_message(json.dumps(asdict(state)))
        except websocket.WebSocketClosedError:
            self.live.listeners.discard(self)
        else:
            asyncio.ensure_future(sent).add_done_callback(lambda done: done.exception())


def inside(site: Path, path: str) -> Path | None:
    """The file or folder of the site that ``path`` means; None outside it and for hidden names."""
    if any(part.startswith(".") for part in path.split("/")) or "\\" in path:
        return None
    try:
        file = Path(os.path.realpath(site / path))
        return file if file.is_relative_to(os.path.realpath(site)) else None
    except ValueError:  # a NUL
        return None


def with_script(page: bytes, build: int, host: str) -> bytes:
    """The page with the script in its head; its policy lets it call this server.

    The file in the site stays as it is: what is published has no script of ours.
    """
    page = _POLICY.sub(rb"\1connect-src 'self' ws://%s; " % host.encode(), page, count=1)
    tags = (
        f'<link rel="stylesheet" href="{STYLE}">'
        f'<script src="{SCRIPT}" data-build="{build}" defer></script>'
    ).encode()
    found = _HEAD_END.search(page)
    at = found.start() if found else 0
    return page[:at] + tags + page[at:]


def _bound(port: int | None) -> tuple[list[socket.socket], int]:
    wanted = [port] if port is not None else [*range(FIRST_PORT, FIRST_PORT + PORTS)]
    for each in wanted:
        try:
            sockets = netutil.bind_sockets(each, ADDRESS)
        except OSError as error:
            reason = error.strerror
            continue
        return sockets, sockets[0].getsockname()[1]
    raise MachineError(f"port {wanted[0]} of {ADDRESS}: {reason}; name another with --port")
