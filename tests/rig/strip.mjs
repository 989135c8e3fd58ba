// Takes the types out of src/ and some test directories, into a directory under node_modules/, for runs in plain Node. Not dist/, which
// somebody may be building at this moment.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BUILDS = join(ROOT, 'node_modules', '.sim');
const COMPILER_OPTIONS = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true };

/** Returns the directory, which the caller removes. Profiles, prompts and workflows lie beside src/ in it, as links. */
export function strip(parts) {
  fs.mkdirSync(BUILDS, { recursive: true });
  const dir = fs.mkdtempSync(join(BUILDS, `${process.pid}-`));
  // The search for "type" ends at node_modules, so the copy needs its own.
  fs.writeFileSync(join(dir, 'package.json'), '{"type":"module"}\n');
  for (const data of ['profiles', 'prompts', 'workflows']) fs.symlinkSync(join(ROOT, data), join(dir, data));
  for (const part of parts) {
    for (const name of fs.readdirSync(join(ROOT, part), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
      const target = join(dir, part, name.replace(/\.ts$/, '.js'));
      fs.mkdirSync(join(target, '..'), { recursive: true });
      fs.writeFileSync(target, ts.transpileModule(fs.readFileSync(join(ROOT, part, name), 'utf8'), { compilerOptions: COMPILER_OPTIONS }).outputText);
    }
  }
  return dir;
}
