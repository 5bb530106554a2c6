# One image for every process of the service; docker-compose.yml says which one a container runs.
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /opt/pilotfish
ENV PATH=/opt/pilotfish/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY constraints.txt ./
RUN pip install --upgrade pip hatchling editables -c constraints.txt \
 && pip install torch -c constraints.txt
COPY . .
RUN pip install --no-build-isolation ".[engine]" -c constraints.txt
# The default encoder is exported here once, so that a container starts without doing it.
RUN PILOTFISH_CACHE=/opt/cache python -c "from pilotfish.engine import attach; attach(); from models.encoder import Encoder; Encoder()"

FROM python:3.11-slim-bookworm
RUN useradd --create-home --uid 10001 pilotfish && install -d -o pilotfish /workspace
COPY --from=build /opt/pilotfish /opt/pilotfish
COPY --from=build --chown=pilotfish /opt/cache /opt/cache
ENV PATH=/opt/pilotfish/bin:$PATH \
    PILOTFISH_CACHE=/opt/cache \
    PILOTFISH_WORKSPACE=/workspace \
    PILOTFISH_SERVICE__HOST=0.0.0.0 \
    PYTHONUNBUFFERED=1
USER pilotfish
WORKDIR /home/pilotfish
VOLUME /workspace
STOPSIGNAL SIGTERM
ENTRYPOINT ["pilotfish"]
CMD ["serve"]
