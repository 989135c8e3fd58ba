import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { EventOptions } from './commands/events.js';

const EXIT_HELP = `
Exit codes: 0 well · 1 a task failed, was refused, or needs a person (wait) · 64 wrong usage · 65 bad or refused task · 66 no such task or pit · 69 something needed
is missing · 70 a fault of ours · 75 busy, or no pit is running · 77 no permission · 78 bad configuration · 124 timed out`;

function whole(text: string, low: number): number {
  if (!/^\d{1,4}$/.test(text) || Number(text) < low) throw new InvalidArgumentError(`use a whole number from ${low} to 9999`);
  return Number(text);
}

interface Global {
  readonly dir?: string;
}

/** The whole command line. Each command's code is loaded when it is called: `status` must not pay for `up`. */
export function buildProgram(): Command {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  const program = new Command('snakepit')
    .description('Drop markdown tasks into queue/, start N workers, go to sleep: each task ends exactly once, in done/ or failed/.')
    .option('-C, --dir <dir>', 'the pit\'s directory (else SNAKEPIT_DIR, else the nearest one upwards)')
    .version(version, '-V, --version', 'snakepit\'s version')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`snakepit: ${text.replace(/^error: /, '').trim().replace(/\s*\n\s*/g, ' ')}; see: snakepit --help\n`) })
    .showSuggestionAfterError()
    .addHelpText('after', EXIT_HELP);
  const dir = (): string | undefined => program.opts<Global>().dir;
  const json = (command: Command): Command => command.option('--json', 'facts as JSON');

  program.command('init').description('make a pit here: queue/, .snakepit/ and a commented snakepit.yaml').action(async () => (await import('./commands/init.js')).init(dir()));
  json(program.command('add').description('put tasks in line: files, or - for standard input; prints each id').argument('<file...>', 'markdown files, or -').option('--id <id>', 'the id of a single task that names none')).action(
    async (list: string[], options: { json?: boolean; id?: string }) => (await import('./commands/add.js')).add(dir(), list, options),
  );
  program
    .command('up')
    .description('start the pit, or scale a running one; saying it again changes nothing')
    .option('-n, --snakes <n>', 'how many snakes', (text) => whole(text, 0))
    .option('--foreground', 'do not detach: for systemd and containers')
    .action(async (options: { snakes?: number; foreground?: boolean }) => (await import('./commands/up.js')).up(dir(), options));
  program
    .command('down')
    .description('finish what runs, then stop everything and prove it')
    .option('--now', 'do not wait: end sessions, give their tasks back to the queue')
    .action(async (options: { now?: boolean }) => (await import('./commands/down.js')).down(dir(), options));
  json(program.command('status').description('pit, snakes and queue at a glance')).action(async (options: { json?: boolean }) => (await import('./commands/status.js')).status(dir(), options));
  json(program.command('ls').description('tasks by state: open ones in dispatch order, then the newest that have ended').argument('[state]', 'ready, waiting, held, running, reaping, stuck, needs (parked), done or failed (refused files among them)').option('-n, --limit <n>', 'of done and failed, so many of the newest (20; with --json all)', (text) => whole(text, 0)).addOption(new Option('--all', 'all of them').conflicts('limit'))).action(
    async (state: string | undefined, options: { json?: boolean; limit?: number; all?: boolean }) => (await import('./commands/ls.js')).ls(dir(), state, options),
  );
  json(program.command('show').description('all about one task').argument('<task>', 'its id, or the name of the dropped file')).action(async (id: string, options: { json?: boolean }) => (await import('./commands/show.js')).showTask(dir(), id, options));
  json(program.command('explain').description('why a task, a snake or a resident stands where it stands: evidence with ages, the rule that holds, what comes next').argument('<task|snake|resident>').option('-w, --watch', 'go on, and tell what changes')).action(
    async (name: string, options: { json?: boolean; watch?: boolean }) => (await import('./commands/explain.js')).explain(dir(), name, options),
  );
  program.command('diff').description('what a task changed on its branch, since its base').argument('<task>').option('--stat', 'files and lines only').action(async (id: string, options: { stat?: boolean }) => (await import('./commands/diff.js')).diff(dir(), id, options));
  json(program.command('merge').description('merge a done task whose branch was left alone, or one that its merge parked: in the line, with the policy and the checks of the workers').argument('<task>').option('--into <branch>', 'the target (else into: of snakepit.yaml)').addOption(new Option('--how <mode>', 'else merge: of the task or snakepit.yaml, else no-ff').choices(['ff', 'no-ff', 'squash', 'rebase'])).option('--dry-run', 'what it would come to; nothing is moved, no check runs'))
    .addHelpText('after', '\nExit codes: 0 merged, or merged before · 1 it is not: conflict, checks, policy, or its target is checked out · 64 its work is not done · 75 busy')
    .action(async (id: string, options: { into?: string; how?: 'ff'; dryRun?: boolean; json?: boolean }) => (await import('./commands/merge.js')).merge(dir(), id, options));
  json(program.command('reject').description('put away what a done or parked task made: its branch and what nobody committed are kept as refs, its worktree goes, the task lies in failed/').argument('<task>').argument('[why...]', 'for its story; with --again, what its author is to mend').option('--again', 'back to its author instead, in its worktree and session, with these words'))
    .addHelpText('after', '\nWhat is merged is refused, with the git revert that takes it back.')
    .action(async (id: string, why: string[], options: { again?: boolean; json?: boolean }) => (await import('./commands/reject.js')).reject(dir(), id, why, options));
  program
    .command('logs')
    .description('what was said and done in a task\'s or a resident\'s session, message by message, or what it printed; or what a snake did')
    .argument('<task|snake|resident>')
    .option('-f, --follow', 'go on as it grows')
    .option('--attempt <n>', 'of this attempt, not the newest', (text) => whole(text, 1))
    .option('--step <step>', 'of this step of its workflow: review (its last round), review-r2, or 02-review')
    .option('--all', 'of all its sessions one after the other, or of all in that attempt, of that step')
    .option('--terminal', 'what its terminal showed, not its messages')
    .option('--raw', 'the same with the escape sequences (they act on yours)')
    .action(async (name: string, options: { follow?: boolean; raw?: boolean; terminal?: boolean; attempt?: number; step?: string; all?: boolean }) => (await import('./commands/logs.js')).logs(dir(), name, options));
  program
    .command('attach')
    .description('look into a running session; C-b d leaves it running')
    .argument('<task|snake|resident>')
    .option('-r, --read-only', 'keys do nothing')
    .action(async (name: string, options: { readOnly?: boolean }) => (await import('./commands/attach.js')).attach(dir(), name, options));
  json(program.command('nudge').description('type a text into the running full-screen session of a task or a resident; a long one goes through a file').argument('<task|snake|resident>').argument('<text...>', 'or - for standard input').option('--wait <duration>', 'for a session that takes no text now', '20s'))
    .addHelpText('after', '\nExit codes: 0 submitted, or queued behind its turn · 75 refused: nothing was typed, ask again · 69 unconfirmed: look in with snakepit attach · 64 it runs in print mode')
    .action(async (name: string, words: string[], options: { json?: boolean; wait?: string }) => (await import('./commands/nudge.js')).nudge(dir(), name, words, options));
  json(program.command('ping').description('tell several at once: tasks, snakes, residents by name, or person; a long message goes through a file').argument('<word...>', 'names, then the message: the last word (in quotes), or all behind --; - for standard input').option('--file <file>', 'the message; then all words are names').option('--wait <duration>', 'for a session that takes no text now', '20s'))
    .addHelpText('after', '\nIn: snakepit ping s1 s2 -- look at the tests\nExit codes, the worst of all names: 0 submitted, queued behind its turn, or told · 69 unconfirmed: look in with snakepit attach · 75 refused: nothing was typed, ask again · 64 it runs in print mode · 66 it is not running')
    .action(async (words: string[], options: { json?: boolean; wait?: string; file?: string }) => {
      const dashes = process.argv.indexOf('--');
      return (await import('./commands/ping.js')).ping(dir(), words, dashes < 0 ? undefined : process.argv.length - dashes - 1, options);
    });
  json(program.command('pings').description('rules of pings:, how far each has looked, and what waits to be delivered')).action(async (options: { json?: boolean }) => (await import('./commands/pings.js')).pings(dir(), options));
  json(program.command('notify').description('hooks: in snakepit.yaml: what is told of events: desktop, bell, commands, web addresses').option('--test [hook...]', 'call them, or these, with an event hook-tested')).action(
    async (options: { json?: boolean; test?: true | string[] }) => (await import('./commands/notify.js')).notify(dir(), options),
  );
  for (const [name, description] of [
    ['retry', 'put failed tasks, or mended refused files, back in line with fresh counters'],
    ['rerun', 'run done tasks once more, with fresh counters; their old story is kept'],
    ['cancel', 'end tasks, running or not; they go to failed/'],
    ['hold', 'keep tasks from being claimed'],
    ['release', 'let held tasks go'],
  ] as const) {
    program
      .command(name)
      .description(description)
      .argument('<task...>')
      .action(async (ids: string[]) => (await import('./commands/moves.js'))[name](dir(), ids));
  }
  json(program.command('answer').description('answer a task that asks (see: needs), or let it go on as it stands after an edit in queue/needs/; it goes back in line at its place').argument('<task>').argument('[text...]', 'the answer, or - for standard input; none: the task\'s own text, edited or not, is the answer. To a spent budget: +1M (tokens), \'+5$\', +30m, 2x, off')).action(
    async (name: string, words: string[], options: { json?: boolean }) => (await import('./commands/answer.js')).answer(dir(), name, words, options),
  );
  json(program.command('needs').description('tasks that ask a person, and what')).action(async (options: { json?: boolean }) => (await import('./commands/answer.js')).needs(dir(), options));
  program.command('pause').description('claim nothing more; what runs goes on').action(async () => (await import('./commands/pause.js')).pause(dir()));
  program.command('resume').description('claim again').action(async () => (await import('./commands/pause.js')).resume(dir()));
  program
    .command('wait')
    .description('wait until tasks (default: all) have ended, or all that is left needs a person; exit code 1 then, and when one failed or was refused meanwhile')
    .argument('[task...]', 'ids, or names of dropped files')
    .option('--timeout <duration>', 'give up after this long, such as 90s')
    .option('--quiet', 'no progress line')
    .action(async (ids: string[], options: { timeout?: string; quiet?: boolean }) => (await import('./commands/wait.js')).wait(dir(), ids, options));
  json(program.command('events').description('what happened, oldest first (docs/events.md)').option('-f, --follow', 'go on as it happens').option('--since <time>', 'ISO time, or so long ago: 10m').option('--kind <kind...>', 'only of these kinds; * stands for any characters').option('--task <task>', 'only about this task').option('--schema', 'JSON Schema of one line')).action(
    async (options: EventOptions) => (await import('./commands/events.js')).events(dir(), options),
  );
  const recurring = json(program.command('recurring').description('templates in queue/recurring/ and specialists: schedule, next due time, last instance, and what is wrong with them')).action(async (options: { json?: boolean }) => (await import('./commands/recurring.js')).listRecurring(dir(), options));
  json(recurring.command('run').description('make an instance now; the schedule goes on as before').argument('<template>', 'its name or file')).action(async (name: string, _options: unknown, command: Command) => (await import('./commands/recurring.js')).runRecurring(dir(), name, command.optsWithGlobals()));
  json(program.command('cleanup').description('mend what crashes left; for cron, with or without a pit').option('--dry-run', 'print the plan, do nothing').option('--only <specialist...>', 'reaper, orphans, reconciler, sweeper, salvager, pruner, archivist, composter, log-keeper, or one of specialists: in snakepit.yaml').option('--install-cron', 'run it every ten minutes: shows the lines, asks, writes them into your crontab').option('--uninstall-cron', 'take them out again').option('--systemd', 'print a service and a timer for systemd instead').option('-y, --yes', 'do not ask')).addHelpText('after', '\nAgents of specialists: in snakepit.yaml are put in line when they are due, as tasks.\nExit codes: 0 clean · 1 it mended something, or put one in line · 4 something is left to a person · 5 both').action(
    async (options: { dryRun?: boolean; json?: boolean; only?: string[]; installCron?: boolean; uninstallCron?: boolean; systemd?: boolean; yes?: boolean }) => {
      if (options.systemd === true) return (await import('./commands/cleanup-timer.js')).cleanupSystemd(dir());
      if (options.installCron === true || options.uninstallCron === true) return (await import('./commands/cleanup-timer.js')).cleanupCron(dir(), options.installCron === true, options);
      return (await import('./commands/cleanup.js')).cleanup(dir(), options);
    },
  );
  json(program.command('doctor').description('check this machine and this pit; each finding with its remedy')).action(async (options: { json?: boolean }) => (await import('./commands/doctor.js')).doctor(dir(), options));
  program
    .command('top')
    .description('live and full-screen: snakes, residents, queue, what asks, what failed; ? shows the keys')
    .option('--once', 'print one frame, COLUMNS wide')
    .action(async (options: { once?: boolean }) => (await import('./commands/top.js')).top(dir(), options));
  json(program.command('config'))
    .description('the configuration in force, as keys of snakepit.yaml')
    .addOption(new Option('--schema', 'its JSON Schema').conflicts('defaults'))
    .option('--defaults', 'a commented snakepit.yaml')
    .action(async (options: { schema?: boolean; defaults?: boolean; json?: boolean }) => (await import('./commands/config.js')).config(dir(), options));
  const agents = json(program.command('agents').description('agent profiles: what is here, in which version, and what is missing')).action(async (options: { json?: boolean }) => (await import('./commands/agents.js')).listAgents(dir(), options));
  json(agents.command('show').description('a profile as it is in force').argument('<agent>')).action(async (name: string, _options: unknown, command: Command) => (await import('./commands/agents.js')).showAgent(dir(), name, command.optsWithGlobals()));
  json(agents.command('check').description('could this agent work a task here?').argument('<agent>', 'a profile, or profile:model:reasoning').option('--live', 'ask it for one word (costs a few tokens)').option('--timeout <duration>', 'for --live', '3m')).action(
    async (name: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<{ live?: boolean; json?: boolean; timeout: string }>();
      return (await import('./commands/agents-check.js')).checkAgent(dir(), name, { ...options, timeoutMs: (await import('../lib/duration.js')).parseDuration(options.timeout) ?? 180_000 });
    },
  );
  json(program.command('tokens').description('tokens and money that attempts used, as their programs\' own records say').option('--by <what>', 'task, step, profile, account, model or day', 'task').option('--since <time>', 'ISO time, a day, or so long ago: 12h')).action(
    async (options: { by?: string; since?: string; json?: boolean }) => (await import('./commands/tokens.js')).tokens(dir(), options),
  );
  program.command('metrics').description('metrics in Prometheus\' text format, once; metrics: in snakepit.yaml writes them to a file or serves them on 127.0.0.1').action(async () => (await import('./commands/metrics.js')).metrics(dir()));
  json(program.command('report').description('what happened while you were away, as Markdown: the verdict, what needs you, what is done, what was mended, what it cost').option('--since <time>', 'ISO time, a day, or so long ago', '12h')).action(
    async (options: { since?: string; json?: boolean }) => (await import('./commands/report.js')).report(dir(), options),
  );
  json(program.command('workflows').description('how tasks can be worked: the workflows that come along and your own; with a name, its steps, options and file').argument('[name]')).option('--file', 'its file as it is, to copy into workflows/').action(async (name: string | undefined, options: { json?: boolean; file?: boolean }) => (await import('./commands/workflows.js')).workflows(dir(), name, options));
  json(program.command('breakers').description('provider accounts that are at a limit, being tried, or let their tasks go one by one').option('--close <account>', 'open this one to all of its tasks now')).action(
    async (options: { json?: boolean; close?: string }) => (await import('./commands/breakers.js')).breakers(dir(), options),
  );
  program
    .command('completion')
    .description('a script that completes commands, options and live names in your shell')
    .argument('<shell>', 'bash, zsh or fish')
    .argument('[typed...]', 'behind --: the words up to the cursor; prints what may stand there')
    .addHelpText('after', '\nIn ~/.bashrc: eval "$(snakepit completion bash)"; in ~/.zshrc, after compinit: eval "$(snakepit completion zsh)"\nOnce, for fish: snakepit completion fish > ~/.config/fish/completions/snakepit.fish')
    .action(async (shell: string, words: string[]) => (await import('./commands/completion.js')).completion(program, shell, words));
  json(program.command('version').description('snakepit, node and tmux versions')).action(async (options: { json?: boolean }) => (await import('./commands/version.js')).version(options));

  program.command('done').description('(in a session) say that the task, or its step, is done').argument('[message...]').option('--verdict <verdict>', 'of a step that reviews: PASS or REJECT').action(async (words: string[], options: { verdict?: string }) => (await import('./commands/session.js')).done(words, options));
  program
    .command('fail')
    .description('(in a session) say that this attempt failed')
    .argument('[message...]')
    .option('--final', 'do not try again')
    .action(async (words: string[], options: { final?: boolean }) => (await import('./commands/session.js')).fail(words, options));
  program.command('ask').description('(in a session) ask a person: the attempt ends, the task waits in needs/, and snakepit answer brings the answer to its next attempt').argument('<question...>', 'or - for standard input').action(async (words: string[]) => (await import('./commands/session.js')).ask(words));
  program.command('note').description('(in a session) add a line to the task\'s story').argument('<text...>').action(async (words: string[]) => (await import('./commands/session.js')).addNote(words));
  program.command('wait-until').description('(in a session) say that it waits for something until a time: the watchdog leaves it alone until then, its timeout does not').argument('<time>', 'ISO time, or a duration such as 10m').action(async (time: string) => (await import('./commands/session.js')).waitUntil(time));
  program.command('toss').description('(in a session) put new tasks in line as children of this one').argument('<file...>', 'markdown files, or -').action(async (list: string[]) => (await import('./commands/toss.js')).toss(list));
  return program;
}
