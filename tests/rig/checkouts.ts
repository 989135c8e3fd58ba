import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CleanupPorts, CleanupSetting } from '../../src/cleanup/ports.js';
import { applyCleanup, planCleanup } from '../../src/cleanup/specialists.js';
import type { SpecialistName } from '../../src/cleanup/specialist.js';
import { resolveConfig } from '../../src/config/load.js';
import type { PitEvent } from '../../src/events/event.js';
import { headOf, repositoryOf } from '../../src/git/repository.js';
import { systemGit } from '../../src/git/run.js';
import { systemClock } from '../../src/lib/clock.js';
import { linuxProcesses, workingIn } from '../../src/lib/linux-processes.js';
import { nodeFiles } from '../../src/lib/node-files.js';
import { layoutOf, QUEUE_STATES, type Layout } from '../../src/protocol/layout.js';
import { openWorktree } from '../../src/workspace/open.js';
import { gitIn, seedRepo } from './repo.js';

const DAY_MS = 86_400_000;

/** A repository with worktrees of tasks, that no pit has: for rounds of the salvager and the pruner. */
export class Checkouts {
  readonly root: string;
  readonly layout: Layout;
  readonly told: PitEvent[] = [];
  readonly ports: CleanupPorts & { readonly checkouts: NonNullable<CleanupPorts['checkouts']> };

  constructor(name: string) {
    this.root = fs.mkdtempSync(join(fs.realpathSync(tmpdir()), `${name}-`));
    this.layout = layoutOf(this.root);
    for (const dir of [...QUEUE_STATES.map((state) => this.layout.dir(state)), this.layout.log, this.layout.runs]) fs.mkdirSync(dir, { recursive: true });
    seedRepo(this.root);
    this.ports = { files: nodeFiles, clock: systemClock, processes: linuxProcesses, events: { emit: async (event) => void this.told.push(event) }, checkouts: { git: systemGit(process.env), workingIn } };
  }

  dispose(): void {
    fs.rmSync(this.root, { recursive: true, force: true });
  }

  setting(yaml = ''): CleanupSetting {
    const config = resolveConfig('snakepit.yaml', yaml, {});
    if (!config.ok) throw new Error(config.error.problem);
    return { layout: this.layout, config: config.value, successor: () => 'refused', pitId: 'x', residents: async () => [], thorough: true };
  }

  /** A worktree as a snake makes it; its path. */
  async open(id: string): Promise<string> {
    const { files, clock, processes, checkouts } = this.ports;
    const { git } = checkouts;
    const repository = await repositoryOf(git, this.root);
    const head = await headOf(git, this.root);
    if (!repository.ok || repository.value === 'none' || !head.ok) throw new Error('no repository');
    const opened = await openWorktree({ files, clock, processes, git }, this.layout, { id, repository: repository.value, head: head.value, base: 'HEAD', env: {}, endLeftovers: async () => true, lastEndedAt: undefined });
    if (!opened.ok) throw new Error(opened.error);
    return opened.value.record.path;
  }

  /** The task has ended so many days ago. */
  end(id: string, state: 'done' | 'failed', days = 2): void {
    const at = Date.now() - days * DAY_MS;
    fs.writeFileSync(join(this.layout.dir(state), `${id}.md`), '# Work\n');
    const run = join(this.layout.runs, id, '001-abcdefghij');
    fs.mkdirSync(run, { recursive: true });
    fs.writeFileSync(join(run, 'outcome.json'), JSON.stringify({ marker: `${id}~0.0.0~abcdefghij`, attempt: 1, agent: 'shell', endedAt: at, outcome: { kind: 'done', message: '' }, next: { kind: 'done' } }));
  }

  /** Plan and run of one specialist, as lines. */
  async round(only: SpecialistName, yaml = '', ports: CleanupPorts = this.ports): Promise<{ plan: string[]; done: string[] }> {
    const setting = this.setting(yaml);
    const plan = await planCleanup(ports, setting, [only]);
    const again = await planCleanup(ports, setting, [only]);
    if (JSON.stringify(plan) !== JSON.stringify(again)) throw new Error(`two plans differ:\n${JSON.stringify(plan)}\n${JSON.stringify(again)}`);
    const applied = await applyCleanup(ports, setting, plan);
    return { plan: plan.map(({ kind, verb, subject, rule }) => `${kind} ${verb} ${subject}: ${rule}`), done: applied.map(({ kind, subject, told }) => `${kind} ${subject}: ${told}`) };
  }

  git(...args: readonly string[]): string {
    return gitIn(this.root, ...args);
  }

  record(id: string): { readonly state: string; readonly salvaged?: { readonly ref: string; readonly commit: string } } | undefined {
    const file = join(this.layout.workspaces, id, 'workspace.json');
    return fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as { state: string }) : undefined;
  }
}
