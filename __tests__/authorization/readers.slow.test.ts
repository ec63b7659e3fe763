import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCallAuthorizer } from '../../src/authorization/call-authorizer.js';
import { createGrantedScopes } from '../../src/authorization/granted-scopes.js';
import { createScopeRuleTable } from '../../src/authorization/scope-rule-table.js';
import { SILENT } from '../../src/core/logger.js';
import { BodyError } from '../../src/http/body.js';
import { parseReceivedBody, readCalls } from '../../src/messages/calls-in-body.js';
import { MessageError } from '../../src/messages/message-refusal.js';

type Pair = readonly [key: string, value: string | readonly Pair[]];

/** Chooses one of the members with a name, as a real parser does. */
type Reader = (pairs: readonly Pair[], name: string) => Pair[1] | undefined;

const simpleFold = (text: string) => text.toUpperCase().toLowerCase();
const same = (key: string, name: string) => key === name;
const alike = (key: string, name: string) => simpleFold(key) === simpleFold(name);

const READERS: Readonly<Record<string, Reader>> = {
  'the first': (pairs, name) => pairs.find(([key]) => same(key, name))?.[1],
  'the last': (pairs, name) => pairs.findLast(([key]) => same(key, name))?.[1],
  'the first, whatever its capitals': (pairs, name) => pairs.find(([key]) => alike(key, name))?.[1],
  'the last, whatever its capitals': (pairs, name) => pairs.findLast(([key]) => alike(key, name))?.[1],
};

/** True if a reader calls `delete_file`. It may also ignore the capitals and the outer spaces of names. */
function calls(read: Reader, message: readonly Pair[]): boolean {
  const params = read(message, 'params');
  const name = Array.isArray(params) ? read(params as readonly Pair[], 'name') : undefined;
  return (
    read(message, 'method') === 'tools/call' && typeof name === 'string' && simpleFold(name).trim() === 'delete_file'
  );
}

/** Writes JSON text with every member, duplicates included, and with some characters escaped. */
function write(pairs: readonly Pair[], escapes: () => boolean): string {
  const text = (value: string) =>
    `"${[...value].map((c) => (escapes() || c < ' ' ? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}` : c)).join('')}"`;
  const members = pairs.map(
    ([key, value]) => `${text(key)}:${typeof value === 'string' ? text(value) : write(value, escapes)}`,
  );
  return `{${members.join(',')}}`;
}

const rules = [{ method: 'tools/call', pattern: 'delete_file', rule: ['files:write'] }];
const authorize = createCallAuthorizer(createScopeRuleTable(rules, SILENT), createGrantedScopes(new Map()));

function passes(text: string): boolean {
  try {
    return authorize(undefined, readCalls(parseReceivedBody(Buffer.from(text))).calls) === undefined;
  } catch (error) {
    expect(error instanceof MessageError || error instanceof BodyError).toBe(true);
    return false;
  }
}

/** Mostly the usual value, so that messages with only one strange part are frequent. */
const mostly = (usual: string, ...strange: string[]) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, { weight: 2, arbitrary: fc.constantFrom(...strange) });
const names = mostly('echo', 'delete_file', 'DELETE_file', ' delete_file', 'delete_\ufb01le', 'delete_file\n');
const paramKey = mostly('name', 'Name', 'NAME', 'name ', 'x', '__proto__');
const params = fc.array(fc.tuple(paramKey, names), { minLength: 1, maxLength: 3 });
const method = fc.tuple(mostly('method', 'Method', 'METHOD', 'x'), mostly('tools/call', 'ping'));
const paramsMember = fc.tuple(mostly('params', 'Params', 'param\u017f', 'PARAMS', 'result'), params);
const more = fc.array(fc.oneof(method, paramsMember), { maxLength: 2 });
const message = fc.tuple(method, paramsMember, more).map(([one, other, rest]): Pair[] => [one, other, ...rest]);

test('no call that the rules forbid passes, however the reader behind chooses members', () => {
  let reached = 0;
  fc.assert(
    fc.property(message, fc.infiniteStream(fc.boolean()), (pairs: readonly Pair[], escapes) => {
      const text = write(pairs, () => escapes.next().value as boolean);
      if (!passes(text)) return;
      for (const [how, read] of Object.entries(READERS)) expect(calls(read, pairs), `${how} in ${text}`).toBe(false);
      if (pairs.some(([, value]) => value === 'tools/call')) reached += 1;
    }),
    { numRuns: 5_000 },
  );
  expect(reached, 'some calls are passed').toBeGreaterThan(10);
});
