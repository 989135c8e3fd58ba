import { openContext, print, printJson } from '../context.js';
import { observeReport } from '../report/observe.js';
import { reportText, verdictOf } from '../report/text.js';
import { sinceWhen } from '../since.js';

/** What happened while nobody looked: verdict, what needs a person, what is done, what was mended, what it cost. Markdown, or the facts as JSON. */
export async function report(dir: string | undefined, options: { since?: string; json?: boolean }): Promise<void> {
  const context = openContext(dir);
  const facts = await observeReport(context, sinceWhen(options.since ?? '12h', context.clock.wallMs()));
  if (options.json === true) return printJson({ verdict: verdictOf(facts), ...facts });
  print(reportText(facts));
}
