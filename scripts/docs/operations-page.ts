import { z } from 'zod';
import { OPERATIONS } from '../../core/operation-types/registry.ts';
import type { OperationDefinition } from '../../core/operations/define.ts';
import { code, heading, table } from './markdown.ts';

interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxLength?: number;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

export function operationsPage(): string {
  const intro =
    'Every type of `POST /v1/operations`, from the registry. The key needs the scope\n' +
    '`operations:write`, and where it is said another one. The envelope is\n' +
    '`{type, input, orderingKey?, preconditions?, runAt?, dryRun?, metadata?}`; preconditions are\n' +
    '`ifAvailableAtLeast`, `ifWalletSeq` (both of the main wallet) and `expiresAt`.';
  const sections = Object.values(OPERATIONS).map(section);
  return `${heading('Operations', intro)}\n${sections.join('\n')}`;
}

function section(definition: OperationDefinition): string {
  const { type, version, mode, summary, input, scope } = definition;
  const right =
    scope === undefined ? '' : ` A key needs the scope ${code(scope)}, also to cancel it.`;
  const head = `## ${type}\n\n${summary}. Mode ${code(mode)}, version ${version}.${right}\n`;
  if (type === 'batch') {
    return `${head}\nInput: \`operations\`, 1 to 1,000 of \`{type, input}\` with any type but \`batch\`.\n`;
  }
  const schema = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  const required = new Set(schema.required);
  const rows = Object.entries(schema.properties ?? {}).map(([name, field]) => [
    code(name),
    required.has(name) ? 'yes' : '',
    describe(field),
  ]);
  const fields = table(['Field', 'Required', 'What'], rows);
  const rest = [steps, signals, exampleOf].map((part) => part(definition)).join('');
  return `${head}\n${fields}${rest}`;
}

function kindOf(step: NonNullable<OperationDefinition['saga']>['steps'][number]): string {
  if (step.kind === 'ledger') return 'ledger';
  return step.onlyLooks === true ? 'look' : `call, redo ${code(step.redo)}`;
}

function steps({ saga }: OperationDefinition): string {
  if (saga === undefined) return '';
  const rows = saga.steps.map((step) => [
    code(step.name),
    kindOf(step),
    step.isPivot === true ? 'yes' : '',
    typeof step.compensate === 'string' ? step.compensate : 'yes',
  ]);
  return `\n${table(['Step', 'Kind', 'Pivot', 'Taken back'], rows)}`;
}

/** What its steps may wait for. */
function signals({ signals: schemas = {} }: OperationDefinition): string {
  const rows = Object.entries(schemas).map(([name, schema]) => [
    code(name),
    describe(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema),
  ]);
  return rows.length === 0 ? '' : `\n${table(['Signal', 'Data'], rows)}`;
}

function exampleOf({ type, example }: OperationDefinition): string {
  if (example === undefined) return '';
  const body = JSON.stringify({ type, input: example('ada') }, undefined, 2);
  return `\n\`\`\`json\n${body}\n\`\`\`\n`;
}

/** One cell for a field: its own description, else what its schema allows. */
function describe(field: JsonSchema): string {
  if (field.description !== undefined) return field.description;
  if (field.enum !== undefined) return field.enum.map((value) => code(String(value))).join(' or ');
  if (field.anyOf !== undefined) return field.anyOf.map(describe).join(' or ');
  if (field.type === 'array') {
    return `list of ${field.items === undefined ? 'anything' : describe(field.items)}`;
  }
  if (field.properties !== undefined) {
    const required = new Set(field.required);
    const names = Object.keys(field.properties).map((name) =>
      required.has(name) ? name : `${name}?`,
    );
    return code(`{${names.join(', ')}}`);
  }
  if (field.pattern !== undefined) return `${field.type ?? 'text'} like ${code(field.pattern)}`;
  return field.type ?? 'anything';
}
