/** The part of a JSON Schema that says what a value must be. */
export interface SchemaPart {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, SchemaPart>>;
}

/** What to write instead of a wrong value, for a person; the validator's own words where it has nothing better. */
export function wantedAt(schema: SchemaPart, path: readonly string[], complaint: string): string {
  let part: SchemaPart | undefined = schema;
  for (const key of path) part = part?.properties?.[key];
  if (part?.enum !== undefined) return `use ${part.enum.join(' or ')}`;
  switch (part?.type) {
    case 'integer':
      return `use a whole number from ${part.minimum} to ${part.maximum}`;
    case 'number':
      return `use a number from ${part.minimum} to ${part.maximum}`;
    case 'boolean':
      return 'use true or false';
    case 'array':
      return 'use a list, such as [ONE, TWO]';
    case 'object':
      return 'use keys below it, one a line';
    case 'string':
      return /^(is|use|names?|has) /.test(complaint) ? complaint : 'use text; a duration has a unit, such as 90s or 45m';
    default:
      return complaint;
  }
}
