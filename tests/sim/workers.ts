import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import ts from 'typescript';
import type { Report } from './worker.js';

/*
 * Twenty thousand schedules run in plain Node, in one child process for each core: inside the test runner, whose module
 * wrappers cost a factor of two, they would take four times as long. So src/ and tests/sim/ are stripped of their types into
 * a directory of their own; not dist/, which somebody may be building at this moment.
 */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BUILDS = join(ROOT, 'node_modules', '.sim');
const COMPILER_OPTIONS: ts.CompilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true };

export interface Build {
  /** One child; seeds `first`, `first + stride`… up to `last`. */
  run(first: number, last: number, stride: number, mutant: number): Promise<Report>;
  remove(): void;
}

export function build(): Build {
  fs.mkdirSync(BUILDS, { recursive: true });
  const dir = fs.mkdtempSync(join(BUILDS, `${process.pid}-`));
  // The search for "type" ends at node_modules, so the copy needs its own.
  fs.writeFileSync(join(dir, 'package.json'), '{"type":"module"}\n');
  for (const part of ['src', join('tests', 'sim')]) strip(dir, part);
  return {
    run: async (first, last, stride, mutant) => {
      const { stdout } = await promisify(execFile)(process.execPath, [join(dir, 'tests', 'sim', 'worker.js'), ...[first, last, stride, mutant].map(String)]);
      return JSON.parse(stdout) as Report;
    },
    remove: () => fs.rmSync(dir, { recursive: true, force: true }),
  };
}

function strip(dir: string, part: string): void {
  for (const name of fs.readdirSync(join(ROOT, part), { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
    const target = join(dir, part, name.replace(/\.ts$/, '.js'));
    fs.mkdirSync(join(target, '..'), { recursive: true });
    fs.writeFileSync(target, ts.transpileModule(fs.readFileSync(join(ROOT, part, name), 'utf8'), { compilerOptions: COMPILER_OPTIONS }).outputText);
  }
}
