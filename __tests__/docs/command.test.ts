import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { AUTHORIZATION_TABLE } from '../../src/authorization/authorization-options.js';
import { SCOPES_TABLE } from '../../src/authorization/scopes-options.js';
import { BRIDGE_TABLE } from '../../src/bridge/bridge-options.js';
import { CHILD_TABLE } from '../../src/bridge/child-options.js';
import { HTTP_TABLE } from '../../src/bridge/http/http-options.js';
import { JOINED_TABLE } from '../../src/bridge/joined-options.js';
import { USAGE } from '../../src/gateway/command-line.js';
import {
  UNSUPPORTED_BACKENDS,
  UNSUPPORTED_POLICIES,
  UNSUPPORTED_SECTIONS,
  UNSUPPORTED_TARGETS,
} from '../../src/gateway/config/unsupported-features.js';
import { ELSEWHERE } from '../../src/gateway/schema/backend-keys.js';
import { MCP_AUTHENTICATION } from '../../src/gateway/schema/login-keys.js';
import { everyMapping, keyAt, WHOLE_FILE } from '../../src/gateway/schema/mappings.js';
import type { Member, Members, MembersType } from '../../src/options/value-type.js';
import { SENDER_CONSTRAINT_TABLE } from '../../src/policy/resolve-sender-constraint.js';
import { blockToRun } from '../support/code-blocks.js';
import { makePageFolder, startFile } from '../support/command-page.js';
import { defaultInWords, KEY_TABLES, keysIn, typeInWords } from '../support/documented-keys.js';
import type { GatewayFolder } from '../support/gateway-folder.js';
import { ROOT } from '../support/program.js';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makePageFolder();
  return () => folder.remove();
});

/** The files of the page, with the ports of each. None has a warning, except where it must. */
const examples: readonly (readonly [name: string, text: string, lines: readonly string[]])[] = [
  ['simple', blockToRun('docs/command.md', 'simple'), ['mcp: 3000']],
  ['secrets', blockToRun('docs/command.md', 'secrets'), ['mcp: 3000']],
  ['jwt-sign', blockToRun('docs/command.md', 'jwt-sign'), ['mcp: 3000']],
  ['upstream-token', blockToRun('docs/command.md', 'upstream-token'), ['mcp: 3000']],
  ['process', blockToRun('docs/command.md', 'process'), ['mcp: 3000']],
  ['access-log', blockToRun('docs/command.md', 'access-log'), ['mcp: 3000']],
  ['other-access-log', blockToRun('docs/command.md', 'other-access-log'), ['mcp: 3000']],
  ['tracing', blockToRun('docs/command.md', 'tracing'), ['mcp: 3000']],
  ['older-tracing', blockToRun('docs/command.md', 'older-tracing'), ['mcp: 3000']],
  ['gateways', blockToRun('docs/command.md', 'gateways'), ['gateways.default: 8443']],
  ['listeners', blockToRun('docs/command.md', 'listeners'), ['gateways.web: 8443']],
  ['binds', blockToRun('docs/command.md', 'binds'), ['binds[0]: 3000', 'binds[1]: 8443']],
  ['routes', blockToRun('docs/command.md', 'routes'), ['gateways.default: 3000']],
  ['targets', blockToRun('docs/command.md', 'targets'), ['mcp: 3000']],
  ['servers', blockToRun('docs/command.md', 'servers'), ['mcp: 3000']],
  ['one-server', blockToRun('docs/command.md', 'one-server'), ['gateways.default: 3000']],
  ['policies', blockToRun('docs/command.md', 'policies'), ['mcp: 3000']],
  ['login', blockToRun('docs/command.md', 'login'), ['mcp: 3000']],
  ['logins', blockToRun('docs/command.md', 'logins'), ['gateways.default: 3000']],
  ['credentials', blockToRun('docs/command.md', 'credentials'), ['gateways.default: 3000']],
  ['keys', blockToRun('docs/command.md', 'keys'), ['gateways.default: 3000']],
  ['rules', blockToRun('docs/command.md', 'rules'), ['mcp: 3000']],
  ['requests', blockToRun('docs/command.md', 'requests'), ['gateways.default: 3000']],
  ['policies-by-name', blockToRun('docs/command.md', 'policies-by-name'), ['gateways.default: 3000']],
];

