import { basename, dirname } from 'node:path';
import type { Entry } from '../../src/lib/files.js';

interface FileNode {
  readonly kind: 'file';
  text: string;
  mtimeMs: number;
}
interface DirNode {
  readonly kind: 'directory';
  readonly entries: Map<string, Node>;
  mtimeMs: number;
}
type Node = FileNode | DirNode;

const codeError = (code: string, path: string): Error => Object.assign(new Error(`${code}: ${path}`), { code });

/**
 * A disk in memory, for the watchdog's simulator: a tree, with the times of directories (the pit lists what has changed) and renames of
 * them (locks). Texts that are read by offset hold ASCII only: there, one character is one byte.
 */
export class TreeDisk {
  /** Files written or appended to, since the beginning. */
  writes = 0;
  private readonly root: DirNode = { kind: 'directory', entries: new Map(), mtimeMs: 0 };
  /** Where a path leads to, until an entry comes or goes. */
  private readonly known = new Map<string, Node | undefined>();
  private readonly watchers = new Map<string, Set<(name: string) => void>>();
  private readonly wallMs: () => number;

  constructor(wallMs: () => number) {
    this.wallMs = wallMs;
  }

  private node(path: string): Node | undefined {
    if (this.known.has(path)) return this.known.get(path);
    const found = this.find(path);
    this.known.set(path, found);
    return found;
  }

  private find(path: string): Node | undefined {
    let node: Node | undefined = this.root;
    for (let from = 1; from < path.length; ) {
      if (node?.kind !== 'directory') return undefined;
      const slash = path.indexOf('/', from);
      const to = slash < 0 ? path.length : slash;
      node = node.entries.get(path.slice(from, to));
      from = to + 1;
    }
    return node;
  }

  private dir(path: string): DirNode | undefined {
    const node = this.node(path);
    return node?.kind === 'directory' ? node : undefined;
  }

  private changed(path: string, dir: DirNode): void {
    dir.mtimeMs = this.wallMs();
    this.known.clear();
    for (const tell of this.watchers.get(dirname(path)) ?? []) tell(basename(path));
  }

  list = (path: string): string[] => [...(this.dir(path)?.entries.keys() ?? [])];
  exists = (path: string): boolean => this.node(path) !== undefined;
  mtimeMs = (path: string): number | undefined => this.node(path)?.mtimeMs;

  text(path: string): string | undefined {
    const node = this.node(path);
    return node?.kind === 'file' ? node.text : undefined;
  }

  inspect(path: string): Entry | undefined {
    const node = this.node(path);
    return node === undefined ? undefined : { kind: node.kind, size: node.kind === 'file' ? node.text.length : 4096, mtimeMs: node.mtimeMs, links: 1 };
  }

  touch(path: string): 'ok' | 'missing' {
    const node = this.node(path);
    if (node === undefined) return 'missing';
    node.mtimeMs = this.wallMs();
    return 'ok';
  }

  rename(from: string, to: string): 'ok' | 'missing' {
    const [source, target] = [this.dir(dirname(from)), this.dir(dirname(to))];
    const node = source?.entries.get(basename(from));
    if (source === undefined || target === undefined || node === undefined) return 'missing';
    const there = target.entries.get(basename(to));
    if (there?.kind === 'directory' && there.entries.size > 0) throw codeError('ENOTEMPTY', to);
    source.entries.delete(basename(from));
    target.entries.set(basename(to), node);
    this.changed(from, source);
    this.changed(to, target);
    return 'ok';
  }

  /** Written beside and renamed, as far as anybody can see. */
  write(path: string, text: string): void {
    const dir = this.dir(dirname(path));
    if (dir === undefined) throw codeError('ENOENT', path);
    this.writes += 1;
    dir.entries.set(basename(path), { kind: 'file', text, mtimeMs: this.wallMs() });
    this.changed(path, dir);
  }

  /** No entry of the directory changes, and nobody who watches it hears of it. */
  append(path: string, text: string): void {
    const node = this.node(path);
    if (node?.kind !== 'file') return this.write(path, text);
    this.writes += 1;
    node.text += text;
    node.mtimeMs = this.wallMs();
  }

  makeDir(path: string): 'ok' | 'exists' {
    if (this.exists(path)) return 'exists';
    if (this.dir(dirname(path)) === undefined) this.makeDir(dirname(path));
    const dir = this.dir(dirname(path)) as DirNode;
    dir.entries.set(basename(path), { kind: 'directory', entries: new Map(), mtimeMs: this.wallMs() });
    this.changed(path, dir);
    return 'ok';
  }

  remove(path: string): 'ok' | 'missing' {
    const dir = this.dir(dirname(path));
    if (dir?.entries.delete(basename(path)) !== true) return 'missing';
    this.changed(path, dir);
    return 'ok';
  }

  watch(path: string, changed: (name: string) => void): () => void {
    const all = this.watchers.get(path) ?? new Set();
    this.watchers.set(path, all.add(changed));
    return () => void all.delete(changed);
  }
}
