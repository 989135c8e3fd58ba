import { unreachable } from '../lib/unreachable.js';
import type { Outcome } from '../protocol/judge.js';

/** What a person does with a task that failed. `why`: where that is more than its last attempt's end. */
export const nextStep = (id: string, outcome: Outcome | undefined, why: string | undefined): string => (why === undefined ? advice(outcome, id) : adviceUntried(why, id));

/** It ended without having been tried: cancelled by a person, or what it needs can never be. */
function adviceUntried(why: string, id: string): string {
  if (why.startsWith('cancelled')) return `nothing; to run it after all: \`snakepit retry ${id}\``;
  if (why.startsWith('it needs')) return `mend and retry the task it needs first, then \`snakepit retry ${id}\``;
  return `mend its \`after:\`, then \`snakepit retry ${id}\``;
}

function advice(outcome: Outcome | undefined, id: string): string {
  const retry = `\`snakepit retry ${id}\``;
  if (outcome?.kind === 'deferred' && outcome.reason === 'failing') return `the program, not the task: \`snakepit agents\` and \`snakepit logs ${id}\` say why it fails, then ${retry}`;
  if (outcome?.kind === 'deferred') return `the provider's limits: look at \`snakepit agents\`, give the task another agent as well (agent: [one, two]), then ${retry}`;
  if (outcome?.kind === 'not-set-up') return `mend what its set-up says (setup: in snakepit.yaml or in the task; setup.log in its run), then ${retry}`;
  if (outcome?.kind === 'lost') return `the machine or the session broke, not the task: look at \`snakepit doctor\`, then ${retry}`;
  if (outcome?.kind === 'parked') return `it asked a person ${outcome.nth} times: say in the task what it is to do, or allow more with asks: in snakepit.yaml, then ${retry}`;
  if (outcome?.kind !== 'failed') return `mend what it needs, then ${retry}`;
  switch (outcome.reason) {
    case 'timeout':
      return `give it more time (timeout: in the task) or less to do, then ${retry}`;
    case 'verify-failed':
      return `read the failing check below; mend the task or the check, then ${retry}`;
    case 'cancelled':
      return `nothing, or ${retry}`;
    case 'needs-failed-task':
      return `mend and retry the task it needs first, then ${retry}`;
    case 'unworkable':
      if (/^workflows\/[^\s:]+:\d+: /.test(outcome.detail)) return `mend that file of its workflow (\`snakepit workflows\` says whether it is good), then ${retry}`;
      return `edit the task as said above (\`queue/failed/${id}.md\`), then ${retry}`;
    case 'policy-violation':
      return `read what its branch changes (\`snakepit diff ${id}\`); say in the task what to leave alone, or change policy: in snakepit.yaml, then ${retry}`;
    case 'left-workspace':
      return `look at what changed in the project's checkout and undo it if it was the task; if it was you, \`guard: report\` in snakepit.yaml lets you work there meanwhile; then ${retry}`;
    case 'no-change':
      return `see what it says and did (\`snakepit logs ${id}\`); if nothing had to change, remove changes: required, then ${retry}`;
    case 'workspace-failed':
      return `mend what git or the command says (\`git worktree list\` shows the worktrees), then ${retry}`;
    case 'lost-too-often':
      return `something ends its sessions: look at \`snakepit doctor\` and at the memory, then ${retry}`;
    case 'stalled':
      return `see where it stood still (\`snakepit logs ${id}\`): a longer stall: in snakepit.yaml, or a smaller task, then ${retry}`;
    case 'startup-stall':
      return `see whether the program starts at all: \`snakepit agents check\`, then ${retry}`;
    case 'no-signal':
      return `look at what it did (\`snakepit logs ${id}\`); if the work is good it only forgot \`snakepit done\`: ${retry}, or say in the task when it is done`;
    case 'blocked':
      return `it asked a person for something: have it wait for your answer (ask: park), allow it beforehand (autonomous: true for this agent, or in the program's own settings), or say in the task what to answer, then ${retry}`;
    case 'context-exhausted':
      return `the task is too large for one session: split it, then ${retry}`;
    case 'agent-error':
    case 'agent-crashed':
      return `the agent program failed, not the task: \`snakepit logs ${id}\`, \`snakepit agents check\`, then ${retry}`;
    case 'step-broken':
      return `see what its step did (\`snakepit logs ${id}\`): give the step the rights that it needs, or say in its prompt what it is to leave alone, then ${retry}`;
    case 'children-failed':
      return `see what became of its children, try those again that failed (snakepit retry ID), then ${retry}; it plans anew, and makes no child twice`;
    case 'review-exhausted':
      return `read the last feedback (handed/latest.md of its run); mend the task or give it more rounds (with: {rounds: …}), then ${retry}`;
    case 'rejected':
      return `nothing: a person rejected it; to begin anew, from the base: ${retry}`;
    case 'review-rejected':
      return `nothing: you rejected it; to begin anew: ${retry}`;
    case 'said-fail':
      return `do what its message asks for, then ${retry}`;
    case 'exit-status':
    case 'bad-result':
      return `read its last lines below (all of it: \`snakepit logs ${id}\`), edit \`queue/failed/${id}.md\`, then ${retry}`;
    default:
      return unreachable(outcome);
  }
}
