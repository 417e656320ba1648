# Shared by the scripts of tools/: where things are, and how to run PostgreSQL.
# Sourced, not run. Every setting can be given in the environment.

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PG_MAJOR=${PG_MAJOR:-15}
PGRX_VERSION=0.18.1
CACHE=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/segmentation
# A cargo-pgrx of our own version beside whatever the user has.
PGRX_BIN=$CACHE/cargo-pgrx-$PGRX_VERSION
# A pgrx configuration of our own: the user's ~/.pgrx stays as it is.
export PGRX_HOME=${PGRX_HOME:-$CACHE/pgrx-home-$PG_MAJOR}
export PATH=$PGRX_BIN/bin:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin:$PATH
# The user's connection settings must not lead psql to another cluster.
unset PGHOST PGHOSTADDR PGPORT PGUSER PGDATABASE PGOPTIONS PGSERVICE PGPASSWORD PGCLIENTENCODING PGTZ PGDATESTYLE
export PGAPPNAME=segmentation

# PG_CONFIG says which PostgreSQL; without it, Debian's of the major version.
if [ -n "${PG_CONFIG:-}" ]; then
  PG_BIN=$("$PG_CONFIG" --bindir)
elif [ -x "/usr/lib/postgresql/$PG_MAJOR/bin/postgres" ]; then
  PG_BIN=/usr/lib/postgresql/$PG_MAJOR/bin
else
  PG_BIN=$(pg_config --bindir 2>/dev/null || true)
fi
PG_CONFIG=${PG_CONFIG:-$PG_BIN/pg_config}

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# PostgreSQL refuses to run as root: then user postgres runs the private cluster.
if [ "$(id -u)" = 0 ]; then
  PG_USER=${PG_USER:-postgres}
  # From a folder that this user cannot enter, programs would complain at every start.
  as_pg() { (runuser -u "$PG_USER" -- test -x "$PWD" || cd /; exec runuser -u "$PG_USER" -- "$@"); }
else
  PG_USER=$(id -un)
  as_pg() { "$@"; }
fi

# Runs a command as root, to install packages or the extension's files.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "root is needed for: $* (install sudo, or run as root)"; fi
}

# The private cluster lives in the project's folder; if user postgres cannot
# reach that (a home directory closed to others), in /var/tmp.
CLUSTER=${CLUSTER:-$ROOT/.cluster}
if [ "$(id -u)" = 0 ] && id "$PG_USER" >/dev/null 2>&1 && ! as_pg test -x "$ROOT"; then
  CLUSTER=/var/tmp/segmentation-$(printf %s "$ROOT" | cksum | cut -d' ' -f1)
fi
DATA=$CLUSTER/data-$PG_MAJOR
# A socket's path has at most 107 bytes.
SOCKETS=$CLUSTER/run
if [ ${#SOCKETS} -gt 80 ]; then SOCKETS=/tmp/segmentation-$(printf %s "$CLUSTER" | cksum | cut -d' ' -f1); fi
PORT=54329

# psql in the private cluster, as its superuser, without the user's psqlrc.
run_psql() { as_pg "$PG_BIN/psql" -X -h "$SOCKETS" -p "$PORT" -U "$PG_USER" "$@"; }

# What pg_regress and pg_isolation_regress said of their tests, in their form up to PostgreSQL 15 and in that since then.
tally() { # the file with what they said
  printf '%s passed, %s failed\n' "$(grep -cE '^ok +[0-9]+ +[-+] |\bok +[0-9]+ ms' "$1" || true)" \
    "$(grep -cE '^not ok +[0-9]+ +[-+] |FAILED *[0-9]* ms' "$1" || true)"
}

# Takes results as expected output. What another major version says in other words becomes an alternative beside it, name_1.out
# and so on: any of them will do.
accept_results() { # results, expected
  local file name place
  for file in "$1"/*.out; do
    name=$(basename "$file" .out)
    if [ "$PG_MAJOR" = 15 ] || [ ! -e "$2/$name.out" ]; then
      cp "$file" "$2/$name.out"
      continue
    fi
    for place in "" _1 _2 _3; do
      if [ ! -e "$2/$name$place.out" ]; then cp "$file" "$2/$name$place.out"; fi
      if cmp -s "$file" "$2/$name$place.out"; then break; fi
    done
  done
}
