# syntax=docker/dockerfile:1
# The image of the server: docker build -t guardianeye .
# It contains no secrets, and only /data is written to.
#
#   docker run -p 127.0.0.1:8000:8000 -v guardianeye:/data -e GUARDIANEYE_ADMIN_PASSWORD \
#     -e GUARDIANEYE_ALLOW_PLAIN_HTTP=true -e GUARDIANEYE_ALLOWED_HOSTS=localhost guardianeye
#
# The port is published on this machine only, but inside the container all requests come from another address: without
# GUARDIANEYE_ALLOW_PLAIN_HTTP the server would reject passwords. Behind a proxy with TLS set GUARDIANEYE_TRUSTED_PROXIES instead.
# The first start needs GUARDIANEYE_ADMIN_PASSWORD or GUARDIANEYE_ADMIN_PASSWORD_FILE: on an address that other machines can reach,
# the server does not start with a default password.

# The console is independent of the platform and is built once, on the platform of the builder.
FROM --platform=$BUILDPLATFORM node:22-bookworm-slim AS console
WORKDIR /build/web
COPY web/package.json web/package-lock.json ./
RUN --mount=type=cache,target=/root/.npm,sharing=locked npm ci --ignore-scripts --no-audit --no-fund
COPY web .
RUN npm run build

FROM rust:1.95-bookworm AS build
# The C libraries (SQLite, aws-lc, jemalloc, zstd) build with the gcc and make of this image on amd64 and arm64.
ARG TARGETARCH
WORKDIR /build
COPY . .
COPY --from=console /build/web/dist web/dist
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/build/target,id=guardianeye-target-$TARGETARCH,sharing=locked \
    cargo build --release --locked && install target/release/guardianeye /usr/local/bin/

FROM debian:bookworm-slim
RUN groupadd --gid 10001 guardianeye \
    && useradd --uid 10001 --gid guardianeye --home-dir /data --no-create-home --shell /usr/sbin/nologin guardianeye \
    && install --directory --owner=guardianeye --group=guardianeye --mode=0700 /data
COPY --from=build /usr/local/bin/guardianeye /usr/local/bin/
ENV DATABASE_URL=sqlite:/data/guardianeye.db \
    GUARDIANEYE_HOST=0.0.0.0 \
    GUARDIANEYE_PORT=8000
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
# In bash, because the image has no HTTP client.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/$GUARDIANEYE_PORT && printf 'GET /health/live HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]
ENTRYPOINT ["guardianeye"]
CMD ["serve"]
