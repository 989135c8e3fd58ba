#!/bin/sh
# An agent that costs nothing: it plays the steps of the built-in workflows. The work is a file of parts, parts.txt; the first part has a
# slip at first, so that each reviewer has something to find. A real agent reads $SNAKEPIT_RUN_DIR/prompt.md; this one goes by its step.
set -eu

done_with() { "$SNAKEPIT_COMMAND" done "$@"; }

# Mends the slip where there is one, else adds the next part.
work() {
  if grep -qs slip parts.txt; then
    sed 's/ with a slip//' parts.txt > parts.new && mv parts.new parts.txt
    done_with "mended what the reviewer found"
  else
    next=$(($(cat parts.txt 2> /dev/null | wc -l) + 1))
    if [ "$next" = 1 ]; then echo 'part 1 with a slip'; else echo "part $next"; fi >> parts.txt
    done_with "wrote part $next"
  fi
}

judge() {
  if grep -n slip parts.txt > "$SNAKEPIT_STEP_DIR/found"; then
    sed 's/^\([0-9]*\):.*/1. parts.txt:\1: a slip; write the part without it/' "$SNAKEPIT_STEP_DIR/found" > "$SNAKEPIT_STEP_DIR/feedback.md"
    done_with --verdict REJECT 'there is a slip'
  elif [ "$(wc -l < parts.txt)" -lt "${1:-1}" ]; then
    done_with --verdict REJECT "a part is missing: there are to be $1"
  else
    done_with --verdict PASS 'read every part'
  fi
}

case ${SNAKEPIT_WORKFLOW:-none}:$SNAKEPIT_STEP in
  generate-evaluate:plan)
    printf '## Story %s: part %s\n\n- it has no slip\n\n' 1 1 2 2 > "$SNAKEPIT_HANDED/stories.md"
    done_with 'two stories' ;;
  plan-and-split:plan)
    for child in north south; do
      id=$SNAKEPIT_TASK_ID-$child
      printf '# The %s\n\nWrite the %s part.\n\n## Done when\n\n- parts.txt has it\n' "$child" "$child" > "$SNAKEPIT_STEP_DIR/$id.md"
      "$SNAKEPIT_COMMAND" toss "$SNAKEPIT_STEP_DIR/$id.md"
      echo "- $id: the $child part" >> "$SNAKEPIT_HANDED/plan.md"
    done
    done_with 'two children' ;;
  plan-and-split:close)
    # What became of the children stands in their stories.
    sed -n 's/^- \([^:]*\):.*/\1/p' "$SNAKEPIT_HANDED/plan.md" | while read -r id; do "$SNAKEPIT_COMMAND" show "$id" | head -n 1; done > children.txt
    work ;;
  coding-loop:choose)
    echo 'SUB-TASK: the next part' > "$SNAKEPIT_HANDED/sub-task.md"
    done_with 'the next part' ;;
  coding-loop:gate) judge 2 ;;
  *:review | *:evaluate | *:attack) judge ;;
  *) work ;;
esac
