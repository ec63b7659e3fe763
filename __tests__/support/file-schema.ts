import { Ajv2020 } from 'ajv/dist/2020.js';
import { runSchemaCommand } from '../../src/gateway/schema-command.js';
import { ROOT } from './program.js';

/** The schema as the command prints it. */
export const FILE_SCHEMA = JSON.parse(runSchemaCommand([], new URL(`file://${ROOT}docs/`)));

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });

/**
 * Creates a check of values against the schema, with an independent validator. It returns the places of the faults.
 *
 * @param part The name of a definition, for a value that is a part of a file.
 */
export function schemaCheck(part?: string): (value: unknown) => readonly string[] {
  const { $defs, ...whole } = FILE_SCHEMA;
  const validate = ajv.compile(
    part === undefined ? FILE_SCHEMA : { $defs, $ref: `#/$defs/${part}`, title: whole.title },
  );
  return (value) => {
    validate(value);
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath || '/'} ${message}`);
  };
}
