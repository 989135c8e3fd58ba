/** Pure: the branch that a task is proposed onto; '': its base is no branch. */
export const proposedOnto = (into: string, baseName: string): string => (into !== '' ? into : baseName === 'HEAD' ? '' : baseName.replace(/^refs\/(heads|remotes\/[^/]+)\//, ''));

/** Pure: the branch that a task is merged into, and whether it is our own to make. `into` '': the integration branch of its base. */
export function targetOf(into: string, baseName: string): { readonly into: string; readonly own: boolean } {
  if (into !== '') return { into, own: false };
  return { into: `snakepit-${baseName.replace(/^refs\/(heads|tags|remotes)\//, '').replace(/[^A-Za-z0-9._/-]+|\.\.+|\/\/+|@\{|(\.lock|[./])+$/g, '_')}`, own: true };
}
