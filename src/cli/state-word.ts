/** The state as a person is told it: a claimed task is running, one in needs/ is parked. */
export const stateWord = (state: string): string => (state === 'claimed' ? 'running' : state === 'needs' ? 'parked' : state);
