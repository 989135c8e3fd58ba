import { shellQuote } from '../lib/quote.js';

/** Of the data of one event; what is larger is left out, and the line says so. */
export const HOOK_DATA_BYTES = 64 * 1024;

/**
 * The script that a program's hooks call: `sh hook.sh NAME` with the event as JSON on standard input, or `sh hook.sh NAME … JSON`.
 * It appends one line, `{"at":<ms>,"hook":"NAME","data":<the JSON>}`, to the file in $SNAKEPIT_EVENTS, else to `events`. Data that
 * is no JSON object becomes a text; data over 64 KiB becomes `null,"cut":true`, for half a JSON would cost the whole line.
 *
 * A program waits for its hooks, and some take what they print, or a status, for an order: so it prints nothing, waits at most
 * 5 s for its input, and ends with 0 whatever happens. dd gathers the line and appends it in one write(2): concurrent hooks do
 * not mix theirs.
 */
export function hookScript(events?: string): string {
  return `#!/bin/sh
exec >/dev/null 2>&1
umask 077
LC_ALL=C
export LC_ALL
file=\${SNAKEPIT_EVENTS:-${events === undefined ? '' : shellQuote(events)}}
name=$1
case $name in '' | *[!A-Za-z0-9_.:-]*) name=unknown ;; esac
at=$(date +%s%3N)
case $at in '' | *[!0-9]*) at=$(date +%s)000 ;; esac
strip() { tr -d '\\000-\\037'; }
# What is left over is read too, so that the writer is not stopped in the middle.
input='head -c ${HOOK_DATA_BYTES + 1}; cat >/dev/null'
if [ "$#" -gt 1 ]; then
  for data do :; done
  data=$(printf %s "$data" | strip)
elif [ -t 0 ]; then
  data=
elif command -v timeout; then
  data=$(timeout 5 sh -c "$input" | strip)
else
  data=$(sh -c "$input" | strip)
fi
cut=
if [ "\${#data}" -gt ${HOOK_DATA_BYTES} ]; then
  data=null cut=',"cut":true'
fi
case $data in
  '') data=null ;;
  null | '{'*'}') ;;
  *) data=\\"$(printf %s "$data" | sed 's/[\\\\"]/\\\\&/g')\\" ;;
esac
printf '{"at":%s,"hook":"%s","data":%s%s}\\n' "$at" "$name" "$data" "$cut" | dd obs=1048576 >> "$file"
exit 0
`;
}
