import { fileURLToPath } from 'node:url';

const ACTOR = fileURLToPath(new URL('actor.mjs', import.meta.url));

/** One step of a turn; actor.mjs tells them. */
export type ActorStep = Readonly<Record<string, string | number | boolean>>;

/** What the profile of the scripted agent program says, as lines of snakepit.yaml; `more`: further keys of it. */
export const actorProfile = (name = 'actor', more: readonly string[] = []): string[] => [
  `  ${name}:`,
  `    binary: ${JSON.stringify(process.execPath)}`,
  `    install: part of the tests`,
  `    account: for-${name}`,
  `    mode: interactive`,
  ...more.map((line) => `    ${line}`),
  `    interactive:`,
  `      argv: [${JSON.stringify(process.execPath)}, ${JSON.stringify(ACTOR)}, '{prompt-file}']`,
  `      prompt: argv`,
  `      submit: {delay: 60ms, settle-after-start: 100ms}`,
  `      screen:`,
  `        box: {top: '^─{20,}$', first: '^> ?(?<draft>.*)$', more: '^  (?<draft>.*)$', bottom: '^─{20,}$'}`,
  `        entry: '^[●»*]'`,
  `        anchor: '^»'`,
  `        rules:`,
  `          - {id: retries, in: status, pattern: '^\\* Retrying…', state: retrying}`,
  `          - {id: spinner, in: status, pattern: '^\\* Working…', state: working}`,
  `      dialogs:`,
  `        - {id: asks, kind: permission, pattern: '▲ May I ', answer: {label: 'Yes, this once', cursor: '❯'}}`,
  `        - {id: asks-much, kind: permission, pattern: '▲ '}`,
  `    hooks:`,
  `      rules:`,
  `        - {id: prompt, match: {event: prompt}, state: working, prompt: prompt}`,
  `        - {id: tool-begins, match: {event: tool-begins}, state: working, opens-tool: id}`,
  `        - {id: tool-ends, match: {event: tool-ends}, state: working, closes-tool: id}`,
  `        - {id: stop, match: {event: stop}, state: finished, answer: answer}`,
  `        - {id: retries, match: {event: retries}, state: retrying, ends-as: rate-limited}`,
  `        - {id: limit, match: {event: limit}, state: usage-limited, reset: {path: reset, unit: epoch-s}}`,
  `        - {id: auth, match: {event: auth}, state: auth-failed}`,
  `        - {id: context, match: {event: context}, state: context-exhausted}`,
  `        - {id: works, match: {event: 'begins|works'}, state: working}`,
];

/** A task for it: by attempt, by turn, by step. */
export const actorTask = (attempts: readonly (readonly (readonly ActorStep[])[])[], head: readonly string[] = []): string =>
  `${head.length === 0 ? '' : `---\n${head.join('\n')}\n---\n`}# A play\n\nACTOR: ${JSON.stringify({ attempts })}\n`;
