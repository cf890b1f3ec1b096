#!/bin/sh
# Makes what the services must know and nobody else, in ./secrets or the folder that is named. Leaves alone what is there.
set -eu
folder=${1:-"$(dirname "$0")/secrets"}

# keep FILE COMMAND...: what the command says, unless there is something already.
keep() {
  file=$folder/$1
  shift
  [ -s "$file" ] || "$@" >"$file"
  # The users inside the containers are others than yours; the folder keeps out everybody else.
  chmod 0444 "$file"
}

mkdir -p "$folder"
chmod 0700 "$folder"
keep postgres-password openssl rand -hex 24
keep database-url echo "postgresql://sluicegate:$(cat "$folder/postgres-password")@postgres:5432/sluicegate"
keep redis-url echo redis://redis:6379/0
keep kek-primary openssl rand -base64 32
keep admin-password openssl rand -hex 12
echo "The first administrator's password is in $folder/admin-password. Keep a copy of $folder/kek-primary elsewhere."
