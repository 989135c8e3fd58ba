import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { builtInProfiles, COMPILED } from '../../src/agents/built-in.js';

describe('the built-in profiles as the build lays them beside the code', () => {
  let dir = '';
  beforeEach(() => (dir = fs.mkdtempSync(join(tmpdir(), 'profiles-'))));
  afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));
  const compiled = JSON.parse(fs.readFileSync(COMPILED, 'utf8')) as { hash: string; profiles: Record<string, object> };
  /** As they are read where such a file lies there. */
  const readWith = (text: string | undefined): Map<string, unknown> => {
    const file = join(dir, 'profiles.json');
    if (text !== undefined) fs.writeFileSync(file, text);
    return builtInProfiles(pathToFileURL(file));
  };

  it('are those of the files', () => {
    expect(compiled.profiles).toEqual(Object.fromEntries(readWith(undefined)));
    expect(Object.keys(compiled.profiles)).toContain('claude');
  });

  it('are what is taken', () => {
    expect(readWith(JSON.stringify({ ...compiled, profiles: { taken: {} } }))).toEqual(new Map([['taken', {}]]));
  });

  it.each([['of other files', JSON.stringify({ ...compiled, hash: 'another', profiles: { taken: {} } })], ['half of it', JSON.stringify(compiled).slice(0, 1000)], ['nothing', undefined]])('%s: the files themselves are read', (_what, text) => {
    expect(Object.fromEntries(readWith(text))).toEqual(compiled.profiles);
  });
});
