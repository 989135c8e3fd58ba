import type { Command } from 'commander';

/*
 * The man page is what the parser says, in roff: man/snakepit.1 is written by `npm run generate`, and a test fails where it is not
 * what this gives.
 */

const escaped = (text: string): string => text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replace(/^([.'])/gm, '\\&$1');
const bold = (text: string): string => `\\fB${escaped(text)}\\fR`;
/** One paragraph: roff gives a line that begins with a space a line of its own, and ends nothing at an empty one but a paragraph. */
const flowing = (text: string): string => escaped(text.trim().replace(/\s*\n\s*/g, ' '));
const tagged = (tag: string, text: string): string[] => ['.TP', tag, flowing(text)];

/** What `addHelpText('after', …)` appends. The command's output is redirected for good: this is a parser that only the page is made from. */
function after(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => void (text += part) });
  command.outputHelp();
  return text.slice(command.helpInformation().length).trim();
}

const usage = (command: Command): string => {
  const words = [command.name()];
  for (let at = command.parent; at !== null; at = at.parent) words.unshift(at.name());
  return `${bold(words.join(' '))} ${escaped(command.usage())}`.trimEnd();
};

function commandText(command: Command): string[] {
  const lines = ['.SS', usage(command), sentence(command.description())];
  for (const argument of command.registeredArguments) if (argument.description !== '') lines.push(...tagged(`\\fI${escaped(argument.name())}\\fR`, argument.description));
  for (const option of command.createHelp().visibleOptions(command)) if (option.long !== '--help') lines.push(...tagged(bold(option.flags), `${option.description}${option.defaultValue === undefined ? '' : ` (default: ${String(option.defaultValue)})`}`));
  for (const line of after(command).split('\n')) if (line !== '') lines.push('.PP', flowing(line));
  for (const sub of command.commands) lines.push(...commandText(sub));
  return lines;
}

const sentence = (text: string): string => {
  const flat = flowing(text);
  return /[.!?]$/.test(flat) ? flat : `${flat}.`;
};

const FILES: readonly (readonly [string, string])[] = [
  ['snakepit.yaml', 'the configuration; snakepit config --defaults prints a commented one, --schema its JSON Schema'],
  ['queue/', 'drop tasks here; where a task file lies is its state'],
  ['queue/done/, queue/failed/', 'where each task ends, with its story <id>.result.md beside it'],
  ['queue/needs/', 'tasks that ask a person, with <id>.question.md beside them'],
  ['.snakepit/', 'what the pit remembers: runs, sessions, the event log, breakers, the ledger'],
];

const VARIABLES: readonly (readonly [string, string])[] = [
  ['SNAKEPIT_DIR', 'the pit\'s directory, where -C is not given'],
  ['SNAKEPIT_DEBUG', 'not empty: a fault of ours is told with its stack'],
  ['SNAKEPIT_TRUST_UID', 'users by number, with commas, who may own or write what the pit stands on'],
  ['NO_COLOR', 'not empty: no colours'],
];

/** The whole page. */
export function manPage(program: Command): string {
  const [, ...codes] = after(program).replace(/\s*\n\s*/g, ' ').split(/: | · /);
  const lines = [
    '.\\" Written by npm run generate from the parser; edit src/cli/program.ts instead.',
    `.TH SNAKEPIT 1 "" "snakepit ${program.version() ?? ''}" "User Commands"`,
    '.SH NAME',
    'snakepit \\- works markdown tasks with agents in tmux, each exactly once',
    '.SH SYNOPSIS',
    usage(program),
    '.SH DESCRIPTION',
    flowing(program.description()),
    '.SH OPTIONS',
    ...program.createHelp().visibleOptions(program).flatMap((option) => tagged(bold(option.flags), option.description)),
    '.SH COMMANDS',
    ...program.commands.flatMap(commandText),
    '.SH EXIT STATUS',
    ...codes.flatMap((one) => tagged(`\\fB${/^\d+/.exec(one)?.[0] ?? ''}\\fR`, one.replace(/^\d+\s*/, ''))),
    '.SH ENVIRONMENT',
    ...VARIABLES.flatMap(([name, text]) => tagged(bold(name), text)),
    '.SH FILES',
    ...FILES.flatMap(([name, text]) => tagged(`\\fI${escaped(name)}\\fR`, text)),
    '.SH SEE ALSO',
    '\\fBtmux\\fR(1), \\fBgit\\fR(1), README.md and docs/ in the package',
  ];
  return `${lines.join('\n')}\n`;
}
