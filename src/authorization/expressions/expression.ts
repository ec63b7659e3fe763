import type { ParseResult } from '@marcbachmann/cel-js';
import { type CallVariables, ENDED_VARIABLES, PROFILE } from './call-variables.js';
import { loadCelLibrary } from './cel-library.js';
import type { CelNode } from './cel-node.js';
import { type ExpressionOutcome, evaluateWith, type ReportFailure } from './evaluation.js';
import { ExpressionError } from './expression-error.js';
import { explainError } from './expression-hints.js';
import { REPLACED_NAMES, registerFunctions } from './functions.js';
import { prepareExpression } from './prepare-expression.js';

/** An expression, ready for any number of calls. */
export interface Expression {
  readonly text: string;
  /** The paths of the variables that it reads, for example `mcp.tool.arguments`. */
  readonly reads: ReadonlySet<string>;
  /** The names of members that it may read from arguments. */
  readonly members: ReadonlySet<string>;
  /** The strings that a target is compared with, with their positions. */
  readonly targets: ReadonlyMap<string, number>;
  /** Never throws. */
  evaluate(variables: CallVariables, report: ReportFailure): ExpressionOutcome;
}

/** Bytes of an expression. */
const MAX_BYTES = 4_096;

const LIMITS = { maxAstNodes: 500, maxDepth: 50 };

type Parse = (text: string) => ParseResult;
let parse: Parse | undefined;

/**
 * Compiles a CEL expression.
 *
 * @param about What it decides on. A login has only {@link PROFILE}, and a call has everything else.
 * @throws {ExpressionError} If it does not parse, its types do not fit, it names a variable that cannot exist, or it is too large.
 */
export function compileExpression(text: string, about: 'call' | 'login' = 'call'): Expression {
  const { parsed, type, variables, members, targets } = parseExpression(text, about);
  if (type !== 'bool' && type !== 'dyn') throw new ExpressionError(`it is of type ${type}, not true or false`, 0);
  return Object.freeze({
    text,
    reads: variables,
    members,
    targets,
    evaluate: (given: CallVariables, report: ReportFailure) => evaluateWith(given, parsed, report),
  });
}

/**
 * Parses an expression and checks its types.
 *
 * @throws {ExpressionError}
 */
export function parseExpression(text: string, about: Subject) {
  if (Buffer.byteLength(text) > MAX_BYTES) throw new ExpressionError(`it is longer than ${MAX_BYTES} bytes`, 0);
  const parsed = parseText(text);
  const { variables, members, targets } = prepareExpression(parsed.ast as unknown as CelNode);
  refuseOthers(text, variables, about);
  return { parsed, type: typeOf(text, parsed), variables, members, targets };
}

/** A login has only {@link PROFILE}, a call has everything else, and one that has ended {@link ENDED_VARIABLES} too. */
type Subject = 'call' | 'login' | 'ended call';

function refuseOthers(text: string, variables: ReadonlySet<string>, about: Subject): void {
  const later = about === 'ended call' ? undefined : [...variables].find((name) => ENDED_VARIABLES.has(name));
  if (later !== undefined)
    throw new ExpressionError(`${later} is not known when a call is decided on`, text.indexOf(later));
  const other = [...variables].find((name) => (name === PROFILE) !== (about === 'login'));
  if (other === undefined) return;
  const reason =
    about === 'login' ? `a login has no ${other}; write ${PROFILE}` : `only a login has ${PROFILE}; write jwt`;
  throw new ExpressionError(reason, Math.max(text.indexOf(other), 0));
}

function createParser(): Parse {
  const environment = new (loadCelLibrary().Environment)({ homogeneousAggregateLiterals: false, limits: LIMITS });
  registerFunctions(environment);
  return (text) => environment.parse(text);
}

function typeOf(text: string, parsed: ParseResult): string | undefined {
  const { valid, type, error } = parsed.check();
  if (!valid) throw toExpressionError(text, error);
  return type;
}

function parseText(text: string): ParseResult {
  parse ??= createParser();
  try {
    return parse(text);
  } catch (error) {
    throw toExpressionError(text, error);
  }
}

/** Converts the library's errors. `summary` is the message without an excerpt of the expression. */
function toExpressionError(text: string, error: unknown): ExpressionError {
  const { summary, message, range } = error as Error & { summary?: string; range?: { start: number } };
  let reason = summary ?? message;
  for (const [name, replacement] of REPLACED_NAMES) reason = reason.replaceAll(replacement, name);
  const position = range?.start ?? 0;
  return new ExpressionError(explainError(reason, text, position), position);
}
