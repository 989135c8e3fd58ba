import { createHash } from 'node:crypto';

/** `fix.refused-k3j….md` moved back after mending is `fix` again. */
const REFUSED = /\.refused-[0-9a-z]{10}$/;

/**
 * A legal id from any file name: `Fix the Login.md` → `fix-the-login`. A name that loses letters or their marks on the way (other
 * scripts, invalid UTF-8, more than 64) gets six hex digits of its own bytes, so that two such names stay two ids: `Ünï.md` → `uni-3f09c1`.
 */
export function idFromFileName(name: Buffer): string {
  const text = name.toString('utf8').replace(/\.(md|markdown)$/i, '').replace(REFUSED, '');
  const slug = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[\s_]+/g, '-')
    .replace(/[^a-z0-9.-]/g, '')
    .replace(/\.{2,}/g, '.')
    .replace(/^[.-]+/, '')
    .replace(/[.-]+$/, '');
  const kept = text.toLowerCase().replace(/[\s_]+/g, '-');
  if (slug === kept && slug.length > 0 && slug.length <= 64) return slug;
  const tag = createHash('sha256').update(name).digest('hex').slice(0, 6);
  const head = slug.slice(0, 57).replace(/[.-]+$/, '');
  return head === '' ? `task-${tag}` : `${head}-${tag}`;
}
