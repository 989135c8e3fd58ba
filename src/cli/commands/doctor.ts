import { accessSync, constants, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { profileNames } from '../../agents/profiles.js';
import { run } from '../../lib/run.js';
import { QUEUE_STATES } from '../../protocol/layout.js';
import { livePit, openContext, print, printJson, type Context } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import { paint, table } from '../style.js';

interface Finding {
  readonly check: string;
  readonly level: 'ok' | 'warn' | 'bad';
  readonly fact: string;
  readonly remedy: string;
}

const ok = (check: string, fact: string): Finding => ({ check, level: 'ok', fact, remedy: '' });

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const good = major > 20 || (major === 20 && minor >= 19);
  return good ? ok('node', process.version) : { check: 'node', level: 'bad', fact: process.version, remedy: 'install Node 20.19 or newer' };
}

async function checkTmux(): Promise<Finding> {
  const ran = await run(['tmux', '-V'], { timeoutMs: 5000 }).catch(() => ({ kind: 'unknown' as const, why: 'not found' }));
  if (ran.kind === 'unknown' || ran.code !== 0) return { check: 'tmux', level: 'bad', fact: 'not found', remedy: 'install it: apt-get install tmux' };
  const version = /(\d+)\.(\d+)/.exec(ran.stdout);
  const number = version === null ? 0 : Number(version[1]) + Number(version[2]) / 100;
  return number >= 3.02 ? ok('tmux', ran.stdout.trim()) : { check: 'tmux', level: 'bad', fact: ran.stdout.trim(), remedy: 'install tmux 3.2 or newer (new-session -e)' };
}

/** Magic numbers of filesystems where rename or process identity cannot be trusted across hosts: NFS, SMB, CIFS, 9p, FUSE. */
const REMOTE: Readonly<Record<number, string>> = { 0x6969: 'nfs', 0x517b: 'smb', 0xff534d42: 'cifs', 0xfe534d42: 'smb2', 0x01021997: '9p', 0x65735546: 'fuse' };

function checkFilesystem({ layout }: Context): Finding[] {
  const device = statSync(layout.queue).dev;
  const apart = QUEUE_STATES.filter((state) => statSync(layout.dir(state), { throwIfNoEntry: false })?.dev !== device);
  const kind = REMOTE[statfsSync(layout.queue).type];
  const mode = statSync(layout.state).mode & 0o777;
  return [
    apart.length === 0 ? ok('one filesystem', 'all of queue/ is on one') : { check: 'one filesystem', level: 'bad', fact: `queue/${apart.join(', queue/')} missing or on another filesystem`, remedy: 'a transition is one rename: put them on the one that queue/ is on; snakepit init makes missing ones' },
    kind === undefined ? ok('local filesystem', 'yes') : { check: 'local filesystem', level: 'warn', fact: `queue/ is on ${kind}`, remedy: 'use a local disk: renames and watchers are not to be trusted over the network' },
    (mode & 0o077) === 0 ? ok('private state', '.snakepit/ is 0700') : { check: 'private state', level: 'warn', fact: `.snakepit/ is 0${mode.toString(8)}`, remedy: `chmod 700 ${layout.state}` },
  ];
}

function checkSpace({ layout }: Context): Finding {
  const disk = statfsSync(layout.state);
  const gib = (disk.bavail * disk.bsize) / 1024 ** 3;
  const fact = `${gib.toFixed(1)} GiB free`;
  return gib >= 1 ? ok('free space', fact) : { check: 'free space', level: gib >= 0.25 ? 'warn' : 'bad', fact, remedy: 'free some: below min-free nothing new is claimed' };
}

function checkShells(): Finding[] {
  return ['sh', 'bash'].map((shell) => {
    for (const dir of (process.env['PATH'] ?? '').split(':')) {
      try {
        accessSync(join(dir, shell), constants.X_OK);
        return ok(`agent shell: ${shell}`, join(dir, shell));
      } catch {
        continue;
      }
    }
    return { check: `agent shell: ${shell}`, level: shell === 'sh' ? ('bad' as const) : ('warn' as const), fact: 'not found', remedy: `install ${shell}` };
  });
}

async function checkStuck({ files, layout }: Context): Promise<Finding> {
  const stuck = (await files.list(layout.dir('stuck'))).length;
  return stuck === 0 ? ok('stuck tasks', 'none') : { check: 'stuck tasks', level: 'warn', fact: `${stuck} in queue/stuck/`, remedy: 'end the processes that are named in the event log, then mv the file back to queue/' };
}

export async function doctor(dir: string | undefined, options: { json?: boolean }): Promise<void> {
  const context = openContext(dir);
  const pit = await livePit(context);
  const findings: Finding[] = [
    checkNode(),
    await checkTmux(),
    ...checkFilesystem(context),
    checkSpace(context),
    ...checkShells(),
    ok('agent profiles', profileNames().join(', ')),
    await checkStuck(context),
    ok('pit', pit === undefined ? 'not running' : `running, pid ${pit.pid}`),
  ];
  if (options.json === true) printJson({ findings });
  else {
    const mark = { ok: 'ok  ', warn: 'warn', bad: 'BAD ' } as const;
    print(table(findings.map((one) => [mark[one.level], one.check, one.remedy === '' ? one.fact : `${one.fact} → ${one.remedy}`]), (cell, column, row) => (column === 0 ? paint(findings[row]?.level === 'ok' ? 'green' : findings[row]?.level === 'warn' ? 'yellow' : 'red', cell) : cell)));
  }
  const bad = findings.filter((one) => one.level === 'bad');
  if (bad.length > 0) throw new CliError(`${bad.length} must be mended: ${bad.map((one) => one.check).join(', ')}`, EXIT.unavailable);
}
