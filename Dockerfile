# One image for every process of the site; which one is the command (see compose.yaml).
# `make image` builds it, `make image-test` tries it.

# Debian 13 as of August 2026; Dependabot proposes newer ones.
ARG BASE=debian:13-slim@sha256:d7e12182ce18b85b93007c1dedf31f2d29e01ccf3182cc4017c709b6259bc132

FROM ${BASE} AS python
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends ca-certificates libpq5 python3 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/apt /var/log/dpkg.log /var/cache/debconf /usr/share/doc /usr/share/man

FROM python AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# Certificates of a network that packages come through, if pip knows them not by itself.
ARG PIP_CERT
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends postgresql-client-17 python3-venv
# For backup and restore: the three programs, without the Perl scripts around them.
RUN install -D --target-directory /opt/postgresql /usr/lib/postgresql/17/bin/pg_dump /usr/lib/postgresql/17/bin/pg_restore /usr/lib/postgresql/17/bin/psql
RUN python3 -m venv /opt/venv && python3 -m venv /opt/tools
COPY requirements /requirements
RUN /opt/venv/bin/python -m pip install --only-binary :all: --requirement /requirements/serve.txt --requirement /requirements/s3.txt \
    && /opt/venv/bin/python -m pip uninstall --yes pip
# Tests of packages, and languages that the site does not speak.
RUN cd /opt/venv/lib/python3*/site-packages \
    && find numpy kombu zope redis -type d -name tests -prune -exec rm -r {} + \
    && find twisted autobahn -type d -name test -prune -exec rm -r {} + \
    && find . -path '*/locale/*' -type d -name LC_MESSAGES ! -path '*/en*/*' ! -path '*/de/*' -prune -exec rm -r {} + \
    && find . -name '*.pyi' -delete
# What is inside, as CycloneDX.
RUN /opt/tools/bin/python -m pip install --only-binary :all: cyclonedx-bom==7.5.0 \
    && /opt/tools/bin/cyclonedx-py environment --output-reproducible --of JSON --output-file /opt/sbom.cdx.json /opt/venv/bin/python
COPY manage.py /app/
COPY emotion_site /app/emotion_site
COPY accounts /app/accounts
COPY recognition /app/recognition
COPY studies /app/studies
COPY operations /app/operations
COPY templates /app/templates
COPY static /app/static
COPY models /app/models
# Plots are for the documentation.
RUN rm -r /app/models/plots
COPY locale /app/locale
COPY deploy/healthcheck.py /app/deploy/
WORKDIR /app
RUN STATIC_ROOT=/opt/static SECRET_KEY=only-while-static-files-are-collected-0123456789 SITE_URL=http://localhost DATA_DIR=/tmp/data \
    /opt/venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
    && /opt/venv/bin/python -m compileall -q /app \
    && chmod -R a+rX /opt/static /app

# The documentation, served at /docs/.
FROM packages AS documentation
ARG PIP_CERT
RUN /opt/tools/bin/python -m pip install --only-binary :all: --requirement /requirements/docs.txt
COPY mkdocs.yml CHANGELOG.md CONTRIBUTING.md SECURITY.md /source/
COPY scripts/documentation.py /source/scripts/
COPY models /source/models
COPY docs /source/docs
WORKDIR /source
RUN NO_MKDOCS_2_WARNING=1 /opt/tools/bin/mkdocs build --strict --quiet --site-dir /opt/docs \
    && chmod -R a+rX /opt/docs

FROM python
RUN groupadd --gid 10001 visage \
    && useradd --uid 10001 --gid visage --no-create-home --home-dir /data visage \
    && install --directory --owner visage --group visage --mode 750 /data
COPY --from=packages /opt/postgresql /usr/local/bin
COPY --from=packages /opt/venv /opt/venv
COPY --from=packages /opt/static /opt/static
COPY --from=documentation /opt/docs /opt/docs
COPY --from=packages /opt/sbom.cdx.json /opt/sbom.cdx.json
COPY --from=packages /app /app
WORKDIR /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DATA_DIR=/data \
    STATIC_ROOT=/opt/static \
    DOCUMENTATION_ROOT=/opt/docs \
    OMP_NUM_THREADS=1
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=10s --start-period=30s --retries=3 \
    CMD ["python", "-I", "deploy/healthcheck.py", "web"]
CMD ["daphne", "--bind", "0.0.0.0", "--port", "8000", "--verbosity", "0", "--application-close-timeout", "5", "emotion_site.asgi:application"]
