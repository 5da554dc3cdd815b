/** What of JSON Schema our own schemas come to. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly format?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly items?: JsonSchema | false;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
}

const SIMPLE: Readonly<Record<string, string>> = {
  string: 'string',
  number: 'number',
  integer: 'number',
  boolean: 'boolean',
  null: 'null',
};

/** A schema as a type of what a client sends: amounts may be bigint and times dates, too. */
export function typeOf(schema: JsonSchema, indent = ''): string {
  const { anyOf, oneOf = anyOf } = schema;
  if (schema.const !== undefined) return literal(schema.const);
  if (schema.enum !== undefined) return union(schema.enum.map(literal), indent);
  if (oneOf !== undefined) {
    return union(
      oneOf.map((one) => typeOf(one, `${indent}  `)),
      indent,
    );
  }
  if (Array.isArray(schema.type)) return ofSeveral(schema.type as readonly string[]);
  if (schema.type === 'array') return arrayOf(schema.items, indent);
  if (schema.type === 'object') return objectOf(schema, indent);
  if (schema.type === 'string' && schema.format === 'date-time') return 'Instant';
  return SIMPLE[String(schema.type)] ?? 'unknown';
}

/** In our schemas text or number is minor units, and nothing else. */
function ofSeveral(types: readonly string[]): string {
  const isAmount = types.length === 2 && types.includes('string') && types.includes('number');
  return isAmount ? 'Amount' : types.map((type) => SIMPLE[type] ?? 'unknown').join(' | ');
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "\\'")}'` : JSON.stringify(value);
}

const UNION_CHARS_MAX = 60;

export function union(types: readonly string[], indent: string): string {
  const all = [...new Set(types)];
  const line = all.join(' | ');
  if (line.length <= UNION_CHARS_MAX || all.length === 1) return line;
  return all.map((type) => `\n${indent}  | ${type}`).join('');
}

function arrayOf(items: JsonSchema['items'], indent: string): string {
  if (items === undefined || items === false) return 'readonly unknown[]';
  const item = typeOf(items, indent);
  return item.includes('|') ? `ReadonlyArray<${item}>` : `readonly ${item}[]`;
}

function objectOf(schema: JsonSchema, indent: string): string {
  const { properties = {}, additionalProperties, required = [] } = schema;
  const names = Object.keys(properties);
  if (names.length === 0) {
    const value = typeof additionalProperties === 'object' ? additionalProperties : {};
    return `Readonly<Record<string, ${typeOf(value, indent)}>>`;
  }
  const rows = Object.entries(properties).map(([name, field]) => {
    const inner = `${indent}  `;
    const mark = required.includes(name) ? '' : '?';
    return `${comment(field, inner)}${inner}readonly ${key(name)}${mark}:${spaced(typeOf(field, inner))};\n`;
  });
  return `{\n${rows.join('')}${indent}}`;
}

const spaced = (type: string): string => (type.startsWith('\n') ? type : ` ${type}`);

export function key(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : `'${name}'`;
}

function comment({ description }: JsonSchema, indent: string): string {
  return description === undefined ? '' : `${indent}/** ${description} */\n`;
}
