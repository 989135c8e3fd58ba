import { dirname, join } from 'node:path';
import { claimEntry, pitEntry } from '../../src/protocol/names.js';
import { parseJson, RUN_FILES, type AttemptRecord } from '../../src/protocol/records.js';
import { PROGRAM_FILES } from '../../src/agents/program.js';
import type { LaunchSpec } from '../../src/tmux/server.js';
import type { TreeDisk } from './disk.js';
import type { Machine, SimProcess } from './machine.js';
import { Screen } from './screen.js';
import { FOR_EVER, seconds, type Script, type Step, type Turn } from './script.js';

/** What a session needs of the world around it. */
export interface Stage {
  readonly machine: Machine;
  readonly disk: TreeDisk;
  /** The script of one attempt, by the task's id. */
  /** `step`: of a workflow's session, as its directory names it (`review-r2`); undefined: it has no steps. */
  readonly scriptOf: (id: string, attempt: number, step: string | undefined) => Script;
  /** A line of the timeline. */
  readonly tell: (id: string, action: string, evidence?: string) => void;
  /** Accounts that are at their limit, until when (wall clock), and whether the program says so; a script's own limit sets it. */
  readonly limits: Map<string, { readonly until: number; readonly told: boolean }>;
}

const SPINNER = '* Working… (esc to interrupt)';
const EVENT_MS = seconds(20);
/** Of a program that is starting. */
const START_MS = 1500;
const TERM_MS = 100;

/**
 * The wrapper (src/agents/launcher.ts, step by step as far as the watchdog can see) and the program that it starts, which plays
 * its script. Ends as the real one does: TERM ends the program, and the wrapper records it; after KILL nobody records anything.
 */
export class Session {
  readonly screen = new Screen();
  readonly id: string;
  readonly leader: SimProcess;
  /** Texts that were submitted to it, with their time. */
  readonly heard: { readonly at: number; readonly text: string }[] = [];
  /** The text of its wrapper. */
  launcher = '';
  attempt: AttemptRecord | undefined;
  private readonly stage: Stage;
  private readonly run: string;
  private program: SimProcess | undefined;
  private busy = false;
  private turn = -1;
  private queue: string[] = [];
  private script: Script = [];
  private heeded: (() => void) | undefined;
  private chosen: ((row: number) => void) | undefined;
  private tools = 0;

  constructor(stage: Stage, spec: LaunchSpec) {
    this.stage = stage;
    const marker = spec.env['SNAKEPIT_CLAIM'] ?? '';
    this.run = dirname(spec.argv[1] ?? '');
    this.id = marker.slice(0, marker.indexOf('~'));
    this.leader = stage.machine.spawn({ role: 'session', name: spec.session, marks: [claimEntry(marker), pitEntry(spec.env['SNAKEPIT_PIT'] ?? '')] });
    this.leader.onSignal = () => undefined;
    this.screen.plug({ pasted: () => undefined, pressed: (key) => this.press(key) });
    stage.machine.after(20, () => this.wrap(marker), this.leader);
  }

  /** Of the wrapper: claim first, `started` second, the program third. */
  private wrap(marker: string): void {
    const { disk, machine } = this.stage;
    const file = (name: string): string => join(this.run, name);
    // A resident's claim lies in a place of its own.
    const claims = /^CLAIMED='(.*)'$/m.exec(disk.text(file(RUN_FILES.launcher)) ?? '')?.[1] ?? '';
    const stands = disk.list(claims).some((name) => name.includes(`~${marker}~`));
    if (!stands || !disk.exists(file(RUN_FILES.launcher)) || disk.makeDir(file(RUN_FILES.started)) === 'exists') return machine.end(this.leader);
    disk.write(file(RUN_FILES.session), `${this.leader.identity.pid} ${this.leader.identity.start}\n`);
    this.launcher = disk.text(file(RUN_FILES.launcher)) ?? '';
    disk.remove(file(RUN_FILES.launcher));
    this.attempt = parseJson<AttemptRecord>(disk.text(file(RUN_FILES.attempt)));
    if (this.attempt === undefined) return machine.end(this.leader);
    this.script = this.stage.scriptOf(this.id, this.attempt.attempt, /\/steps\/\d+-([^/]+)$/.exec(this.run)?.[1]);
    const program = machine.spawn({ role: 'program', name: this.id, parent: this.leader, leads: false, marks: [...this.leader.marks] });
    this.program = program;
    program.onSignal = () => machine.after(TERM_MS, () => this.exit(143), program);
    const first = this.script[0]?.[0] ?? { mute: true };
    if ('mute' in first) return;
    machine.after(START_MS, () => this.start(), program);
  }

