/** Every file that is made from the code: its path in the repository, and its text. Reads dist/. */
export async function generated() {
  const { manPage } = await import('../dist/cli/man-page.js');
  const { buildProgram } = await import('../dist/cli/program.js');
  const { eventPage, eventSchema } = await import('./event-pages.mjs');
  const version = await import('../dist/events/event.js');
  const meaning = await import('../dist/events/meaning.js');
  return [
    ['man/snakepit.1', manPage(buildProgram())],
    ['docs/events.md', eventPage(version, meaning)],
    ['docs/events.schema.json', `${JSON.stringify(eventSchema(version, meaning), null, 1)}\n`],
  ];
}
