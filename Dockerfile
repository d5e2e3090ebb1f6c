# What `make run` starts, in a container: the web page and a local generator on the CPU, data under /data.
#
#   docker build -t zoetrope .
#   docker run --rm --init --network host -v zoetrope-data:/data zoetrope
#
# The web page of this version serves the machine it runs on and refuses to listen on any other address than loopback,
# so a published port would lead nowhere: the container shares the host's network (on Linux) and the page is at
# http://127.0.0.1:8420/ there.
FROM python:3.12-slim

RUN useradd --create-home --uid 10001 zoetrope && install -d -o zoetrope /data /zoetrope
USER zoetrope
WORKDIR /zoetrope
COPY --chown=zoetrope . .
RUN sh scripts/setup.sh .venv && rm -rf /home/zoetrope/.cache

ENV ZOETROPE_DATA=/data PYTHONUNBUFFERED=1
VOLUME /data
ENTRYPOINT ["/zoetrope/.venv/bin/zoetrope"]
CMD ["play"]
