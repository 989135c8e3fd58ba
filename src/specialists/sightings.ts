import { join } from 'node:path';
import type { Config } from '../config/config.js';
import type { SpecialistConfig } from '../config/specialists.js';
import { placeOf } from '../config/load.js';
import type { Clock } from '../lib/clock.js';
import { PathError, type Files } from '../lib/files.js';
import { unreachable } from '../lib/unreachable.js';
import type { Layout } from '../protocol/layout.js';
import { systemZone, type Sighting } from '../recurring/observe.js';
import type { Work } from '../recurring/state.js';
import { SETTING } from '../recurring/state.js';
import { decideTriage, decideWeek } from './decide.js';
import { failedLines, weekLines } from './facts-words.js';
import { listEnded, observeFailed, observeWeek } from './observe.js';
import { factsOf, ownPrompt, templateOf, withFacts, type FactKind } from './wanted.js';

const PROMPT_BYTES = 1024 * 1024;

interface Ports {
  readonly files: Files;
  readonly clock: Pick<Clock, 'wallMs'>;
}

/** The specialists of the configuration as templates: facts are gathered when one is due, and told when an instance is made. */
export async function specialistSightings(ports: Ports, layout: Layout, config: Config): Promise<Sighting[]> {
  const sightings: Sighting[] = [];
  for (const [name, asked] of Object.entries(config.specialists)) sightings.push(await sight(ports, layout, config, name, asked));
  return sightings;
}

async function sight(ports: Ports, layout: Layout, config: Config, name: string, asked: SpecialistConfig): Promise<Sighting> {
  const { files } = ports;
  const refused = async (key: string, problem: string): Promise<Sighting> => {
    const line = Number(/:(\d+)$/.exec(placeOf('', await files.read(layout.configFile), ['specialists', name, key]))?.[1] ?? 1);
    return { kind: 'refused', name, file: `${SETTING}specialists.${name}`, content: `${key} ${problem}`, fault: { line, problem: `specialists.${name}.${key}: ${problem}`, fix: 'mend it there; what was made before stays as it is' } };
  };
  const file = asked['prompt-file'];
  const prompt = ownPrompt(asked) ?? (file === undefined ? undefined : await files.read(join(layout.root, file), PROMPT_BYTES));
  if (prompt === undefined || prompt.trim() === '') return refused('prompt-file', `${file ?? ''} is missing, empty, or no regular file`);
  const made = await templateOf(name, asked, prompt, { maxTaskBytes: config.maxTaskBytes, zone: systemZone() });
  if (!made.ok) return refused(made.error.key, made.error.problem);
  const kind = factsOf(asked);
  const template = made.value;
  return {
    kind: 'good',
    template: {
      ...template,
      instance: async (id, dueAt, since) => withFacts(name, template.instance(id, dueAt), await lines(ports, layout, config, kind, since)),
      work: (since) => work(ports, layout, config, kind, since),
    },
  };
}

/** A directory that cannot be read now says nothing: it is looked at again. */
async function work(ports: Ports, layout: Layout, config: Config, kind: FactKind, since: number | undefined): Promise<Work> {
  const { files, clock } = ports;
  try {
    switch (kind) {
      case 'none':
        return { kind: 'some' };
      case 'failed': {
        const ended = await listEnded(files, layout, config, 'failed');
        return decideTriage({ count: ended.length, newestAt: ended[0]?.at }, since);
      }
      case 'week': {
        const { doneCount, failedCount, from } = await observeWeek(files, layout, config, since, clock.wallMs());
        return decideWeek(doneCount + failedCount, from, since);
      }
      default:
        return unreachable(kind);
    }
  } catch (cause) {
    if (cause instanceof PathError) return { kind: 'unseen' };
    throw cause;
  }
}

async function lines({ files, clock }: Ports, layout: Layout, config: Config, kind: FactKind, since: number | undefined): Promise<string[]> {
  switch (kind) {
    case 'none':
      return [];
    case 'failed': {
      const ended = await listEnded(files, layout, config, 'failed');
      return failedLines(await observeFailed(files, layout, ended), ended.length, since, config.maxTaskBytes);
    }
    case 'week':
      return weekLines(await observeWeek(files, layout, config, since, clock.wallMs()), config.maxTaskBytes);
    default:
      return unreachable(kind);
  }
}
