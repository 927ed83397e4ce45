"""The rendered files that people read, and that a test holds against the pipelines."""

import json
from pathlib import Path

from contracts.pipeline import Pipeline
from orchestrator import asl, template
from orchestrator.diagram import mermaid
from orchestrator.policies import policies

FOLDER = Path(__file__).parent / "rendered"


def rendered(pipelines: tuple[Pipeline, ...]) -> dict[str, str]:
    """Texts by file name."""
    texts = {"messaging.template.json": _pretty(template.render(pipelines)), "policies.md": policies(pipelines)}
    for pipeline in pipelines:
        texts[f"{pipeline.name}.asl.json"] = _pretty(asl.render(pipeline))
        texts[f"{pipeline.name}.mmd"] = mermaid(pipeline)
    return texts


def write(pipelines: tuple[Pipeline, ...], folder: Path = FOLDER) -> list[Path]:
    """Write all of them; gives those that changed."""
    folder.mkdir(exist_ok=True)
    changed = []
    for name, text in rendered(pipelines).items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"
