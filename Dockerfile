# Images of the two programs, and the rig:
#   docker build -t token-persistence-exporter .
#   docker build -t token-persistence-analyze --target analyze .
#   docker build -t token-persistence-testbed --target testbed .
# One program each: together they would be over 60 MB (docs/decisions/0020).
# `make image` passes the version; docs/install.md says how to build where no
# registry can be reached.
ARG GO_IMAGE=docker.io/library/golang:1.26-bookworm
ARG STATIC_IMAGE=gcr.io/distroless/static-debian12:nonroot
ARG DEBIAN_IMAGE=docker.io/library/debian:bookworm-slim

# Compiles on the machine's own architecture for the one that was asked for.
FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS build
ARG GOPROXY=https://proxy.golang.org,direct
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=unknown
ARG REVISION=unknown
ENV CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false" \
    VERSION_FLAGS="-s -w -buildid= -X github.com/prometheus/common/version.Version=${VERSION} -X github.com/prometheus/common/version.Revision=${REVISION}"

FROM build AS build-exporter
ARG TARGETARCH
RUN GOOS=linux GOARCH=$TARGETARCH go build -ldflags "$VERSION_FLAGS" -o /out/ ./exporter \
 && go run ./deploy/sbom /out/exporter >/out/exporter.cdx.json \
 && go run ./deploy/sbom --format licenses /out/exporter >/out/licenses.txt \
 && cp LICENSE /out/

FROM build AS build-analyze
ARG TARGETARCH
RUN GOOS=linux GOARCH=$TARGETARCH go build -ldflags "$VERSION_FLAGS" -o /out/ ./analyze \
 && go run ./deploy/sbom /out/analyze >/out/analyze.cdx.json \
 && go run ./deploy/sbom --format licenses /out/analyze >/out/licenses.txt \
 && cp LICENSE /out/

FROM build AS build-testbed
ARG TARGETARCH
RUN GOOS=linux GOARCH=$TARGETARCH go build -ldflags "$VERSION_FLAGS" -o /out/ ./exporter ./analyze ./testbed

FROM --platform=$TARGETPLATFORM ${DEBIAN_IMAGE} AS testbed
RUN apt-get update \
 && apt-get install -y --no-install-recommends mariadb-server-core mariadb-client-core \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home rig
COPY --from=build-testbed /out/ /usr/local/bin/
USER rig
WORKDIR /home/rig
ENTRYPOINT ["testbed"]
CMD ["demo"]

FROM --platform=$TARGETPLATFORM ${STATIC_IMAGE} AS analyze
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="token-persistence-analyze" \
      org.opencontainers.image.description="Compares load tests of WSO2 API Manager with and without token persistence" \
      org.opencontainers.image.source="https://github.com/tokenpersistence/toolkit" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build-analyze /out/ /
USER 65532:65532
ENTRYPOINT ["/analyze"]

# There is no HEALTHCHECK: it would need a shell or a client inside, and OCI images
# have none. Probe GET /-/healthy on port 9851 from outside.
FROM --platform=$TARGETPLATFORM ${STATIC_IMAGE} AS exporter
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="token-persistence-exporter" \
      org.opencontainers.image.description="Prometheus exporter for OAuth2 token persistence of WSO2 API Manager" \
      org.opencontainers.image.source="https://github.com/tokenpersistence/toolkit" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build-exporter /out/ /
USER 65532:65532
EXPOSE 9851
ENTRYPOINT ["/exporter"]
