"""What every page is around its content: one file that loads nothing and runs no script but its own."""

import base64
import hashlib
from importlib.resources import files

from orchestrator.page.markup import Markup, el


def document(title: str, body: Markup, style: str, script: str = "", asks: bool = False) -> str:
    """A whole page. `style` comes after what all pages share. Its script `asks` the server the page came from, or nobody."""
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=_policy(script, asks)),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", title),
        el("link", rel="icon", href="data:,"),
        Markup(f"<style>{asset(__package__, 'base.css')}{style}</style>"),
    )
    return f"<!doctype html>\n{el('html', head, body, lang='en')}\n"


def asset(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text(encoding="utf-8")


def _policy(script: str, asks: bool) -> str:
    """Load nothing, and run no script but the page's own, whatever an input or a log line may contain."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    allowed = f"'sha256-{digest}'" if script else "'none'"
    connect = "; connect-src 'self'" if asks else ""
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {allowed}{connect}"
