import type { Claim } from '../queue/store.js';
import { attemptOf } from '../protocol/names.js';
import { Ages } from './ages.js';
import { apply, UNTRIED } from './apply.js';
import { decide } from './decide.js';
import { SessionMeter } from './meter.js';
import { observe } from './observe.js';
import type { Commands, SnakePorts, SnakeSetting } from './ports.js';
import type { LaunchMemory, SnakePolicy } from './state.js';

const LAUNCH = { launchPatienceMs: 10_000, launchTries: 6 } as const;
const FIRST_WAIT_MS = 500;

/**
 * The whole life of a snake: take up what a dead namesake left, then claim, work and settle one task at a time, until told
 * to end. Returns then.
 */
export async function snakeLoop(ports: SnakePorts, setting: SnakeSetting, commands: Commands): Promise<void> {
  for (const claim of await ports.store.adopt(setting.owner)) {
    await ports.events.emit({ kind: 'task-adopted', id: claim.name.id, snake: setting.owner.snake, marker: claim.marker });
    await workClaim(ports, setting, claim, commands);
  }
  let waitMs = FIRST_WAIT_MS;
  while (!commands.draining) {
    const claimed = (await commands.mayClaim()) ? await ports.store.claim(setting.owner) : ({ kind: 'empty' } as const);
    if (claimed.kind === 'claimed') {
      const { name, marker } = claimed.claim;
      await ports.events.emit({ kind: 'task-claimed', id: name.id, snake: setting.owner.snake, attempt: attemptOf(name.counters), marker });
      await workClaim(ports, setting, claimed.claim, commands);
      waitMs = FIRST_WAIT_MS;
    } else {
      await ports.store.wait(waitMs, commands.changed);
      waitMs = claimed.kind === 'paused' ? FIRST_WAIT_MS : Math.min(waitMs * 2, setting.config.rescanMs);
    }
  }
}

/** One claim from wherever it stands to its end: observe, decide, apply. */
export async function workClaim(ports: SnakePorts, setting: SnakeSetting, claim: Claim, commands: Commands): Promise<void> {
  let memory: LaunchMemory = UNTRIED;
  const ages = new Ages();
  const meter = new SessionMeter();
  for (;;) {
    const view = await observe(ports, setting, claim, ages);
    await meter.look(ports, setting, claim, view);
    const policy: SnakePolicy = { ...LAUNCH, startupMs: setting.config.startupMs, signalMs: setting.config.signalMs };
    const step = decide(policy, view, memory, commands.orders, { monoMs: ports.clock.monoMs(), boot: ports.processes.boot() });
    const applied = await apply(ports, setting, claim, view, memory, step, commands);
    if (applied.kind === 'over') return;
    memory = applied.memory;
  }
}
