#!/bin/sh
# The example: eighteen small tasks on the sources of this repository, worked by six snakes.
#
#   sh examples/snakepit/run.sh [DIR]     the pit goes to DIR; without it to example-run/ in the repository
#   KEEP_UP=1 sh examples/snakepit/run.sh the pit stays up afterwards, for playing with it
#
# Status 0: the one task that is meant to fail has failed, and every other one is done. Build first: npm run build.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
repo=$(CDPATH='' cd -- "$here/../.." && pwd -P)
program=$repo/bin/snakepit.js
pit=${1:-$repo/example-run}
case $pit in /*) ;; *) pit=$PWD/$pit ;; esac
mark=$pit/.snakepit-example
snakes=6
meant_to_fail=impossible-without-you

say() { printf '%s\n' "$*"; }
die() { printf 'example: %s\n' "$*" >&2; exit 1; }
# A path as a person would type it here: short, and in quotes where it needs them.
short() {
  path=$1
  case $path in "$PWD"/?*) path=${path#"$PWD"/} ;; esac
  case $path in *[!A-Za-z0-9_./+-]*) printf "'%s'" "$(printf '%s' "$path" | sed "s/'/'\\\\''/g")" ;; *) printf '%s' "$path" ;; esac
}
snakepit() { node "$program" -C "$pit" "$@"; }
# Shows the command as a person would type it, then runs it.
typed() { printf '\n$ snakepit %s\n' "$*"; snakepit "$@"; }

[ -e "$repo/dist/cli/main.js" ] || die "not built yet; say: npm ci && npm run build"
command -v tmux > /dev/null || die "tmux is missing, and snakes work in tmux sessions; install it (such as: apt-get install tmux)"

# An earlier run makes room, also one that still runs. Nothing else is ever removed.
if [ -e "$mark" ]; then
  if [ -e "$pit/.snakepit/pit-id" ]; then
    if ! told=$(snakepit down --now 2>&1); then die "an earlier run in $pit does not end: $told"; fi
  fi
  # Once more if the old pit's last log line came in between.
  rm -rf -- "$pit" 2> /dev/null || { sleep 1; rm -rf -- "$pit"; }
elif [ -d "$pit" ] && [ -n "$(ls -A -- "$pit")" ]; then
  die "$pit is not empty and not from an earlier example; name another directory"
fi

waiting=
is_up=
ending() {
  status=$?
  trap '' HUP INT TERM
  trap - EXIT
  [ -z "$waiting" ] || kill "$waiting" 2> /dev/null || :
  if [ -n "$is_up" ]; then
    printf '\nexample: taking the pit down\n' >&2
    snakepit down --now >&2 || status=1
  fi
  exit "$status"
}
trap ending EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

mkdir -p -- "$pit"
pit=$(CDPATH='' cd -- "$pit" && pwd -P)
mark=$pit/.snakepit-example
: > "$mark"
say '*' > "$pit/.gitignore"

total=$(ls "$here"/tasks/*.md | wc -l | tr -d ' ')
say "$total small tasks on the sources of this repository, $snakes snakes, in $(short "$pit")"

typed init
say
say "\$ cp snakepit.yaml $(short "$pit/snakepit.yaml"); mkdir $(short "$pit/results"); ln -s $(short "$repo") $(short "$pit/repo")"
cp "$here/snakepit.yaml" "$pit/snakepit.yaml"
mkdir "$pit/results"
ln -s "$repo" "$pit/repo"

is_up=1
typed up -n "$snakes"

say
say "\$ cp tasks/*.md $(short "$pit/queue")/"
cp "$here"/tasks/*.md "$pit/queue/"

# In the background, so that an interrupt is heard at once; not by the function, so that it is node that is ended.
printf '\n$ snakepit wait\n'
node "$program" -C "$pit" wait --timeout 3m &
waiting=$!
waited=0
wait "$waiting" || waited=$?
waiting=
case $waited in
  0) ;;
  1) say "(Status 1: a task failed. One of these is meant to.)" ;;
  *) snakepit ls; die "not all tasks ended (snakepit wait ended with status $waited)" ;;
esac

say
node "$here/table.mjs" "$program" "$pit"

# Every task exactly once, where it belongs: it and its story, and nothing left on the way.
wrong=
for file in "$here"/tasks/*.md; do
  id=$(basename "$file" .md)
  where=done
  [ "$id" != "$meant_to_fail" ] || where=failed
  [ -e "$pit/queue/$where/$id.md" ] && [ -e "$pit/queue/$where/$id.result.md" ] || wrong="$wrong $id"
done
ended=$(find "$pit/queue/done" "$pit/queue/failed" -name '*.md' ! -name '*.result.md' | wc -l | tr -d ' ')
open=$(find "$pit/queue" -name '*.md' ! -path "$pit/queue/done/*" ! -path "$pit/queue/failed/*" | wc -l | tr -d ' ')

if [ -z "${KEEP_UP:-}" ]; then
  typed down
  is_up=
fi

cli="node $(short "$program") -C $(short "$pit")"
say
if [ -z "$wrong" ] && [ "$ended" -eq "$total" ] && [ "$open" -eq 0 ]; then
  verdict=0
  say "As it should be: $((total - 1)) done; $meant_to_fail failed, for it waits for you."
else
  verdict=1
  say "Not as it should be: $ended of $total ended, $open still open; not where expected:${wrong:- none}."
  for id in $wrong; do say "  why: $cli show $id"; done
fi
say
say "Where to look next:"
look() { printf '  %-34s %s\n' "$(short "$pit/$1")" "$2"; }
look results/summary.md "what two tasks found and a third put together; the other reports lie beside it"
look queue/done "every task that is done, each with its story: TASK.result.md"
look .snakepit/runs "a directory for each attempt: its script, its output, how it ended"
say "  $cli show flaky-cold-cache"
say "  $cli show $meant_to_fail"
say
say "Mend the failed one, as its story says, and try again:"
say "  cp $(short "$pit/results/checksums.sha256") $(short "$pit/signed-off.sha256")"
say "  $cli retry $meant_to_fail"
if [ -z "${KEEP_UP:-}" ]; then
  say "  $cli up -n 1"
else
  is_up=
fi
say "  $cli wait; $cli down"
exit "$verdict"
