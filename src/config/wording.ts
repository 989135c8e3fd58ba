/** The part of a JSON Schema that says what a value must be. */
export interface SchemaPart {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, SchemaPart>>;
  readonly items?: SchemaPart;
  /** Of a map by free names. */
  readonly additionalProperties?: SchemaPart;
}

/** The schema of what stands at a path; numbers in it count the items of a list. */
export const partAt = (schema: SchemaPart, path: readonly string[]): SchemaPart | undefined => path.reduce<SchemaPart | undefined>((part, key) => part?.properties?.[key] ?? (/^\d+$/.test(key) ? part?.items : undefined) ?? (typeof part?.additionalProperties === 'object' ? part.additionalProperties : undefined), schema);

/** What to write instead of a wrong value, for a person; the validator's own words where it has nothing better. */
export function wantedAt(schema: SchemaPart, path: readonly string[], complaint: string): string {
  const part = partAt(schema, path);
  if (/^(is|use|names?|has) /.test(complaint)) return complaint;
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
      return 'use text; a duration has a unit, such as 90s or 45m';
    default:
      return complaint;
  }
}