describe('the files of docs/command.md start', () => {
  test.each(examples)('%s', async (_name, text, lines) => {
    expect(await startFile(text, folder)).toEqual(lines);
  });
});

const mappings = everyMapping(WHOLE_FILE);

/** The names of those keys of the code's tables that are not among these. */
function missingIn(keys: ReadonlySet<Member>): readonly string[] {
  return [...mappings.values()].flatMap(({ name, members }) =>
    Object.entries(members)
      .filter(([, member]) => member.type !== undefined && !keys.has(member))
      .map(([key]) => `${name}: ${key}`),
  );
}

describe.each(KEY_TABLES)('docs/command.md, the keys of $mapping', ({ mapping, rows }) => {
  test.each(rows)('$key: type and default are those of the code', (row) => {
    const key = keyAt(mappings.get(mapping) as MembersType, row.key);
    expect(row).toMatchObject({
      type: key?.type && typeInWords(key.type),
      default: key && defaultInWords(key, mapping, row.key),
    });
  });
});

test('docs/command.md has every key of the file', () => {
  const documented = KEY_TABLES.flatMap(({ mapping, rows }) =>
    rows.flatMap(({ key }) => keyAt(mappings.get(mapping) as MembersType, key) ?? []),
  );
  expect(missingIn(new Set(documented))).toEqual([]);
});

test('every key of the file is in a file of docs/command.md that starts', () => {
  expect(missingIn(new Set(examples.flatMap(([, text]) => keysIn(parse(text), WHOLE_FILE))))).toEqual([]);
});

/** A table that has options for code and for files, with the names of those that only code has under this name. */
const optionTables: readonly (readonly [name: string, table: Members, elsewhere: ReadonlySet<string>])[] = [
  ...[CHILD_TABLE, BRIDGE_TABLE, JOINED_TABLE, HTTP_TABLE].map(
    (table) => ['a backend', table, new Set(ELSEWHERE.keys())] as const,
  ),
  ['mcpAuth()', MCP_AUTHENTICATION, new Set(['extra', 'verifiers', 'onDecision', 'store', 'logger'])],
  ['senderConstraint', SENDER_CONSTRAINT_TABLE, new Set(['mtls'])],
  ['mcpScopes()', SCOPES_TABLE, new Set(['logger', 'onCall', 'recordContent'])],
  ['mcpAuthorization()', AUTHORIZATION_TABLE, new Set(['backend', 'logger', 'onCall', 'recordContent'])],
];

test.each(optionTables)(
  'each option of %s is a key of the file, except functions and objects with functions',
  (_name, table, elsewhere) => {
    const keys = new Set([...mappings.values()].flatMap(({ members }) => Object.keys(members)));
    for (const [option, { type }] of Object.entries(table)) {
      if (!elsewhere.has(option)) expect([option, type === undefined, keys.has(option)]).toEqual([option, false, true]);
    }
  },
);

test('docs/command.md names everything that is not supported', () => {
  const page = readFileSync(`${ROOT}docs/command.md`, 'utf8');
  const [, section = ''] = /^### What is not supported$([\s\S]*?)^##/m.exec(page) ?? [];
  const named = [...section.matchAll(/`(?:[a-z]+\.)?(\w+)`/g)].map(([, name]) => name);
  const names = [UNSUPPORTED_SECTIONS, UNSUPPORTED_BACKENDS, UNSUPPORTED_TARGETS, UNSUPPORTED_POLICIES].flatMap(
    (out) => [...out.keys()],
  );
  expect(names.filter((name) => !named.includes(name))).toEqual([]);
});

test('docs/command.md has a row for every option of --help', () => {
  const options = [...USAGE.matchAll(/^ +(?:-\w, )?(--[a-z-]+)/gm)].map(([, option]) => option);
  expect(options).toContain('--file');
  const page = readFileSync(`${ROOT}docs/command.md`, 'utf8');
  const rows = page.match(/^\| `-.*$/gm)?.join('\n') ?? '';
  expect(options.filter((option) => !rows.includes(`\`${option}`))).toEqual([]);
});
