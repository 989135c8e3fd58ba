import { parseDuration } from '../../lib/duration.js';
import type { AgentProfile } from '../profile.js';
import type { DeliveryPolicy } from './state.js';

/** What delivery must know of one program: its keys, its delays, its markers. All of it is the profile's data. */
export interface DeliveryTarget {
  readonly key: string;
  /** In the place of `key` while it works. */
  readonly queueKey: string | undefined;
  readonly spareKey: string;
  readonly folded: readonly RegExp[];
  /** How long nobody may have pressed a key at an attached terminal. */
  readonly quietMs: number;
  readonly policy: Omit<DeliveryPolicy, 'records'>;
}

/** The part of a profile that delivery reads. */
type Interactive = Pick<NonNullable<AgentProfile['interactive']>, 'submit' | 'mid-turn'>;

export interface DeliveryWish {
  /** How long to wait for a pane that is not fit. */
  readonly patienceMs: number;
  /** The program was started a moment ago. */
  readonly fresh?: boolean;
  /** Not before its turn has ended. */
  readonly afterTurn?: boolean;
}

/** A terminal whose last key is older than this is one that nobody types at. */
const QUIET_MS = 10_000;

const PATIENT: Omit<DeliveryPolicy, 'records' | 'patienceMs' | 'settleMs' | 'delayMs' | 'fresh' | 'busy'> = {
  lookEveryMs: 100, calmLooks: 2, landMs: 8000, stillLooks: 3, retryMs: 1500, maxKeys: 5, proofMs: 20_000, graceMs: 2000,
};

const ms = (text: string): number => parseDuration(text) ?? 0;

export function targetOf(interactive: Interactive, wish: DeliveryWish): DeliveryTarget {
  const { submit } = interactive;
  const queueKey = submit['queue-key'];
  const interrupts = interactive['mid-turn'] === 'interrupt' && queueKey === undefined;
  return {
    key: submit.key,
    queueKey,
    spareKey: submit['spare-key'],
    folded: submit.folded.map((pattern) => new RegExp(pattern, 'gu')),
    quietMs: QUIET_MS,
    policy: { ...PATIENT, patienceMs: wish.patienceMs, settleMs: ms(submit['settle-after-start']), delayMs: ms(submit.delay), fresh: wish.fresh === true, busy: wish.afterTurn === true || interrupts ? 'wait' : 'type' },
  };
}
