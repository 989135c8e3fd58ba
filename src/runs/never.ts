import type { EventSink } from '../events/event-log.js';
import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';
import { publishStory } from './publish.js';

/** Tells the end of a task that lies in failed/ without having been tried: it can never go, or a person cancelled it. */
export async function endDependent(ports: { files: Files; events: EventSink }, layout: Layout, id: string, why: string): Promise<void> {
  await publishStory(ports.files, layout, 'failed', id, why);
  await ports.events.emit({ kind: 'task-failed', id, marker: '', attempt: 0, why });
}
