import { randomUUID } from 'node:crypto';
import { customAlphabet } from 'nanoid';

/** Ten characters of [0-9a-z]: 51 bits, enough that two claims of one directory never share one. */
export const newNonce: () => string = customAlphabet('0123456789abcdefghijklmnopqrstuvwxyz', 10);

/** The form that agent programs ask of a session's name. */
export const newSession = (): string => randomUUID();
