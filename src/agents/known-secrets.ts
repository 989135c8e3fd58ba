import type { Profiles } from './choice.js';

/** The keys that profiles hand to sessions, by their variables' names, as they stand in this process's environment. */
export function knownSecrets(profiles: Profiles, env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const known: Record<string, string> = {};
  for (const profile of Object.values(profiles)) {
    for (const name of [...profile.secrets, ...profile.accounts.flatMap((account) => Object.values(account.from))]) {
      const value = env[name];
      if (value !== undefined && value !== '') known[name] = value;
    }
  }
  return known;
}
