import { show, showLines } from '../../lib/text.js';
import { drawWorkflow } from '../../workflow/draw.js';
import { loadWorkflow, workflowNames, workflowText } from '../../workflow/load.js';
import type { OptionFile } from '../../workflow/schema.js';
import { openContext, print, printJson } from '../context.js';
import { CliError, EXIT } from '../exit.js';
import { paint } from '../style.js';

/** `snakepit workflows`: all of them, drawn; one with its options, or its file. A file with a fault is shown as that fault. */
export async function workflows(dir: string | undefined, name: string | undefined, options: { json?: boolean; file?: boolean }): Promise<void> {
  const { files, layout } = openContext(dir);
  if (options.file === true) {
    const source = name === undefined ? undefined : await workflowText(files, layout.root, name);
    if (source === undefined) throw new CliError(name === undefined ? 'name one: snakepit workflows NAME --file' : `no workflow is called ${show(name)}; see: snakepit workflows`, name === undefined ? EXIT.usage : EXIT.notFound);
    return print(showLines(source.text).trimEnd());
  }
  const all = await workflowNames(files, layout.root);
  const wanted = name === undefined ? all : all.filter((one) => one.name === name);
  if (wanted.length === 0) throw new CliError(`no workflow is called ${show(name ?? '')}; see: snakepit workflows`, EXIT.notFound);
  const rows = [];
  for (const one of wanted) rows.push({ ...one, loaded: await loadWorkflow(files, layout.root, one.name, {}) });
  const broken = rows.some(({ loaded }) => !loaded.ok);
  if (broken) process.exitCode = EXIT.config;
  if (options.json === true) return printJson({ workflows: rows.map(({ name: id, own, loaded }) => ({ name: id, own, ...(loaded.ok ? { workflow: loaded.value.workflow, options: loaded.value.offer.options } : { problem: `${loaded.error.where}: ${loaded.error.problem}` }) })) });
  const texts = rows.map(({ name: id, own, loaded }) => {
    if (!loaded.ok) return `${id}: ${paint('red', show(`${loaded.error.where}: ${loaded.error.problem}`, 400))}`;
    const drawn = showLines(drawWorkflow(loaded.value.workflow)).split('\n');
    const given = Object.entries(loaded.value.offer.options);
    const offered = given.length === 0 ? [] : [`  with: ${given.map(([key, option]) => `${key}: ${optionWords(option)}`).join(' · ')}`];
    return [paint('bold', drawn[0] ?? '') + (own ? paint('dim', '  (yours)') : ''), ...drawn.slice(1), ...offered].join('\n');
  });
  print(texts.join('\n\n'));
}

const optionWords = (option: OptionFile): string => (typeof option === 'object' && !Array.isArray(option) && 'of' in option ? `${JSON.stringify(option.default)} (${option.of.map((one) => JSON.stringify(one)).join(', ')})` : JSON.stringify(option));
