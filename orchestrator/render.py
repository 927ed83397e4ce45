"""The rendered files that people read, and that tests hold against the pipelines."""

import json
from pathlib import Path

from contracts.pipeline import Pipeline
from orchestrator import asl, asyncapi, catalogue, compose, template
from orchestrator.clocks import schedules
from orchestrator.compare import results
from orchestrator.diagram import mermaid
from orchestrator.policies import policies

FOLDER = Path(__file__).parent / "rendered"
CHECKOUT = Path(__file__).parents[1]


def rendered(pipelines: tuple[Pipeline, ...]) -> dict[str, str]:
    """Texts by file name."""
    texts = {"messaging.template.json": _pretty(template.render(pipelines)), "policies.md": policies(pipelines)}
    texts["compare-results.schema.json"] = _pretty(results.json_schema())
    for pipeline in pipelines:
        texts[f"{pipeline.name}.asl.json"] = _pretty(asl.render(pipeline))
        texts[f"{pipeline.name}.mmd"] = mermaid(pipeline)
        texts[f"{pipeline.name}.schedules.json"] = _pretty(schedules(pipeline))
    return texts


def for_squads(pipelines: tuple[Pipeline, ...]) -> dict[str, str]:
    """What squads read about each other: texts by path in the checkout. Raises BadRequest when pyyaml is not installed."""
    return {"contracts/asyncapi.yaml": asyncapi.text(pipelines), "docs/catalogue.html": catalogue.text(pipelines)}


def for_containers(pipelines: tuple[Pipeline, ...]) -> dict[str, str]:
    """The workers that `docker compose up` starts: texts by path in the checkout."""
    return compose.texts(pipelines, CHECKOUT)


def write(pipelines: tuple[Pipeline, ...], folder: Path = FOLDER) -> list[Path]:
    """Write what is `rendered`; gives what changed."""
    return _write(rendered(pipelines), folder)


def write_for_squads(pipelines: tuple[Pipeline, ...], checkout: Path = CHECKOUT) -> list[Path]:
    """Write what is `for_squads`; gives what changed."""
    return _write(for_squads(pipelines), checkout)


def write_for_containers(pipelines: tuple[Pipeline, ...], checkout: Path = CHECKOUT) -> list[Path]:
    """Write what is `for_containers`; gives what changed."""
    return _write(for_containers(pipelines), checkout)


def _write(texts: dict[str, str], folder: Path) -> list[Path]:
    changed = []
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"
