# docker build -t ghostface-edge .
# docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/job" ghostface-edge run --checkpoint NET.h5 --pairs lfw.bin …
FROM python:3.11-slim AS build
# PyTorch's index of builds for the CPU, without which PyTorch brings CUDA
ARG PIP_EXTRA_INDEX_URL
COPY . /source
RUN python -m venv /opt/ghostface-edge && \
    /opt/ghostface-edge/bin/pip install --no-cache-dir --disable-pip-version-check \
        --constraint /source/constraints.txt "/source[all]" && \
    /opt/ghostface-edge/bin/pip uninstall --yes --disable-pip-version-check pip

FROM python:3.11-slim
COPY --from=build /opt/ghostface-edge /opt/ghostface-edge
RUN install --directory --owner 1000 --group 1000 /job
# of whatever user it is run as
ENV GHOSTFACE_EDGE_CACHE=/tmp/ghostface-edge \
    PATH=/opt/ghostface-edge/bin:$PATH
USER 1000:1000
WORKDIR /job
ENTRYPOINT ["ghostface-edge"]
CMD ["--help"]
