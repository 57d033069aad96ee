# Two programs, one image: docker build -t token-persistence .
#   docker run token-persistence --help            the exporter
#   docker run --entrypoint /analyze token-persistence --help
# The test rig with its own database: docker build --target testbed -t token-persistence-testbed .
# Both with a database, Prometheus and Grafana around them: docker compose up

FROM docker.io/library/golang:1.26-bookworm AS build
ARG VERSION=unknown
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -o /out/ \
    -ldflags "-s -w -X github.com/prometheus/common/version.Version=${VERSION}" \
    ./exporter ./analyze ./testbed

FROM docker.io/library/debian:bookworm-slim AS testbed
RUN apt-get update \
 && apt-get install -y --no-install-recommends mariadb-server-core mariadb-client-core \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home rig
COPY --from=build /out/exporter /out/analyze /out/testbed /usr/local/bin/
USER rig
WORKDIR /home/rig
ENTRYPOINT ["testbed"]
CMD ["demo"]

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/exporter /out/analyze /
COPY LICENSE /
EXPOSE 9851
ENTRYPOINT ["/exporter"]
