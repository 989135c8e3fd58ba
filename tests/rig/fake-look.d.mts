import type { Capture, ProofPort, ScreenLook } from '../../src/agents/deliver/ports.js';
import type { DeliveryTarget } from '../../src/agents/deliver/target.js';

export function fakeLook(capture: Capture & { readonly text: string }): ScreenLook;
export function fakeProof(readText: () => string, records: boolean): ProofPort;
export const FAKE_TARGET: DeliveryTarget;