  private start(): void {
    this.screen.blank = false;
    this.record('begins');
    this.begin('the task');
  }

  private begin(text: string): void {
    if (!this.alive()) return;
    this.screen.add(`» ${text.slice(0, 100)}`);
    this.record('prompt', { prompt: text });
    this.turn += 1;
    const limited = this.stage.limits.get(this.account);
    if (limited !== undefined && limited.until > this.stage.machine.wallMs()) return this.meetLimit(limited);
    void this.play(this.script[Math.min(this.turn, this.script.length - 1)] ?? []);
  }

  private async play(turn: Turn): Promise<void> {
    this.busy = true;
    this.screen.status = SPINNER;
    this.record('works');
    let answer = '';
    for (const step of turn) {
      if ('says' in step) answer = this.say(step.says);
      else if ('saysItWaits' in step) answer = this.say(`I wait for the pipeline.\nWAITING-UNTIL: ${new Date(this.stage.machine.wallMs() + step.saysItWaits).toISOString()}`);
      else if (await this.does(step)) return;
      if (!this.alive()) return;
    }
    this.over('stop', { answer }, '');
  }

  private say(text: string): string {
    this.screen.add(`● ${text.replaceAll('\n', ' ')}`);
    return text;
  }

  /** True when the turn is over, whatever was still to come. */
  private async does(step: Exclude<Step, { says: string } | { saysItWaits: number }>): Promise<boolean> {
    const { disk, machine, tell } = this.stage;
    if ('works' in step) {
      const every = step.every ?? EVENT_MS;
      for (let left = step.works; left > 0; left -= every) {
        await this.sleep(Math.min(left, every));
        this.record('works');
      }
    } else if ('silent' in step) {
      if (step.silent > 0) tell(this.id, 'falls silent', step.heeds === true ? 'until it is spoken to' : step.silent >= FOR_EVER ? 'for ever' : `for ${step.silent / 1000} s`);
      await Promise.race([this.sleep(step.silent), ...(step.heeds === true ? [new Promise<void>((resolve) => void (this.heeded = resolve))] : [])]);
      this.record('works');
    } else if ('tool' in step) {
      await this.useTool(step.tool, step.busy ?? 0);
    } else if ('done' in step) {
      disk.write(join(this.run, RUN_FILES.result), `${JSON.stringify({ outcome: 'done', message: step.done })}\n`);
      tell(this.id, 'says done', step.done);
    } else if ('fails' in step) {
      disk.write(join(this.run, RUN_FILES.result), `${JSON.stringify({ outcome: 'fail', message: step.fails })}\n`);
      tell(this.id, 'says fail', step.fails);
    } else if ('waits' in step) {
      disk.write(join(this.run, RUN_FILES.waitUntil), `${new Date(machine.wallMs() + step.waits).toISOString()}\n`);
      tell(this.id, 'says wait-until', `${step.waits / 1000} s`);
    } else if ('asks' in step) {
      tell(this.id, 'asks', step.asks);
      this.screen.dialog = { text: step.asks, rows: ['No, stop here', 'Yes, this once', 'Yes, always'], at: 0 };
      const row = await new Promise<number>((resolve) => void (this.chosen = resolve));
      this.screen.dialog = undefined;
      if (row === 0) {
        this.over('stop', { answer: '' }, '● It was not allowed.');
        return true;
      }
    } else if ('limit' in step) {
      const until = machine.wallMs() + step.limit;
      this.stage.limits.set(this.account, { until, told: step.told !== false });
      this.meetLimit({ until, told: step.told !== false });
      return true;
    } else if ('retries' in step) {
      this.screen.status = '* Retrying… (esc to interrupt)';
      this.record('retries');
      await this.sleep(step.retries);
      this.screen.status = SPINNER;
    } else if ('auth' in step) {
      this.over('auth', {}, '● Your key was refused.');
      return true;
    } else if ('contextFull' in step) {
      this.over('context', {}, '● The context is full.');
      return true;
    } else if ('floods' in step) {
      for (let left = step.floods; left > 0; left -= seconds(5)) {
        await this.sleep(Math.min(left, seconds(5)));
        disk.append(join(this.run, RUN_FILES.output), 'flood '.repeat(20));
      }
    } else if ('exits' in step) {
      this.exit(step.exits);
      return true;
    } else if ('vanishes' in step) {
      tell(this.id, 'is killed', 'its wrapper too');
      for (const one of machine.processes) if (one.marks.has([...this.leader.marks][0] ?? '')) machine.end(one);
      return true;
    } else {
      await this.sleep(FOR_EVER);
    }
    return false;
  }

