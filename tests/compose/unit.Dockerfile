# The unit and contract tests on the Python of the images: built and run by tests/compose/test_python.py.
FROM python:3.13-slim
# Some tests compare revisions of a repository of their own.
RUN apt-get update && apt-get install --yes --no-install-recommends git && rm -rf /var/lib/apt/lists/*
RUN --mount=type=cache,target=/root/.cache/pip pip install --root-user-action=ignore uv
ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy PATH=/brigade/.venv/bin:$PATH
WORKDIR /brigade
COPY pyproject.toml uv.lock ./
RUN --mount=type=cache,target=/root/.cache/uv uv sync --locked --all-extras --no-install-project
COPY . .
RUN --mount=type=cache,target=/root/.cache/uv uv sync --locked --all-extras
ENTRYPOINT ["python", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
