import { shellQuote } from '../lib/quote.js';
import { err, ok, type Result } from '../lib/result.js';

/** What a timer has to run. Absolute throughout: cron has next to no environment. */
export interface TimedCommand {
  readonly node: string;
  readonly program: string;
  readonly root: string;
  readonly log: string;
  readonly path: string;
  /** Minutes between two runs, 1 to 59. */
  readonly everyMinutes: number;
}

const begin = (root: string): string => `# snakepit cleanup of ${root}: begin`;
const end = (root: string): string => `# snakepit cleanup of ${root}: end`;

/** A percent sign is a line end to cron, unless it is escaped; a real line end cannot be written at all. */
export function cronBlock(of: TimedCommand): Result<string[], string> {
  const line = `*/${of.everyMinutes} * * * * PATH=${shellQuote(of.path)} ${[of.node, of.program, '-C', of.root, 'cleanup'].map(shellQuote).join(' ')} >>${shellQuote(of.log)} 2>&1`;
  if (/[\r\n]/.test(line)) return err('a path with a line end in it cannot stand in a crontab');
  return ok([begin(of.root), line.replaceAll('%', '\\%'), end(of.root)]);
}

/** Pure: a crontab with our block put in, put anew or taken out; every other line stays as it is. A block whose end somebody removed is not guessed at. */
export function editCrontab(text: string, root: string, block: readonly string[] | undefined): Result<string, string> {
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  const from = lines.indexOf(begin(root));
  const to = lines.indexOf(end(root));
  if (from < 0 !== to < 0 || to < from || lines.lastIndexOf(begin(root)) !== from || lines.lastIndexOf(end(root)) !== to) return err(`the lines of snakepit in the crontab are not whole; mend them with: crontab -e (they begin with: ${begin(root)})`);
  const kept = from < 0 ? lines : [...lines.slice(0, from), ...lines.slice(to + 1)];
  const at = from < 0 ? kept.length : from;
  const edited = [...kept.slice(0, at), ...(block ?? []), ...kept.slice(at)];
  return ok(edited.length === 0 ? '' : `${edited.join('\n')}\n`);
}

/** The same for systemd, to be saved as two files below ~/.config/systemd/user/. */
export function systemdUnits(of: TimedCommand): string {
  const quoted = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&').replaceAll('%', '%%').replaceAll('$', '$$$$')}"`;
  return `# ~/.config/systemd/user/snakepit-cleanup.service
[Unit]
Description=snakepit cleanup of ${of.root.replaceAll('%', '%%')}

[Service]
Type=oneshot
Environment=${quoted(`PATH=${of.path}`)}
ExecStart=${[of.node, of.program, '-C', of.root, 'cleanup'].map(quoted).join(' ')}
# mended something; something is left to a person; both
SuccessExitStatus=1 4 5

# ~/.config/systemd/user/snakepit-cleanup.timer
[Unit]
Description=snakepit cleanup of ${of.root.replaceAll('%', '%%')}, every ${of.everyMinutes} minutes

[Timer]
OnBootSec=1min
OnUnitActiveSec=${of.everyMinutes}min

[Install]
WantedBy=timers.target

# then: systemctl --user daemon-reload && systemctl --user enable --now snakepit-cleanup.timer
`;
}
