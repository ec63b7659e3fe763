import type { Member, MembersType, ValueType } from '../../options/value-type.js';
import { VARIABLE } from '../config/variables.js';
import { WHOLE_FILE } from './mappings.js';

export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * Builds the JSON Schema of the configuration file (draft 2020-12). It accepts every file that the command accepts, and refuses unknown
 * keys and values of another type. It does not know how keys depend on each other.
 *
 * @param describe Returns what editors say about a key.
 */
export function buildFileSchema(describe: (key: Member) => string | undefined): JsonSchema {
  const definitions = new Definitions(describe);
  const file = definitions.schemaOfMapping(WHOLE_FILE);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'The configuration file of express-mcp-auth',
    ...file,
    $defs: { [VARIABLE_NAME]: { type: 'string', pattern: VARIABLE.source }, ...definitions.all() },
  };
}

const VARIABLE_NAME = 'variable';

const referenceTo = (name: string): JsonSchema => ({ $ref: `#/$defs/${name}` });

/** The file may have a variable in place of any value that is not a list or a mapping. */
const orVariable = (schema: JsonSchema): JsonSchema => ({ anyOf: [schema, referenceTo(VARIABLE_NAME)] });

/** The schemas of mappings. Many places of the file have the same mapping. */
class Definitions {
  readonly #describe: (key: Member) => string | undefined;
  readonly #schemas = new Map<string, JsonSchema>();

  constructor(describe: (key: Member) => string | undefined) {
    this.#describe = describe;
  }

  all(): JsonSchema {
    return Object.fromEntries(this.#schemas);
  }

  schemaOfMapping({ members, others }: MembersType): JsonSchema {
    const keys = Object.entries(members).filter(([, { type }]) => type !== undefined);
    const required = keys.filter(([, { isRequired }]) => isRequired).map(([name]) => name);
    return {
      type: 'object',
      properties: Object.fromEntries(keys.map(([name, key]) => [name, this.#schemaOfKey(key)])),
      ...(others && { patternProperties: { [others.pattern.source]: this.#schemaOf(others.type) } }),
      ...(required.length > 0 && { required }),
      additionalProperties: false,
    };
  }

  #schemaOfKey(key: Member): JsonSchema {
    const description = this.#describe(key);
    return {
      ...(description && { description }),
      ...this.#schemaOf(key.type as ValueType),
      ...(key.default !== undefined && { default: key.default }),
    };
  }

  #schemaOf(type: ValueType): JsonSchema {
    switch (type.kind) {
      case 'members':
        return this.#define(type);
      case 'record':
        return { type: 'object', additionalProperties: this.#schemaOf(type.of) };
      case 'list':
        return { type: 'array', items: this.#schemaOf(type.of), ...(type.min > 0 && { minItems: type.min }) };
      case 'either':
        return { anyOf: type.types.map((each) => this.#schemaOf(each)) };
      default:
        return schemaOfScalar(type);
    }
  }

  #define(mapping: MembersType): JsonSchema {
    // Not every editor decodes the name in a reference.
    const name = mapping.name.replaceAll(' ', '-');
    if (!this.#schemas.has(name)) this.#schemas.set(name, this.schemaOfMapping(mapping));
    return referenceTo(name);
  }
}

function schemaOfScalar(type: Exclude<ValueType, { kind: 'members' | 'record' | 'list' | 'either' }>): JsonSchema {
  switch (type.kind) {
    case 'text': {
      const text = { type: 'string', ...(type.min > 0 && { minLength: type.min }) };
      return type.pattern === undefined ? text : orVariable({ ...text, pattern: type.pattern.source });
    }
    case 'flag':
      return orVariable({ type: 'boolean' });
    case 'number':
      return orVariable({
        type: 'integer',
        minimum: type.min,
        ...(type.max !== undefined && { maximum: type.max }),
      });
    case 'words':
      return orVariable({ enum: type.words });
    case 'constant':
      return orVariable({ const: type.value });
    case 'any':
      return {};
  }
}
