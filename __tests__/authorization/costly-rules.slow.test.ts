import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toCelObject } from '../../src/authorization/expressions/cel-values.js';
import { evaluateTogether } from '../../src/authorization/expressions/evaluation.js';
import { compileExpression } from '../../src/authorization/expressions/expression.js';
import { randomExpressions } from '../support/random-rules.js';

const BYTES = 65_000;

/** Arguments of 64 KiB that make some expression slow. */
const ARGUMENTS = [
  { s: 'a'.repeat(BYTES), l: ['a'], n: 1, o: { s: 'a' } },
  { l: Array.from({ length: 5_000 }, (_, i) => `a${i}`), s: 'a'.repeat(20_000) },
  {
    l: Array.from({ length: 256 }, () => 'a'.repeat(200)),
    s: 'ab',
    o: { l: Array.from({ length: 256 }, (_, i) => i) },
  },
  { l: Array.from({ length: 30_000 }, () => 1), s: '1' },
  { l: Array.from({ length: 4_000 }, () => [[1]]), o: { l: [[[1]]] } },
  { l: Array.from({ length: 2_000 }, (_, i) => ({ s: `a${i}` })), s: 'a'.repeat(30_000) },
];

/** Milliseconds of the fastest run: another process may have interrupted the others, and the first ones are not compiled yet. */
function timeOf(run: () => void, runs: number): number {
  return Math.min(
    ...Array.from({ length: runs }, () => {
      const start = performance.now();
      run();
      return performance.now() - start;
    }),
  );
}

/** Returns undefined for an expression with too many nodes, or of types that cannot fit. */
function evaluationOf(text: string, shape: number): (() => void) | undefined {
  try {
    const { evaluate } = compileExpression(text);
    const variables = {
      jwt: toCelObject({ s: 'a', l: ['a', 'b'], n: 1 }),
      apiKey: undefined,
      request: {} as never,
      source: {} as never,
      mcp: { tool: { name: 'echo', target: undefined, arguments: toCelObject(ARGUMENTS[shape] as object as never) } },
    };
    return () => void evaluateTogether(() => evaluate(variables, () => undefined));
  } catch {
    return undefined;
  }
}

const RUNS = Number(process.env.RUNS ?? 3_000);

// The goal is 20 ms on an idle machine. Without the bounds, the search finds expressions that take seconds.
test('a search for the slowest rule on 64 KiB finds none that blocks the process', { timeout: 600_000 }, () => {
  const found: { ms: number; text: string; run: () => void }[] = [];
  const shape = fc.nat({ max: ARGUMENTS.length - 1 });
  fc.assert(
    fc.property(randomExpressions({ costly: true, depth: 6 }), shape, (text, i) => {
      const run = text.includes('arguments') ? evaluationOf(text, i) : undefined;
      if (run !== undefined) found.push({ ms: timeOf(run, 1), text, run });
    }),
    { numRuns: RUNS },
  );
  const slowest = found.sort((a, b) => b.ms - a.ms).slice(0, 10);
  const measured = slowest.map(({ run, text }) => ({ ms: timeOf(run, 30), text })).sort((a, b) => b.ms - a.ms);
  expect(found.length).toBeGreaterThan(RUNS / 10);
  expect(measured[0]?.ms, measured[0]?.text).toBeLessThan(100);
  if (RUNS > 3_000) console.log(measured.slice(0, 3));
});

/** 3,000 addresses in all notations. */
const IPS = Array.from({ length: 3_000 }, (_, i) =>
  i % 2 === 0 ? `10.0.${i >> 8}.${i & 255}` : `::${i.toString(16)}`,
);
const listOf = (write: (i: number) => string) => Array.from({ length: 20 }, (_, i) => write(i));

test.each([
  ['looked for in a list', `ip(x) in [${listOf((i) => `ip("203.0.113.${i}")`)}]`],
  ['looked for in a list of IPv6', `ip(x) in [${listOf((i) => `ip("2001:db8::${i}")`)}]`],
  ['looked for in ranges', listOf((i) => `cidr("203.0.${i}.0/24").containsIP(x)`).join(' || ')],
  [
    'made ranges',
    listOf((i) => `cidr(x + "/${i + 13}").containsIP("2001:db8::1")`)
      .slice(0, 8)
      .join(' || '),
  ],
])('addresses of a call that are %s do not block the process', (_what, test) => {
  const { evaluate } = compileExpression(`mcp.tool.arguments.ips.exists(x, ${test})`);
  const mcp = { tool: { name: 'echo', target: undefined, arguments: toCelObject({ ips: IPS }) } };
  const variables = { jwt: undefined, apiKey: undefined, request: {} as never, source: {} as never, mcp };
  const run = () => void evaluateTogether(() => evaluate(variables, () => undefined));
  // Without charges, the slowest takes most of a second.
  expect(timeOf(run, 10)).toBeLessThan(200);
});
