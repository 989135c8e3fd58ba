/** What the machine lacks when a file operation fails, and what a person can do about it, by the error's code; undefined: nothing that a person would not see from the error itself. */
export function remedyOf(code: string): string | undefined {
  return Object.hasOwn(REMEDIES, code) ? REMEDIES[code] : undefined;
}

const NO_RIGHT = 'the pit belongs to whoever made it: run as that user, or give the right back (ls -ld shows whose it is; chmod u+rwX where it is yours)';
const DESCRIPTORS = 'too many files are open: ulimit -n says how many may be; raise it, or end what holds them';

const REMEDIES: Readonly<Record<string, string | undefined>> = {
  EACCES: NO_RIGHT,
  EPERM: NO_RIGHT,
  EROFS: 'the file system is mounted read-only: nothing can be changed here before it is mounted for writing again (findmnt -T . shows it)',
  ENOSPC: 'the disk is full, or has no inodes left: free some (df -h . and df -i . show which); what is in line stays there',
  EDQUOT: 'your quota is used up: free some (quota -s shows it); what is in line stays there',
  EMFILE: DESCRIPTORS,
  ENFILE: DESCRIPTORS,
  EIO: 'the disk did not do it: look at dmesg, and save what is on it',
};
