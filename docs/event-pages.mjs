// docs/events.md and docs/events.schema.json, from the types of src/events/event.ts and the words of src/events/meaning.ts.
import { readFileSync } from 'node:fs';
import ts from 'typescript';

const SOURCE = new URL('../src/events/event.ts', import.meta.url);

/** Every kind with its fields, in the order of the source: [{ kind, fields: [{ name, schema, optional }] }]. */
export function kindsOf() {
  const source = ts.createSourceFile('event.ts', readFileSync(SOURCE, 'utf8'), ts.ScriptTarget.Latest, true);
  const union = source.statements.find((one) => ts.isTypeAliasDeclaration(one) && one.name.text === 'PitEvent').type;
  return union.types.flatMap((member) => {
    const fields = member.members.map((one) => ({ name: one.name.text, schema: schemaOf(one.type), optional: one.questionToken !== undefined }));
    const kind = fields.find(({ name }) => name === 'kind').schema;
    return (kind.enum ?? [kind.const]).map((one) => ({ kind: one, fields: fields.filter(({ name }) => name !== 'kind') }));
  });
}

function schemaOf(type) {
  if (type.kind === ts.SyntaxKind.StringKeyword) return { type: 'string' };
  if (type.kind === ts.SyntaxKind.NumberKeyword) return { type: 'number' };
  if (type.kind === ts.SyntaxKind.BooleanKeyword) return { type: 'boolean' };
  if (ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal)) return { const: type.literal.text };
  if (ts.isUnionTypeNode(type)) {
    const parts = type.types.filter((one) => one.kind !== ts.SyntaxKind.UndefinedKeyword).map(schemaOf);
    return parts.length === 1 ? parts[0] : { enum: parts.map((part) => part.const) };
  }
  throw new Error(`src/events/event.ts has a field of a type that docs/event-pages.mjs cannot tell: ${type.getText()}`);
}

/** The JSON Schema of one line of the log. */
export function eventSchema({ EVENT_VERSION }, { KIND_MEANING, FIELD_MEANING }) {
  const always = { v: { const: EVENT_VERSION }, at: { type: 'number', description: 'wall clock, milliseconds since 1970' } };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `one line of a snakepit event log, version ${EVENT_VERSION}`,
    description: 'Readers leave out kinds and fields that they do not know: new ones may come without a new version.',
    oneOf: kindsOf().map(({ kind, fields }) => ({
      description: KIND_MEANING[kind],
      type: 'object',
      properties: { ...always, kind: { const: kind }, ...Object.fromEntries(fields.map(({ name, schema }) => [name, { ...schema, description: FIELD_MEANING[name] }])) },
      required: ['v', 'at', 'kind', ...fields.flatMap(({ name, optional }) => (optional ? [] : [name]))],
    })),
  };
}

const typeWords = (schema) => (schema.enum === undefined ? (schema.const ?? schema.type) : schema.enum.map((one) => (one === '' ? 'empty' : one)).join(', '));

/** The page for a person. */
export function eventPage({ EVENT_VERSION }, { KIND_MEANING, FIELD_MEANING }) {
  const kinds = kindsOf();
  const names = [...new Set(kinds.flatMap(({ fields }) => fields.map(({ name }) => name)))].sort();
  return [
    '# Events',
    '',
    '<!-- Written by npm run generate from src/events/; edit there. -->',
    '',
    `Everything that happens in a pit is one line of JSON in \`.snakepit/log/events.jsonl\`, appended with one write. This is version ${EVENT_VERSION} (\`v\`).`,
    'A new kind or a new field is no new version: leave out what you do not know. A field that goes, or means something else, is one.',
    'A line of more than 3500 characters has its texts cut to 400. Where the disk is full a line may be missing: the files under `queue/` are the truth.',
    '',
    '```sh',
    'snakepit events -f --json                             # as it happens, across rotations of the log',
    "snakepit events --since 12h --kind 'task-*' 'breaker-*'",
    'snakepit events --task fix-login',
    'snakepit events --schema                              # JSON Schema of one line',
    '```',
    '',
    'Every line has `v`, `at` (wall clock, milliseconds since 1970) and `kind`.',
    '',
    '| kind | what happened | fields |',
    '|---|---|---|',
    ...kinds.map(({ kind, fields }) => `| \`${kind}\` | ${KIND_MEANING[kind]} | ${fields.map(({ name, schema }) => (schema.enum === undefined ? name : `${name} (${typeWords(schema)})`)).join(', ')} |`),
    '',
    '| field | type | meaning |',
    '|---|---|---|',
    ...names.map((name) => {
      const types = new Set(kinds.flatMap(({ fields }) => fields.filter((one) => one.name === name).map(({ schema }) => schema.type ?? 'string')));
      return `| ${name} | ${[...types].join(' or ')} | ${FIELD_MEANING[name]} |`;
    }),
    '',
  ].join('\n');
}
