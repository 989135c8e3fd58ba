#!/bin/sh
# One task for each built-in workflow, worked by agents that are scripts (agent.sh): free, and done in a minute.
#
#   sh examples/workflows/run.sh [DIR]     the pit goes to DIR, which must be new or empty; without it to a new temporary directory
#
#   EXAMPLE_TIMEOUT=10m sh …                  gives a slow machine longer than three minutes
#
# Status 0: every task is done. Build first: npm run build. The pit goes down, and stays where it is to be looked at.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
repo=$(CDPATH='' cd -- "$here/../.." && pwd -P)
pit=${1:-$(mktemp -d)}
die() { printf 'example: %s\n' "$*" >&2; exit 1; }
snakepit() { node "$repo/bin/snakepit.js" -C "$pit" "$@"; }
typed() { printf '\n$ snakepit %s\n' "$*"; snakepit "$@"; }

[ -e "$repo/dist/cli/main.js" ] || die "not built yet; say: npm ci && npm run build"
command -v tmux > /dev/null || die "tmux is missing, and snakes work in tmux sessions; install it (such as: apt-get install tmux)"
mkdir -p -- "$pit"
[ -z "$(ls -A -- "$pit")" ] || die "$pit is not empty; name another directory"
pit=$(CDPATH='' cd -- "$pit" && pwd -P)

is_up=
ending() {
  status=$?
  trap - EXIT
  if [ -n "$is_up" ]; then snakepit down --now >&2 || status=1; fi
  exit "$status"
}
trap ending EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

typed init
# JSON is YAML, and quotes any path.
agent=$(node -e 'process.stdout.write(JSON.stringify(process.argv[1]))' "$here/agent.sh")
node -e 'const fs = require("node:fs"); const [from, to, agent] = process.argv.slice(1); fs.writeFileSync(to, fs.readFileSync(from, "utf8").replaceAll("AGENT", () => agent))' "$here/snakepit.yaml" "$pit/snakepit.yaml" "$agent"
is_up=1
typed up -n 3
cp "$here"/tasks/*.md "$pit/queue/"
verdict=0
typed wait --timeout "${EXAMPLE_TIMEOUT:-3m}" || verdict=1
for file in "$here"/tasks/*.md; do
  id=$(basename "$file" .md)
  printf '\n'
  if [ -e "$pit/queue/done/$id.md" ]; then
    # Who did what, in which order.
    snakepit show "$id" | sed -n '1p; /^   - /p'
  else
    verdict=1
    snakepit show "$id" || :
  fi
done
typed down
is_up=
printf '\nThe stories lie in %s/queue/done, everything else of each step in %s/.snakepit/runs.\n' "$pit" "$pit"
exit "$verdict"
