import { Environment } from '@marcbachmann/cel-js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AuthorizationRule, createAuthorizationRules } from '../../src/authorization/authorization-rules.js';
import { toCelObject } from '../../src/authorization/expressions/cel-values.js';
import { evaluateTogether } from '../../src/authorization/expressions/evaluation.js';
import { compileExpression, type Expression } from '../../src/authorization/expressions/expression.js';
import { createRuleAuthorizer } from '../../src/authorization/rule-authorizer.js';
import { BodyError } from '../../src/http/body.js';
import { readCalls } from '../../src/messages/calls-in-body.js';
import { MessageError } from '../../src/messages/message-refusal.js';
import { randomExpressions, randomMembers } from '../support/random-rules.js';

const library = new Environment({ homogeneousAggregateLiterals: false })
  .registerVariable('jwt', 'map')
  .registerVariable('mcp', 'map');

function compile(text: string): Expression | undefined {
  try {
    return compileExpression(text);
  } catch {
    // Too large, or of types that cannot fit.
    return undefined;
  }
}

interface Given {
  readonly claims: Record<string, unknown>;
  readonly args: Record<string, unknown>;
}

// The library notices a rounded number in a map only if it comes first: equality.test.ts is about these.
const members = randomMembers({ rounded: false });
const given = fc.record({ claims: members, args: members });

function variablesOf({ claims, args }: Given) {
  return {
    jwt: toCelObject(claims),
    mcp: { tool: { name: 'echo', target: undefined, arguments: toCelObject(args) } },
    apiKey: undefined,
    request: {} as never,
    source: {} as never,
  };
}

/** The result of the library alone, for the same values. */
function libraryOutcome(text: string, { jwt, mcp: { tool } }: ReturnType<typeof variablesOf>): boolean | 'failed' {
  const mcp = new Map([
    [
      'tool',
      new Map<string, unknown>([
        ['name', tool.name],
        ['arguments', tool.arguments],
      ]),
    ],
  ]);
  try {
    const result: unknown = library.evaluate(text, { jwt, mcp });
    return typeof result === 'boolean' ? result : 'failed';
  } catch {
    return 'failed';
  }
}

/** The decision as the documentation of rules says it. `absent` counts as a failure except with deny. */
function decide(rules: readonly (readonly [AuthorizationRule['kind'], boolean | 'failed' | 'absent'])[]): boolean {
  const of = (kind: string) => rules.filter(([each]) => each === kind).map(([, outcome]) => outcome);
  if (of('deny').some((outcome) => outcome === true || outcome === 'failed')) return false;
  if (of('require').some((outcome) => outcome !== true)) return false;
  return of('allow').length === 0 || of('allow').includes(true);
}

test('an expression is as true as the library says, and a rule set decides accordingly', () => {
  const seen = new Map<unknown, number>();
  const kind = fc.constantFrom('allow' as const, 'deny' as const, 'require' as const);
  const rule = fc.tuple(kind, randomExpressions());
  fc.assert(
    fc.property(fc.array(rule, { minLength: 1, maxLength: 4 }), given, (texts, values) => {
      const variables = variablesOf(values);
      const rules = texts.flatMap(([each, text], i) => {
        const expression = compile(text);
        return expression ? [{ kind: each, expression, scopes: [], at: `rules[${i}]` }] : [];
      });
      const outcomes = rules.map(({ kind: each, expression }) => {
        const outcome = evaluateTogether(() => expression.evaluate(variables, () => undefined));
        const expected = libraryOutcome(expression.text, variables);
        // The library does not find a number in a map, and here that is a failure.
        const mayFail = outcome === 'failed' && expression.text.includes(' in ');
        if (!mayFail) expect(outcome === 'absent' ? 'failed' : outcome, expression.text).toBe(expected);
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
        return [each, outcome as boolean | 'failed' | 'absent'] as const;
      });
      const input = { variables, scopes: new Set<string>(), hasLongArguments: false };
      const authorizationRules = createAuthorizationRules(rules, () => undefined);
      expect(authorizationRules.decide(input).isAllowed).toBe(decide(outcomes));
      // The second decision uses the outcomes that the first one has remembered.
      for (const _ of [1, 2])
        expect(authorizationRules.decide({ ...input, subject: 'tool  echo' }).isAllowed).toBe(decide(outcomes));
    }),
    { numRuns: 800 },
  );
  // The expressions are neither all true nor all wrong.
  for (const outcome of [true, false, 'failed', 'absent'])
    expect(seen.get(outcome) ?? 0, String(outcome)).toBeGreaterThan(20);
});

test('no message makes a rule throw', () => {
  const rules = ['allow', 'deny', 'require'].map((kind, i) => ({
    kind: kind as 'allow',
    expression: compileExpression(
      'mcp.tool.arguments.s == "a" || mcp.resource.name == jwt.s || "x" in mcp.tool.arguments.l',
    ),
    scopes: ['a'],
    at: `rules[${i}]`,
  }));
  const settings = {
    authorizationRules: createAuthorizationRules(rules, () => undefined),
    isAmbiguous: () => false,
    backend: undefined,
  };
  const method = fc.constantFrom(
    'tools/call',
    'prompts/get',
    'resources/read',
    'tasks/get',
    'completion/complete',
    'subscriptions/listen',
  );
  const params = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        name: fc.jsonValue(),
        uri: fc.jsonValue(),
        taskId: fc.jsonValue(),
        arguments: fc.jsonValue(),
        ref: fc.jsonValue(),
        notifications: fc.jsonValue(),
      },
      { requiredKeys: [] },
    ),
    fc.record({ name: fc.string(), uri: fc.string(), arguments: randomMembers() }),
  );
  const message = fc.oneof(
    fc.jsonValue(),
    fc.record({ id: fc.constant(1), method, params }),
    fc.array(fc.record({ method, params }), { maxLength: 3 }),
  );
  let decided = 0;
  fc.assert(
    fc.property(message, (body) => {
      try {
        const { calls } = readCalls(body);
        createRuleAuthorizer(settings, { headers: {} } as never, undefined, () => undefined).authorize(calls);
        decided += calls.length;
      } catch (error) {
        if (!(error instanceof MessageError || error instanceof BodyError)) throw error;
      }
    }),
    { numRuns: 2_000 },
  );
  expect(decided).toBeGreaterThan(100);
});
