# Three stages: the front end needs node, the packages need uv, the server needs neither.

FROM node:24-bookworm-slim AS frontend
WORKDIR /src/frontend
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN npm ci
COPY frontend/ ./
RUN npm run build

FROM python:3.13-slim-bookworm AS packages
ARG UV_VERSION=0.13.8
RUN pip install --no-cache-dir "uv==${UV_VERSION}"
ENV UV_PROJECT_ENVIRONMENT=/opt/maskwright \
    UV_PYTHON_DOWNLOADS=never \
    UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1
WORKDIR /src
# The packages change less often than the code: they are a layer of their own.
COPY pyproject.toml uv.lock ./
RUN uv sync --locked --no-dev --no-install-project
COPY README.md LICENSE hatch_build.py ./
COPY tools/ tools/
COPY migrations/ migrations/
COPY app/ app/
COPY --from=frontend /src/app/web/dist/ app/web/dist/
RUN uv sync --locked --no-dev --no-editable

FROM python:3.13-slim-bookworm
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data maskwright \
    && install --directory --owner=maskwright --group=maskwright --mode=700 /data
COPY --from=packages /opt/maskwright/ /opt/maskwright/
ENV PATH=/opt/maskwright/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MASKWRIGHT_DATA_DIR=/data \
    MASKWRIGHT_HOST=0.0.0.0 \
    MASKWRIGHT_PORT=8000
WORKDIR /data
USER 10001:10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
# Without MASKWRIGHT_DATABASE_URL it runs its own PostgreSQL on /data.
CMD ["maskwright", "serve"]
