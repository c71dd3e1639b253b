/** /api/openapi.json as the page shows it: operations in groups, shapes as fields; pure. */

export interface Schema {
  $ref?: string;
  type?: string;
  title?: string;
  description?: string;
  format?: string;
  enum?: unknown[];
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  required?: string[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
}

interface Content {
  content?: Record<string, { schema?: Schema }>;
}

export interface Parameter {
  name: string;
  in: 'path' | 'query';
  required: boolean;
  schema: Schema;
}

interface OpenApiOperation {
  operationId: string;
  summary: string;
  tags: string[];
  parameters: Parameter[];
  responses: Record<string, Content>;
  requestBody?: Content;
  'x-roles'?: string[];
}

export interface OpenApi {
  paths: Record<string, Record<string, OpenApiOperation>>;
  components: { schemas: Record<string, Schema> };
}

export interface Payload {
  media: string;
  schema: Schema | null;
}

export interface Operation {
  id: string;
  method: string;
  path: string;
  summary: string;
  /** empty: open to anyone */
  roles: string[];
  parameters: Parameter[];
  body: Payload | null;
  status: string;
  /** null: an answer without a body */
  reply: Payload | null;
}

export interface Group {
  tag: string;
  operations: Operation[];
}

/** In the order of the document, one group for each tag. */
export function groupsOf({ paths }: OpenApi): Group[] {
  const groups = new Map<string, Operation[]>();
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags[0] ?? '';
      groups.set(tag, [...(groups.get(tag) ?? []), operationOf(path, method, operation)]);
    }
  }
  return [...groups].map(([tag, operations]) => ({ tag, operations }));
}

function operationOf(path: string, method: string, operation: OpenApiOperation): Operation {
  const [status, success] = Object.entries(operation.responses).find(([code]) => code !== 'default') ?? ['204', {}];
  return {
    id: operation.operationId,
    method: method.toUpperCase(),
    path,
    summary: operation.summary,
    roles: operation['x-roles'] ?? [],
    parameters: operation.parameters,
    body: payloadOf(operation.requestBody),
    status,
    reply: payloadOf(success),
  };
}

function payloadOf(holder: Content | undefined): Payload | null {
  const [first] = Object.entries(holder?.content ?? {});
  return first ? { media: first[0], schema: first[1].schema ?? null } : null;
}

/** A piece of a written type; `shape` names the shape that it links to. */
export interface Piece {
  text: string;
  shape?: string;
}

const shapeName = (reference: string) => reference.slice(reference.lastIndexOf('/') + 1);

/** A type as programmers read one: `User | null`, `Finding[]`, `"sent" | "received"`. */
export function written(schema: Schema): Piece[] {
  if (schema.$ref) return [{ text: shapeName(schema.$ref), shape: shapeName(schema.$ref) }];
  if (schema.enum) return [{ text: schema.enum.map((value) => JSON.stringify(value)).join(' | ') }];
  if (schema.anyOf) return joined(schema.anyOf.map(written), ' | ');
  if (schema.type === 'array') return listOf(schema.items ?? {});
  if (schema.type === 'object' && typeof schema.additionalProperties === 'object') {
    return [{ text: '{[name]: ' }, ...written(schema.additionalProperties), { text: '}' }];
  }
  return [{ text: schema.type ?? 'any' }];
}

function listOf(items: Schema): Piece[] {
  const inner = written(items);
  return items.anyOf || items.enum ? [{ text: '(' }, ...inner, { text: ')[]' }] : [...inner, { text: '[]' }];
}

function joined(parts: Piece[][], by: string): Piece[] {
  return parts.flatMap((part, index) => (index === 0 ? part : [{ text: by }, ...part]));
}

/** "1…500", "≤ 200 characters", "= 100": what else a value has to be. */
export function limits({ minimum, maximum, minLength, maxLength, default: preset }: Schema): string {
  const facts = [
    range(minimum, maximum, ''),
    range(minLength, maxLength, ' chars'),
    preset === undefined || preset === null || preset === '' ? '' : `= ${JSON.stringify(preset)}`,
  ];
  return facts.filter(Boolean).join(', ');
}

function range(least: number | undefined, most: number | undefined, unit: string): string {
  if (least === undefined && most === undefined) return '';
  if (least === undefined) return `≤ ${most}${unit}`;
  return most === undefined ? `≥ ${least}${unit}` : `${least}…${most}${unit}`;
}
