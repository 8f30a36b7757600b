# docker build -t detente . && docs/serving.md says how it is run: as nobody, on a read-only file system, with a key.
FROM python:3.11-slim AS build
RUN python -m venv /opt/detente
COPY pyproject.toml README.md LICENSE /src/
COPY data /src/data
COPY models /src/models
COPY infer /src/infer
COPY train /src/train
COPY src /src/src
RUN /opt/detente/bin/pip install --no-cache-dir "/src[serve]"

FROM python:3.11-slim
COPY --from=build /opt/detente /opt/detente
ENV PATH=/opt/detente/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65534:65534
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["detente", "serve", "--host", "0.0.0.0", "--api-key-file", "/run/secrets/detente-keys"]
