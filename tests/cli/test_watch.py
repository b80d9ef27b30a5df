"""`fervis watch` keeps up with edits, shows what is wrong, and answers to this machine alone."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from fervis.watch.server import inside, with_script
from fervis.watch.sources import sources_of

PATIENCE_S = 120


@dataclass
class Watching:
    """A running `fervis watch` and the report that it watches."""

    process: subprocess.Popen[str]
    file: Path
    port: int

    def get(
        self, path: str, host: str | None = None, method: str = "GET"
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host or f"127.0.0.1:{self.port}")
        connection.endheaders()
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content, answer.headers

    def hear(self, until: Callable[[dict], bool], edit: Callable[[], None] = lambda: None) -> dict:
        """What the browser is told, up to the first state that ``until`` is about."""

        async def listen() -> dict:
            socket = await websocket_connect(f"ws://127.0.0.1:{self.port}/-/socket")
            first = json.loads(await socket.read_message())
            edit()
            told = first
            while not until(told):
                told = json.loads(await socket.read_message())
            socket.close()
            while await socket.read_message() is not None:
                pass
            return told

        return asyncio.run(asyncio.wait_for(listen(), PATIENCE_S))


def settled(told: dict) -> bool:
    return told["phase"] != "building"


@pytest.fixture(scope="module")
def watching(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watching]:
    folder = tmp_path_factory.mktemp("watch") / "project"
    shutil.copytree(built.parent, folder)
    environment = {k: v for k, v in os.environ.items() if k != "FERVIS_CACHE"}
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "fervis", "watch", str(folder / "report.yaml")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
    )  # fmt: skip
    assert process.stdout is not None
    address = re.match(r"http://127\.0\.0\.1:(\d+)/", process.stdout.readline())
    assert address
    found = Watching(process, folder / "report.yaml", int(address[1]))
    found.hear(settled)
    yield found
    process.kill()
    process.wait()
    process.stdout.close()


def change(file: Path, old: str, new: str) -> Callable[[], None]:
    def edit() -> None:
        text = file.read_text("utf-8")
        assert old in text
        beside = file.with_suffix(".new")  # as editors do
        beside.write_text(text.replace(old, new), "utf-8")
        beside.replace(file)

    return edit


def test_pages_carry_the_script_and_files_of_the_site_do_not(watching: Watching) -> None:
    status, page, headers = watching.get("/")
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert b"/-/watch.js" in page
    assert b"connect-src 'self'" in page
    for file in (watching.file.parent / "site").rglob("*.html"):
        assert b"watch.js" not in file.read_bytes()
        assert b"connect-src" not in file.read_bytes()
    assert watching.get("/-/watch.js")[0] == 200
    assert watching.get("/report.pdf")[1].startswith(b"%PDF")
    assert watching.get("/zh-Hant")[0] in (301, 302)
    assert watching.get("/zh-Hant/")[0] == 200
    assert watching.get("/", method="HEAD")[1] == b""


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example", ""]
)
def test_foreign_hosts_are_refused(watching: Watching, host: str) -> None:
    for path in ("/", "/report.pdf", "/-/watch.js", "/-/socket"):
        assert watching.get(path, host or " ")[0] in (400, 403), path
    assert watching.get("/", f"localhost:{watching.port}")[0] == 200


def test_it_listens_on_this_machine_alone(watching: Watching) -> None:
    with socket.create_connection(("127.0.0.1", watching.port), 5):
        pass
    others = {found[4][0] for found in socket.getaddrinfo(socket.gethostname(), None)}
    for address in {*others, "127.0.0.2", "::1"} - {"127.0.0.1"}:
        with pytest.raises(OSError):  # noqa: PT011 (refused, or there is no such address)
            socket.create_connection((address, watching.port), 5)


def test_another_site_may_not_listen(watching: Watching) -> None:
    async def listen() -> None:
        request = HTTPRequest(f"ws://127.0.0.1:{watching.port}/-/socket",
                              headers={"Origin": "https://evil.example"})  # fmt: skip
        await websocket_connect(request)

    with pytest.raises(Exception, match="403"):
        asyncio.run(listen())


@pytest.mark.parametrize(
    "path",
    ["/../report.yaml", "/%2e%2e/report.yaml", "/..%2freport.yaml", "/zh-Hant/../../report.yaml",
     "//etc/passwd", "/.fervis-site", "/..\\report.yaml", "/%00", "/-/../report.yaml",
     "/-/worker.py", "/-/watch.css/../server.py", "/link.txt", "/linked/report.yaml",
     "/%252e%252e/report.yaml", "/%2e%2e%2freport.yaml", "/./../report.yaml", "/%2fetc%2fpasswd",
     "/....//report.yaml", "/..;/report.yaml", "file:///etc/passwd", "/%c0%ae%c0%ae/report.yaml",
     "http://127.0.0.1/../report.yaml"],
)  # fmt: skip
def test_nothing_outside_the_site_is_served(watching: Watching, path: str) -> None:
    link = watching.file.parent / "site" / "link.txt"
    folder = watching.file.parent / "site" / "linked"
    link.unlink(missing_ok=True)
    folder.unlink(missing_ok=True)
    link.symlink_to(watching.file)
    folder.symlink_to(watching.file.parent)
    try:
        status, content, _ = watching.get(path)
    finally:
        link.unlink()
        folder.unlink()
    assert status in (400, 404)
    assert b"version: 1" not in content
    assert b"root:" not in content


def test_an_edit_is_built_and_told(watching: Watching) -> None:
    before = watching.hear(settled)["build"]
    edit = change(watching.file, "The rim.", "The edited rim.")
    told = watching.hear(lambda told: settled(told) and told["build"] != before, edit)
    assert told["phase"] == "done"
    assert b"The edited rim." in watching.get("/")[1]


def test_what_is_wrong_is_told_with_its_place_and_the_site_stays(watching: Watching) -> None:
    before = watching.get("/index.html")[1]
    edit = change(watching.file, "layer: conv2.relu", "layer: conv9.relu")
    told = watching.hear(lambda told: told["phase"] == "failed", edit)
    ((place, words),) = told["problems"]
    assert re.match(r"report\.yaml:\d+:\d+$", place)
    assert "conv9.relu" in words
    assert watching.get("/index.html")[1] == before
    back = change(watching.file, "layer: conv9.relu", "layer: conv2.relu")
    assert watching.hear(lambda told: told["phase"] == "done", back)["problems"] == []


def test_the_network_code_of_an_edit_is_what_runs(watching: Watching) -> None:
    code = watching.file.parent / "hw3.py"
    broken = change(
        code, "def forward(self, x):", "def forward(self, x):\n        raise OSError('no')"
    )
    told = watching.hear(lambda told: told["phase"] == "failed", broken)
    assert "no" in told["problems"][0][1]
    back = change(code, "\n        raise OSError('no')", "")
    watching.hear(lambda told: told["phase"] == "done", back)


def test_the_browser_shows_problems_and_reloads(watching: Watching, chromium: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        errors: list[str] = []
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.goto(f"http://127.0.0.1:{watching.port}/")
        change(watching.file, "languages: [en, zh-Hant]", "languages: [en, <b>x]")()
        box = page.locator("#fervis-watch.failed")
        box.wait_for(timeout=PATIENCE_S * 1000)
        assert "report.yaml:" in box.inner_text()
        assert box.locator("b").count() == 0
        page.keyboard.press("Escape")
        assert not box.is_visible()
        change(watching.file, "languages: [en, <b>x]", "languages: [en, zh-Hant]")()
        change(watching.file, "The stripes.", "Reloaded stripes.")()
        page.get_by_text("Reloaded stripes.").first.wait_for(timeout=PATIENCE_S * 1000)
        assert errors == []
        browser.close()


def test_interrupting_ends_it_at_once_and_leaves_no_process(watching: Watching) -> None:
    edit = change(watching.file, "steps: 4", "steps: 9999")
    watching.hear(lambda told: told["phase"] == "building" and told["stage"] != "check", edit)
    children = Path(f"/proc/{watching.process.pid}/task/{watching.process.pid}/children")
    running = children.read_text().split() if children.exists() else []
    begun = time.monotonic()
    watching.process.send_signal(signal.SIGINT)
    assert watching.process.wait(10) == 0
    assert time.monotonic() - begun < 4
    assert [pid for pid in running if Path(f"/proc/{pid}/cmdline").exists()
            and b"fervis" in Path(f"/proc/{pid}/cmdline").read_bytes()] == []  # fmt: skip


def test_all_that_a_report_names_is_watched(fresh: Path) -> None:
    folder = fresh.parent
    found = sources_of(fresh)
    assert {folder / name for name in ("report.yaml", "hw3.py", "best.pt", "pictures.npz")} <= (
        found.files
    )
    assert folder / "templates" in found.folders
    assert found.concern(1, str(folder / "new_block.py"))
    assert found.concern(1, str(folder / "templates" / "base.html"))
    assert not found.concern(1, str(folder / "templates" / "base.html~"))
    assert not found.concern(1, str(folder / "site" / "index.html"))


def test_a_page_without_head_or_policy_gets_the_script_too(tmp_path: Path) -> None:
    assert with_script(b"<p>x", 3, "127.0.0.1:8000").endswith(b"defer></script><p>x")
    assert inside(tmp_path, "a/b.html") == tmp_path / "a" / "b.html"
