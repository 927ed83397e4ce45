"""`python -m orchestrator.cli`, where `brigade` is not installed as a program: in its image."""

from orchestrator.cli import main

if __name__ == "__main__":
    main()
