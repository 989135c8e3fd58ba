import { basename, dirname } from 'node:path';

interface Node {
  readonly kind: 'file' | 'directory';
  text: string;
  mtimeMs: number;
}

/** The simulated disk: a map of directories. It outlives every process and every reboot. Calls take effect at once; `files.ts` makes steps of them. */
export class Disk {
  /** Told after each change of a directory's entries. */
  onChange: (change: { readonly how: 'rename' | 'write' | 'remove'; readonly from?: string; readonly to: string }) => void = () => undefined;
  private readonly dirs = new Map<string, Map<string, Node>>([['/', new Map()]]);

  private node(path: string): Node | undefined {
    return this.dirs.get(dirname(path))?.get(basename(path));
  }

  list(dir: string): string[] {
    return [...(this.dirs.get(dir)?.keys() ?? [])];
  }

  exists(path: string): boolean {
    return this.node(path) !== undefined;
  }

  text(path: string): string | undefined {
    const node = this.node(path);
    return node?.kind === 'file' ? node.text : undefined;
  }

  kind(path: string): Node['kind'] | undefined {
    return this.node(path)?.kind;
  }

  mtimeMs(path: string): number | undefined {
    return this.node(path)?.mtimeMs;
  }

  /** As rename(2): replaces a file silently, keeps the modification time; ENOENT where the source or the target's directory is missing. */
  rename(from: string, to: string): 'ok' | 'missing' {
    const node = this.node(from);
    const target = this.dirs.get(dirname(to));
    if (node === undefined || target === undefined) return 'missing';
    if (node.kind === 'directory') throw new Error(`the simulated disk renames no directories: ${from}`);
    this.dirs.get(dirname(from))?.delete(basename(from));
    target.set(basename(to), node);
    this.onChange({ how: 'rename', from, to });
    return 'ok';
  }

  write(path: string, text: string, now: number): void {
    const dir = this.dirs.get(dirname(path));
    if (dir === undefined) throw new Error(`ENOENT: ${path}`);
    dir.set(basename(path), { kind: 'file', text, mtimeMs: now });
    this.onChange({ how: 'write', to: path });
  }

  touch(path: string, now: number): 'ok' | 'missing' {
    const node = this.node(path);
    if (node === undefined) return 'missing';
    node.mtimeMs = now;
    return 'ok';
  }

  makeDir(path: string, now: number): 'ok' | 'exists' {
    if (this.dirs.has(path)) return 'exists';
    if (!this.dirs.has(dirname(path))) this.makeDir(dirname(path), now);
    this.dirs.get(dirname(path))?.set(basename(path), { kind: 'directory', text: '', mtimeMs: now });
    this.dirs.set(path, new Map());
    return 'ok';
  }

  remove(path: string): 'ok' | 'missing' {
    if (this.dirs.get(dirname(path))?.delete(basename(path)) !== true) return 'missing';
    this.onChange({ how: 'remove', to: path });
    return 'ok';
  }
}
