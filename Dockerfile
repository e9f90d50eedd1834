# syntax=docker/dockerfile:1

FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod \
    go mod download
COPY . .
ARG TARGETOS TARGETARCH
# Static, so that it runs with nothing around it. timetzdata builds the time zones in: districts live in theirs.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -tags timetzdata -ldflags "-s -w" -o /out/hallpass .

FROM scratch
# For TLS to Clever and to a PostgreSQL server.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/hallpass /hallpass
# An account without a name: nobody's files are its own, and the image can run read-only.
USER 65532:65532
# Inside a container the port must be open to the container's network.
ENV HALLPASS_ADDR=0.0.0.0:8080 HALLPASS_LOG=json
EXPOSE 8080
# GET /healthz and /readyz answer whoever watches from outside; there is no shell in here to ask them with.
ENTRYPOINT ["/hallpass"]
CMD ["serve"]
