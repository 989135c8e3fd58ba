import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../rig/until.js';
import { envOf, HEADLESS, type Core, type Place } from './headless.js';
import { parsed } from './wire/json.js';

const MARK = 'SNAKEPIT_AGENT_RIG';
const GONE_MS = 15_000;

export interface Ran {
  readonly code: number | null;
  readonly events: readonly unknown[];
  readonly stderr: string;
}

/** A home and a working directory of its own for one agent, and every process that was started in it. */
export class AgentRig implements AsyncDisposable {
  readonly place: Place;
  private readonly mark = randomUUID();
  private readonly root: string;
  private readonly groups: number[] = [];

  private constructor(root: string, url: string) {
    this.root = root;
    this.place = { home: join(root, 'home'), work: join(root, 'work'), url };
  }

  static async create(url: string): Promise<AgentRig> {
    const rig = new AgentRig(await realpath(await mkdtemp(join(tmpdir(), 'snakepit-agent-'))), url);
    for (const dir of ['home', 'work', 'tmp']) await mkdir(join(rig.root, dir));
    return rig;
  }

  /** Seeds the home and runs the agent once, without a terminal, in a process group of its own; ended by force after `patienceMs`. */
  async run(name: Core, bin: string, prompt: string, patienceMs: number): Promise<Ran> {
    const how = HEADLESS[name];
    await how.seed(this.place);
    const input = how.stdin(prompt);
    const child = spawn(bin, how.argv(prompt), { cwd: this.place.work, env: { ...envOf(name, this.place), [MARK]: this.mark }, detached: true, stdio: [input === null ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
    if (child.pid !== undefined) this.groups.push(child.pid);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on('data', (part: Buffer) => out.push(part));
    child.stderr?.on('data', (part: Buffer) => err.push(part));
    if (input !== null) child.stdin?.end(input);
    const timer = setTimeout(() => void this.endAll('SIGKILL'), patienceMs);
    try {
      const [code] = (await once(child, 'close')) as [number | null];
      return { code, events: Buffer.concat(out).toString().split('\n').map(parsed).filter((event) => event !== undefined), stderr: Buffer.concat(err).toString() };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends what is left and removes the directory; throws if either could not be done. */
  async [Symbol.asyncDispose](): Promise<void> {
    const end = await this.left();
    if (end.length > 0) await this.endAll('SIGTERM');
    const killAt = performance.now() + 3000;
    await until('every process of the agent is gone', async () => {
      if (performance.now() > killAt) await this.endAll('SIGKILL');
      return (await this.left()).length === 0;
    }, GONE_MS);
    await rm(this.root, { recursive: true, force: true, maxRetries: 5 });
    const there = await access(this.root).then(() => true, () => false);
    if (there) throw new Error(`could not remove ${this.root}`);
  }

  /** The processes that bear this rig's mark in their environment or are of a group it started; zombies are not counted. */
  async left(): Promise<number[]> {
    const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry)).map(Number);
    const found = await Promise.all(pids.map(async (pid) => ((await this.isOurs(pid)) ? pid : 0)));
    return found.filter((pid) => pid !== 0);
  }

  private async isOurs(pid: number): Promise<boolean> {
    try {
      const stat = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ');
      if (stat[0] === 'Z' || stat[0] === 'X') return false;
      if (this.groups.includes(Number(stat[2]))) return true;
      return (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0').includes(`${MARK}=${this.mark}`);
    } catch {
      return false; // It ended while it was looked at, or is another user's.
    }
  }

  private async endAll(signal: NodeJS.Signals): Promise<void> {
    for (const pid of await this.left()) {
      try {
        process.kill(pid, signal);
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown;
      }
    }
  }
}
