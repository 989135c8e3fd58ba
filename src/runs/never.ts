import type { PitEvent } from '../events/event.js';
import type { EventSink } from '../events/event-log.js';
import type { Files } from '../lib/files.js';
import type { Layout } from '../protocol/layout.js';
import { publishStory } from './publish.js';

/** The event of an end without an attempt. */
export const neverEvent = (id: string, why: string): PitEvent => ({ kind: 'task-failed', id, marker: '', attempt: 0, why });

/** Tells the end of a task that lies in failed/ without having been tried: it can never go, or a person cancelled it. Why is recorded already (`recordNever`). */
export async function endDependent(ports: { files: Files; events: EventSink }, layout: Layout, id: string, why: string): Promise<void> {
  await publishStory(ports.files, layout, 'failed', id);
  await ports.events.emit(neverEvent(id, why));
}