  private async useTool(ms: number, busy: number): Promise<void> {
    const { machine } = this.stage;
    this.tools += 1;
    const id = `t${this.tools}`;
    const tool = machine.spawn({ role: 'tool', name: id, ...(this.program === undefined ? {} : { parent: this.program }), leads: false, marks: [...this.leader.marks] });
    this.record('tool-begins', { id });
    for (let left = ms; left > 0 && this.alive(); left -= seconds(5)) {
      await this.sleep(Math.min(left, seconds(5)));
      tool.cpuMs += Math.min(left, seconds(5)) * busy;
    }
    machine.end(tool);
    this.record('tool-ends', { id });
  }

  private meetLimit({ until, told }: { readonly until: number; readonly told: boolean }): void {
    this.over('limit', told ? { reset: Math.round(until / 1000) } : {}, '● You have hit your limit.');
  }

  private over(event: string, more: object, entry: string): void {
    if (entry !== '') this.screen.add(entry);
    this.busy = false;
    this.screen.status = '';
    this.record(event, more);
    // In print mode the end of the turn is the end of the program.
    if (this.attempt?.mode === 'headless') return this.exit(event === 'stop' ? 0 : 1);
    const next = this.queue.shift();
    if (next !== undefined) this.begin(next);
  }

  private press(key: string): void {
    const { screen } = this;
    if (screen.dialog !== undefined) {
      if (key === 'Up') screen.dialog.at = Math.max(0, screen.dialog.at - 1);
      else if (key === 'Down') screen.dialog.at = Math.min(screen.dialog.rows.length - 1, screen.dialog.at + 1);
      else if (key === 'Enter' || key === 'hex:0d') this.chosen?.(screen.dialog.at);
      return;
    }
    if (key !== 'Enter' && key !== 'hex:0d') return;
    const text = screen.composer;
    screen.composer = '';
    if (text === '' || !this.alive()) return;
    this.heard.push({ at: this.stage.machine.now, text });
    const { heeded } = this;
    this.heeded = undefined;
    if (heeded !== undefined) {
      this.record('prompt', { prompt: text });
      heeded();
    } else if (this.busy) this.queue.push(text);
    else this.begin(text);
  }

  private exit(code: number): void {
    const { disk, machine } = this.stage;
    if (!this.alive()) return;
    for (const one of machine.processes) if (one.role !== 'session' && one.session === this.leader.session) machine.end(one);
    machine.after(30, () => {
      disk.write(join(this.run, RUN_FILES.exit), `${code} ${Math.floor(machine.wallMs() / 1000)}\n`);
      machine.end(this.leader);
    }, this.leader);
  }

  private record(event: string, more: object = {}): void {
    if (!this.alive()) return;
    const file = this.attempt?.mode === 'headless' ? PROGRAM_FILES.stream : PROGRAM_FILES.events;
    this.stage.disk.append(join(this.run, file), `${JSON.stringify({ at: this.stage.machine.wallMs(), event, ...more }).replace(/[^ -~]/gu, '?')}\n`);
  }

  private get account(): string {
    return this.attempt?.account ?? '';
  }

  private alive(): boolean {
    return this.program?.alive === true;
  }

  private sleep(ms: number): Promise<void> {
    return this.program === undefined ? new Promise(() => undefined) : this.stage.machine.sleep(this.program, ms);
  }
}
