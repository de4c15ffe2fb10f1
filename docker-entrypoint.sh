#!/bin/sh
# Every process of the image starts through here. Without a SECRET_KEY in the environment all of them use one that the first of them makes
# and keeps on the volume, readable by its owner alone: no default that strangers know, and no file to edit before a first start.
set -eu
if [ -z "${SECRET_KEY:-}" ]; then
  file="${SECRET_FILE:-/data/secret_key}"
  if [ ! -s "$file" ]; then
    umask 077
    python -c 'import secrets; print(secrets.token_urlsafe(50))' > "$file.$$"
    ln "$file.$$" "$file" 2>/dev/null || true # of several at once one wins; a link, so that no other reads half of it
    rm -f "$file.$$"
  fi
  SECRET_KEY="$(cat "$file")"
  export SECRET_KEY
fi
exec "$@"
