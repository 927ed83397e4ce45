"""What a service's process was made of: when it differs from what there is now, the process is of no use any more."""

import hashlib
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""Where contracts and services are, beside the orchestrator: in a checkout and installed."""

CODE = (".py", ".sql", ".css", ".js")
"""Suffixes of what a service runs or reads. The schemas in contracts are rendered from its models."""


def code_digest(module: str, root: Path = ROOT) -> str:
    """SHA-256 of the names and contents of the files that make a service: contracts, runtime, models and its own."""
    digest = hashlib.sha256()
    for folder in ("contracts", "services/runtime", "services/models", f"services/{module}"):
        for path in sorted(path for path in (root / folder).rglob("*") if path.suffix in CODE and path.is_file()):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(root)} {content}\n".encode())
    return digest.hexdigest()


def made_of(module: str, places: str) -> str:
    """SHA-256 of a service's code and of the places it was told."""
    return hashlib.sha256(f"{code_digest(module)} {places}".encode()).hexdigest()
