/** The month of an instant, in UTC: `2026-11`, as files that are kept by the month are named. */
export const monthOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 7);
