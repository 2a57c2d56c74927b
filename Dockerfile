# One image for every process of the site; which one is the command (see compose.yaml).

FROM python:3.12-slim-bookworm AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY requirements/constraints.txt requirements/serve.txt requirements/s3.txt /requirements/
RUN /opt/venv/bin/pip install -r /requirements/serve.txt -r /requirements/s3.txt

FROM python:3.12-slim-bookworm
# For backup and restore; of PostgreSQL 15, so a newer server needs a newer base image.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 visage \
    && useradd --uid 10001 --gid visage --no-create-home --home-dir /data visage \
    && install --directory --owner visage --group visage --mode 750 /data
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY manage.py ./
COPY emotion_site emotion_site
COPY accounts accounts
COPY recognition recognition
COPY operations operations
COPY studies studies
COPY templates templates
COPY static static
COPY models models
COPY locale locale
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DATA_DIR=/data \
    OMP_NUM_THREADS=1
USER 10001:10001
VOLUME /data
EXPOSE 8000
# Of the web process; compose.yaml gives the others one of their own.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; host = os.environ.get('ALLOWED_HOSTS', 'localhost').split(',')[0]; u.urlopen(u.Request('http://127.0.0.1:8000/healthz/live', headers={'Host': host}), timeout=4)"]
CMD ["daphne", "--bind", "0.0.0.0", "--port", "8000", "--verbosity", "0", "--application-close-timeout", "5", "emotion_site.asgi:application"]
