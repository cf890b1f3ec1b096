FROM node:24-bookworm-slim AS console
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY schema.graphql ./
COPY frontend frontend
WORKDIR /src/frontend
RUN node scripts/routes.mjs \
    && npm exec -- graphql-codegen --config codegen.ts \
    && npm exec -- vite build

FROM python:3.11-slim-bookworm AS wheel
WORKDIR /src
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY backend backend
COPY --from=console /src/backend/sluicegate/console/dist backend/sluicegate/console/dist
# Compiling over a copy of the lock keeps its versions and hashes and drops what only development needs.
RUN cp requirements.lock runtime.lock \
    && uv pip compile --quiet --universal --generate-hashes --extra otel --output-file runtime.lock pyproject.toml \
    && hatchling build --target wheel --directory /wheels \
    && uv venv /opt/sluicegate \
    && uv pip install --compile-bytecode --python /opt/sluicegate/bin/python --require-hashes --requirement runtime.lock \
    && uv pip install --compile-bytecode --python /opt/sluicegate/bin/python --no-deps /wheels/*.whl

FROM python:3.11-slim-bookworm
# The base image comes without compiled modules and the user could not keep any, so that each start and each look at the
# health would compile them anew.
RUN groupadd --gid 10001 sluicegate \
    && useradd --uid 10001 --gid sluicegate --home-dir /data sluicegate \
    && install --directory --owner sluicegate --group sluicegate --mode 0700 /data \
    && python -m compileall -q -x '/(ensurepip|idlelib|lib2to3|site-packages|test|tkinter|turtledemo)/' /usr/local/lib/python3.11
COPY --from=wheel /opt/sluicegate /opt/sluicegate
ENV PATH=/opt/sluicegate/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SLUICEGATE_HOST=0.0.0.0 \
    SLUICEGATE_PORT=8080 \
    SLUICEGATE_DATA_DIR=/data
# In numbers, so that Kubernetes knows that it is not root.
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
# The slim image has no curl.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"SLUICEGATE_PORT\"]}/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["sluicegate"]
CMD ["serve"]
