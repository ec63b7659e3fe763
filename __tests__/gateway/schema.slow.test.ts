import { execFileSync } from 'node:child_process';
import { beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { WHOLE_FILE } from '../../src/gateway/schema/mappings.js';
import { isRecord } from '../../src/http/json-object.js';
import type { MembersType, ValueType } from '../../src/options/value-type.js';
import { codeBlocksOf, runnerOf } from '../support/code-blocks.js';
import { makePageFolder, startFile } from '../support/command-page.js';
import { FILE_SCHEMA, schemaCheck } from '../support/file-schema.js';
import type { GatewayFolder } from '../support/gateway-folder.js';
import { CLI } from '../support/program.js';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makePageFolder();
  return () => folder.remove();
});

/** A value with a fault at one place. */
type Faulty = readonly [place: string, value: unknown];

const UNKNOWN = 'zzz';

/** The shapes that values of a type have. */
function shapesOf(type: ValueType): readonly ('list' | 'mapping' | 'scalar' | 'any')[] {
  if (type.kind === 'either') return type.types.flatMap(shapesOf);
  if (type.kind === 'list' || type.kind === 'any') return [type.kind];
  return [type.kind === 'members' || type.kind === 'record' ? 'mapping' : 'scalar'];
}

/** A value of another type. */
function wrongValueFor(type: ValueType): unknown {
  const shapes = shapesOf(type);
  if (!shapes.includes('list')) return [[7]];
  return shapes.includes('mapping') ? 7.5 : { [UNKNOWN]: [7] };
}

/** The value in each way that is wrong: another type, or an unknown key, here or further inside. */
function faultsIn(value: unknown, type: ValueType): readonly Faulty[] {
  if (type.kind === 'any') return [];
  return [['', wrongValueFor(type)], ...faultsInside(value, type)];
}

function faultsInside(value: unknown, type: ValueType): readonly Faulty[] {
  if (type.kind === 'either') return type.types.flatMap((each) => faultsInside(value, each));
  if (type.kind === 'list' && Array.isArray(value))
    return value.flatMap((item, i) =>
      faultsIn(item, type.of).map(([at, wrong]) => [`[${i}]${at}`, value.with(i, wrong)]),
    );
  if (!isRecord(value)) return [];
  if (type.kind === 'record') return Object.keys(value).flatMap((key) => faultsAt(value, key, type.of));
  return type.kind === 'members' ? faultsInMapping(value, type) : [];
}

function faultsInMapping(value: Record<string, unknown>, { members, others }: MembersType): readonly Faulty[] {
  const isOpen = others?.pattern.test(UNKNOWN) ?? false;
  const known = Object.keys(value).flatMap((key) => {
    const type = Object.hasOwn(members, key) ? members[key]?.type : undefined;
    return type === undefined ? [] : faultsAt(value, key, type);
  });
  // Of two mappings that may be at one place, the value is the one whose keys it has.
  const isThis = Object.keys(value).every((key) => key in members || others?.pattern.test(key));
  return isOpen || !isThis ? known : [[`.${UNKNOWN}`, { ...value, [UNKNOWN]: 1 }], ...known];
}

function faultsAt(value: Record<string, unknown>, key: string, type: ValueType): readonly Faulty[] {
  return faultsIn(value[key], type).map(([at, wrong]) => [`.${key}${at}`, { ...value, [key]: wrong }]);
}

const files = codeBlocksOf('docs/command.md').filter((block) => block.language === 'yaml' && runnerOf(block));

test.each(files)(
  'the command and the schema refuse each unknown key and wrong type in the file of line $line',
  async ({ code }) => {
    const check = schemaCheck();
    const accepted: string[] = [];
    const faults = faultsIn(parse(code), WHOLE_FILE);
    for (const [place, value] of faults) {
      if (check(value).length === 0) accepted.push(`schema: ${place}`);
      const started = await startFile(JSON.stringify(value), folder).catch(() => undefined);
      if (started !== undefined) accepted.push(`command: ${place}`);
    }
    expect(faults.length).toBeGreaterThan(10);
    expect(accepted).toEqual([]);
  },
);

test('the command prints the schema', () => {
  expect(JSON.parse(execFileSync(process.execPath, [CLI, 'schema'], { encoding: 'utf8' }))).toEqual(FILE_SCHEMA);
});
