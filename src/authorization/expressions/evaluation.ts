import type { CallVariables } from './call-variables.js';

/**
 * The result of an expression. `absent`: it failed only because the call has no such variable, for example `mcp.tool` of a prompt or
 * `jwt` of an anonymous caller. `unknown`: it depends on the arguments of a call that is not made yet.
 */
export type ExpressionOutcome = true | false | 'failed' | 'absent' | 'unknown';

/** Thrown where an expression reads a variable that the call does not have. */
class AbsentVariable extends Error {
  override readonly name = 'AbsentVariable';
}

/** Thrown where an expression reads arguments of a call that is not made yet. */
class UnknownArguments extends Error {
  override readonly name = 'UnknownArguments';
}

/** Thrown where an expression cannot be evaluated. The code is for the log, which must not show values. */
export class ExpressionFault extends Error {
  override readonly name = 'ExpressionFault';
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

// Thrown in each round of a macro, so they are created once.
export const ABSENT_VARIABLE: Error = new AbsentVariable();
export const UNKNOWN_ARGUMENTS: Error = new UnknownArguments();
const TOO_MUCH_WORK = new ExpressionFault('too_much_work');

/**
 * Units of work for all expressions of one request: some 50 ns each. Only work that grows with the data counts: characters and list
 * entries that are compared, copied or searched, and rounds of macros.
 */
const MAX_WORK = 400_000;

/** Units of work for a failure: the library describes it with an excerpt of the expression. */
export const FAILURE_UNITS = 400;

/** The evaluation under way. There is only one: expressions are synchronous. */
let variables: CallVariables | undefined;
let work = 0;
let hasFailed = false;
let isUnknown = false;

/** Evaluates the expressions of one request, whose work is counted together. */
export function evaluateTogether<T>(evaluateAll: () => T): T {
  work = 0;
  // A missing claim is an error inside the library. Its stack trace would take longer than the rest.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return evaluateAll();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** @throws {ExpressionFault} If the expressions of a request do more work than is allowed. */
export function charge(units: number): void {
  work += units;
  if (work > MAX_WORK) throw TOO_MUCH_WORK;
}

/** Returns the variables of the call that is being decided on. */
export function currentVariables(): CallVariables {
  return variables as CallVariables;
}

/** Records why a part of an expression failed. The operators `||` and `&&` and some macros may go on without that part. */
export function noteFailure(error: unknown): void {
  if (error === UNKNOWN_ARGUMENTS) isUnknown = true;
  else if (error !== ABSENT_VARIABLE) {
    hasFailed = true;
    work += FAILURE_UNITS;
  }
}

/** A part of an expression, as positions in its text. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** Gets the code of a failure, and the part of the expression that failed if that is known. */
export type ReportFailure = (code: string, range?: TextRange) => void;

/** Evaluates an expression. */
export function evaluateWith(given: CallVariables, evaluate: () => unknown, report: ReportFailure): ExpressionOutcome {
  const result = resultOf(given, evaluate);
  if (typeof result === 'boolean') return result;
  if (isUnknown) return 'unknown';
  if (result === ABSENT_VARIABLE && !hasFailed) return 'absent';
  if (result instanceof Error) report(codeOf(result), (result as { range?: TextRange }).range);
  else report('not_boolean');
  return 'failed';
}

/** Evaluates an expression with a value of any type. Undefined if it fails, or depends on arguments of a call that is not made yet. */
export function valueWith(given: CallVariables, evaluate: () => unknown): unknown {
  const result = resultOf(given, evaluate);
  return isUnknown || result instanceof Error ? undefined : result;
}

/** Returns the result, or what was thrown. */
function resultOf(given: CallVariables, evaluate: () => unknown): unknown {
  variables = given;
  hasFailed = false;
  isUnknown = false;
  try {
    return evaluate();
  } catch (error) {
    noteFailure(error);
    return error;
  } finally {
    variables = undefined;
  }
}

/** The library's errors have a code too. Their messages quote values. */
function codeOf(error: unknown): string {
  const code: unknown = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : 'error';
}
