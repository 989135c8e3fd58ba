import { join } from 'node:path';
import type { AgentProfile } from '../agents/profile.js';
import { attemptTokens, tellsTokens } from '../agents/tokens.js';
import type { Config } from '../config/config.js';
import { err, ok, type Result } from '../lib/result.js';
import { RUN_FILES } from '../protocol/records.js';
import type { TokenRecord } from '../protocol/tokens.js';
import { countEnv, isPrinted, TELLS_NOTHING, type CountSetting } from '../runs/count-run.js';
import { SessionGauge, sourceOf } from '../runs/gauge.js';
import { readAgent, readAttempt } from '../runs/run-dir.js';
import { enterPart, nextPart, readParts, rememberSession, settleParts, uncountedPart, type CountedRun } from './parts.js';
import { residentMarker, runDirOf } from './places.js';
import type { ResidentPorts, ResidentSetting } from './ports.js';
import type { Run } from './state.js';

/** Between two looks at what a session has used; and where its program must be run to tell, which takes seconds. */
export const COUNT_EVERY_MS = 60_000;
const PRINT_EVERY_MS = 600_000;

/** Counts one resident's sessions into the ledger, part by part. Lost with the pit, and found again from the files. */
export class Tally {
  /** A look that is under way. */
  doing: Promise<void> | undefined;
  private nonce = '';
  private lookedMonoMs = Number.NEGATIVE_INFINITY;
  private printedMonoMs = Number.NEGATIVE_INFINITY;
  private readonly gauges = new Map<string, SessionGauge>();

  /** Whether it is time for a look at this run; then it counts as begun. */
  isDue(run: Run, nowMonoMs: number): boolean {
    if (run.nonce !== this.nonce) this.begin(run);
    if (this.doing !== undefined || nowMonoMs - this.lookedMonoMs < COUNT_EVERY_MS) return false;
    this.lookedMonoMs = nowMonoMs;
    return true;
  }

  /** What came since the last part, while it runs; `over`: its processes are gone, and this is the end of it. Once for each run, whoever is killed when. */
  async look(ports: ResidentPorts, setting: ResidentSetting, config: Pick<Config, 'env'>, profiles: Readonly<Record<string, AgentProfile>>, name: string, run: Run, over: boolean): Promise<void> {
    const { files, clock } = ports;
    const dir = runDirOf(setting.layout, name, run);
    const attempt = await readAttempt(files, dir);
    if (attempt === undefined || (await files.exists(join(dir, RUN_FILES.entered))) || !(await files.exists(join(dir, RUN_FILES.session)))) return;
    if (run.nonce !== this.nonce) this.begin(run);
    const counted: CountedRun = { name, nonce: run.nonce, dir, attempt };
    const profile = profiles[attempt.profile];
    const before = await readParts(files, counted);
    let parts = await settleParts(files, setting.layout, counted, before);
    parts = await rememberSession(files, counted, parts, (await readAgent(files, dir))?.session ?? attempt.session);
    const counts: CountSetting = { ...setting, config, profiles: () => Promise.resolve(profiles) };
    const seen = profile === undefined ? err(`no agent is called ${attempt.profile} any more`) : await this.wholes(ports, counts, counted, profile, Object.keys(parts.sessions), over);
    const at = clock.wallMs();
    // Of a session that mostly waits, the time between two looks in which it used something; of one that nobody looked at for long, no more than that.
    const ms = Math.max(0, Math.min(at - parts.at, profile !== undefined && isPrinted(profile) ? PRINT_EVERY_MS : COUNT_EVERY_MS));
    for (const [index, whole] of (seen.ok ? seen.value : []).entries()) {
      const next = nextPart(parts, counted, { whole, at, ms: index === 0 ? ms : 0 });
      if (next !== undefined) parts = await enterPart(files, setting.layout, counted, next);
    }
    if (!over) return;
    if (!seen.ok && parts.part === 0 && profile?.account !== 'none') await enterPart(files, setting.layout, counted, uncountedPart(parts, counted, at, seen.error));
    await files.write(join(dir, RUN_FILES.entered), '');
  }

  private begin({ nonce }: Run): void {
    this.nonce = nonce;
    this.lookedMonoMs = Number.NEGATIVE_INFINITY;
    this.printedMonoMs = Number.NEGATIVE_INFINITY;
    this.gauges.clear();
  }

  /** What each of the run's sessions has used so far. A person may have begun another one in the same program. */
  private async wholes({ files, clock }: ResidentPorts, setting: CountSetting, { name, nonce, dir, attempt }: CountedRun, profile: AgentProfile, known: readonly string[], over: boolean): Promise<Result<TokenRecord[], string>> {
    if (!tellsTokens({ profile, mode: attempt.mode })) return err(TELLS_NOTHING);
    const session = (await readAgent(files, dir))?.session ?? attempt.session;
    const from = isPrinted(profile) ? undefined : sourceOf(profile, attempt.mode);
    const found: TokenRecord[] = [];
    if (from !== undefined) {
      // Its own files tell of the run, whatever its sessions are called.
      for (const one of from.kind === 'own' ? [attempt.session] : known) {
        let gauge = this.gauges.get(one);
        if (gauge === undefined) this.gauges.set(one, (gauge = new SessionGauge(from, dir, attempt.home, one)));
        const count = await gauge.look(files, clock);
        if (count !== undefined) found.push({ ...count, source: from.kind === 'own' ? from.source : 'transcript', session: one });
      }
      if (found.length > 0 || !over) return ok(found);
    }
    if (!over && clock.monoMs() - this.printedMonoMs < PRINT_EVERY_MS) return ok([]);
    this.printedMonoMs = clock.monoMs();
    // A program that prints its transcript bears the run's mark while that stands, so that whoever ends the run ends it.
    const env = countEnv(setting, attempt, profile, dir, session, over ? undefined : residentMarker(name, { nonce }));
    const told = await attemptTokens({ files, profile, mode: attempt.mode, session, home: attempt.home, workspace: attempt.workspace, runDir: dir, env, before: [] }).catch((cause: unknown) => err(String(cause)));
    return told.ok ? ok([told.value]) : told;
  }
}
