# PostgreSQL's official image with the extension in it: docker build -t segmentation --build-arg PG_MAJOR=17 .
ARG PG_MAJOR=17
FROM postgres:${PG_MAJOR}-bookworm AS build
ARG PG_MAJOR
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update && apt-get install -y --no-install-recommends \
    ca-certificates curl gcc libc6-dev libclang-dev make pkg-config postgresql-server-dev-${PG_MAJOR} \
    && rm -rf /var/lib/apt/lists/*
RUN curl --proto '=https' -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal --default-toolchain 1.95
WORKDIR /src
COPY . .
RUN make install PG_MAJOR=${PG_MAJOR} && mkdir -p /out/lib /out/extension \
    && cp /usr/lib/postgresql/${PG_MAJOR}/lib/segmentation*.so /out/lib/ \
    && cp /usr/share/postgresql/${PG_MAJOR}/extension/segmentation* /out/extension/

FROM postgres:${PG_MAJOR}-bookworm
ARG PG_MAJOR
COPY --from=build /out/lib/ /usr/lib/postgresql/${PG_MAJOR}/lib/
COPY --from=build /out/extension/ /usr/share/postgresql/${PG_MAJOR}/extension/
# In each new data directory the first database has it; in others: CREATE EXTENSION segmentation.
COPY <<-"SQL" /docker-entrypoint-initdb.d/10-segmentation.sql
	CREATE EXTENSION segmentation;
SQL
