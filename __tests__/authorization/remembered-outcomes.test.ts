import { expect, test } from 'vitest';
import { createAuthorizationRules } from '../../src/authorization/authorization-rules.js';
import { toCelObject } from '../../src/authorization/expressions/cel-values.js';
import { evaluateTogether } from '../../src/authorization/expressions/evaluation.js';
import { compileExpression } from '../../src/authorization/expressions/expression.js';

const ALICE = toCelObject({ sub: 'alice' });
const BOB = toCelObject({ sub: 'bob' });

interface Given {
  readonly caller?: typeof ALICE | undefined;
  readonly key?: typeof ALICE;
  readonly name?: string;
  readonly target?: string;
  readonly amount?: number;
  readonly header?: string;
}

/** Decides by one rule, and counts its failures. */
function createDecision(text: string) {
  let failures = 0;
  const rule = { kind: 'allow' as const, expression: compileExpression(text), scopes: [], at: 'rules[0]' };
  const authorizationRules = createAuthorizationRules([rule], () => {
    failures += 1;
  });
  const decide = ({ caller, key, name = 'echo', target, amount = 0, header = '' }: Given) => {
    const variables = {
      jwt: caller,
      apiKey: key,
      request: { headers: toCelObject({ 'x-team': header }) } as never,
      source: {} as never,
      mcp: { tool: { name, target, arguments: toCelObject({ amount }) } },
    };
    const input = { variables, scopes: new Set<string>(), hasLongArguments: false };
    return evaluateTogether(() => authorizationRules.decide({ ...input, subject: `tool ${target ?? ''} ${name}` }))
      .isAllowed;
  };
  return { decide, failures: () => failures };
}

const LONG = 'e'.repeat(200);

test.each<[rule: string, allowed: Given, denied: Given]>([
  ['jwt.sub == "alice"', { caller: ALICE }, { caller: BOB }],
  ['has(jwt.sub)', { caller: ALICE }, {}],
  ['apiKey.sub == "alice"', { key: ALICE }, { key: BOB }],
  ['mcp.tool.name == "echo"', { caller: ALICE }, { caller: ALICE, name: 'delete' }],
  ['mcp.tool.target == "a"', { target: 'a' }, { target: 'b' }],
  ['mcp.tool.name.endsWith("x")', { name: `${LONG}x` }, { name: `${LONG}y` }],
  ['mcp.tool.arguments.amount < 5', { amount: 1 }, { amount: 9 }],
  ['mcp.tool.name == "echo" && mcp.tool.arguments.amount < 5', { amount: 1 }, { amount: 9 }],
  ['request.headers["x-team"] == "a"', { header: 'a' }, { header: 'b' }],
])('%s is decided for each call, also after the same call', (text, allowed, denied) => {
  const { decide } = createDecision(text);
  expect([allowed, denied, allowed, denied, denied, allowed].map(decide)).toEqual([
    ...[true, false],
    ...[true, false, false, true],
  ]);
});

test('a rule that fails is reported each time', () => {
  const { decide, failures } = createDecision('jwt.missing == 1');
  for (const _ of [1, 2, 3]) expect(decide({ caller: ALICE })).toBe(false);
  expect(failures()).toBe(3);
});

test('more names than are remembered change no decision', () => {
  const { decide } = createDecision('mcp.tool.name.endsWith("7")');
  const names = Array.from({ length: 10_100 }, (_, i) => `t${i}`);
  const expected = names.map((name) => name.endsWith('7'));
  for (const _ of [1, 2]) expect(names.map((name) => decide({ caller: ALICE, name }))).toEqual(expected);
});
