"""What squads agree on: messages, components, pipelines. Pydantic only, no I/O."""
