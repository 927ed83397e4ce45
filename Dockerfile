# One image for each component, without a line of the other squads' code, and one for the command line and its service:
#
#   docker compose build
#   docker build --target worker --build-arg COMPONENT=order-simulator --build-arg EXTRAS=order-simulator .
#   docker build --target orchestrator .
#   docker build --target forecast-api --build-arg COMPONENT=forecast-api --build-arg EXTRAS=forecast-api .
#
# Dependencies come before code, so that a change of a handler makes one small layer anew. docs/deployment.md has the sizes.

FROM python:3.13-slim AS base
# Each container has one process. With one thread each for linear algebra, sums come in one order on every machine.
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1


FROM base AS dependencies
ARG UV_VERSION=0.13.9
RUN --mount=type=cache,target=/root/.cache/pip pip install --root-user-action=ignore "uv==$UV_VERSION"
ENV UV_PROJECT_ENVIRONMENT=/app/.venv UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
WORKDIR /build
COPY pyproject.toml uv.lock ./
ARG EXTRAS=""
RUN --mount=type=cache,target=/root/.cache/uv \
    set -e; for extra in $EXTRAS; do set -- "$@" --extra "$extra"; done; \
    uv sync --locked --no-dev --no-install-project "$@"
# Parts of Arrow that nothing here uses: its RPC, its own S3 client, headers and tests. 60 MB.
RUN set -e; cd "$UV_PROJECT_ENVIRONMENT"/lib/python*/site-packages/pyarrow; \
    rm -r include tests lib*_flight.* _flight.* lib*_s3.* _s3fs.*; \
    "$UV_PROJECT_ENVIRONMENT/bin/python" -P -c "import pyarrow.compute, pyarrow.dataset, pyarrow.parquet"


FROM base AS worker-code
ARG COMPONENT
WORKDIR /app
COPY contracts contracts
COPY services/__init__.py services/__init__.py
COPY services/runtime services/runtime
COPY services/models services/models
RUN --mount=type=bind,source=services,target=/services \
    set -e; cp -r "/services/$(echo "${COMPONENT:?name it with --build-arg}" | tr - _)" services/; \
    chmod -R a+rX .; python -m compileall -q .


# Installed, beside the dependencies, so that it knows its version.
FROM dependencies AS orchestrator-code
COPY README.md ./
COPY contracts contracts
COPY orchestrator orchestrator
RUN --mount=type=cache,target=/root/.cache/uv \
    chmod -R a+rX . && uv pip install --no-deps --target /app/code . && rm -r /app/code/.lock /app/code/bin


FROM base AS final
# Nobody in particular: no user of the machine has this number. What is written goes to /tmp, the rest may be read-only.
WORKDIR /app
USER 10001:10001
ENV PATH=/app/.venv/bin:$PATH HOME=/tmp
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"


FROM final AS worker
COPY --from=dependencies /app/.venv .venv
COPY --from=worker-code /app .
ENV BRIGADE_ALIVE_FILE=/tmp/alive
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --start-interval=3s --retries=3 \
    CMD ["python", "-IS", "services/runtime/health.py"]
ARG COMPONENT
LABEL org.opencontainers.image.title="brigade $COMPONENT" \
      org.opencontainers.image.description="The worker of Brigade's component $COMPONENT, all its versions"
ENTRYPOINT ["python", "-m", "services.runtime"]


FROM final AS forecast-api
COPY --from=dependencies /app/.venv .venv
COPY --from=worker-code /app .
LABEL org.opencontainers.image.title="brigade forecast-api" \
      org.opencontainers.image.description="Amazon Forecast's API, with Brigade's models behind it"
ENTRYPOINT ["python", "-m", "services.forecast_api"]


FROM final AS orchestrator
COPY --from=dependencies /app/.venv .venv
COPY --from=orchestrator-code /app/code .
LABEL org.opencontainers.image.title="brigade" \
      org.opencontainers.image.description="Brigade's command line and its HTTP service"
ENTRYPOINT ["python", "-m", "orchestrator.cli"]
