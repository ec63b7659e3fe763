import { explainCall } from '../authorization/explain-call.js';
import type { CallDecision } from '../authorization/rule-authorizer.js';
import { describeReason } from '../authorization/rule-reason.js';
import { printable } from '../core/printable.js';
import { withSentence } from '../core/sentences.js';
import { isRecord, stringsIn } from '../http/json-object.js';
import { type AuthInfo, type McpBackendOptions, mcpBackend } from '../index.js';
import { readCalls } from '../messages/calls-in-body.js';
import { describeCall } from '../messages/mcp-call.js';
import { MessageError } from '../messages/message-refusal.js';
import { ONLY, type RouteBackend } from './backend.js';
import type { McpBackendConfig } from './config/backend-config.js';
import { type RouteConfig, routesOf } from './config/gateway-config.js';
import type { EnvironmentVariables } from './config/variables.js';
import { IGNORE_OPTION, parseIgnored } from './ignore-option.js';
import { type LoadedConfig, loadConfig, NO_DRAIN } from './load-config.js';
import { parseArguments, usageErrorFor } from './parse-arguments.js';
import { authorizationOptionsOf } from './route-authorization.js';
import { atPlace, readInputFile, StartupError } from './startup-error.js';

const CALL_EXAMPLE = '{"method": "tools/call", "params": {"name": "echo", "arguments": {}}}';

/** The exit code if an argument or a file is wrong. A script must not take that for a denial. */
export const RULES_FAILED = 2;

const RULES_USAGE = `Usage: express-mcp-auth rules test -f FILE [--ignore NAMES] --call FILE … [--as FILE]

Says which rule of mcpAuthorization decides on a call. Exits with code 1 if a route denies it, or one of several calls,
and with code ${RULES_FAILED} if the question cannot be answered.

  -f, --file FILE     the configuration file; every route with mcpAuthorization is asked
      --ignore NAMES  the parts of the file that the command leaves out
      --call FILE     the call, as JSON: ${CALL_EXAMPLE};
                      for several calls, write --call before each file
      --as FILE       the claims of the caller's token, as a JSON object; without it, the caller is anonymous
  -h, --help          show this text`;

const MAX_METHOD_LENGTH = 64;
const MAX_FILE_LENGTH = 1_024;
const MAX_EXPRESSION_LENGTH = 200;

const OPTIONS = {
  file: { type: 'string', short: 'f' },
  ...IGNORE_OPTION,
  call: { type: 'string', multiple: true },
  as: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** The lines that the command prints, and its exit code. */
export interface RulesResult {
  readonly lines: readonly string[];
  readonly isAllowed: boolean;
}

/**
 * Runs `express-mcp-auth rules`.
 *
 * @param args The arguments after `rules`.
 * @param env The values of variables in the file. By default none is set.
 * @throws {StartupError} If an argument or a file is wrong.
 */
export function runRulesCommand(args: readonly string[], env: EnvironmentVariables = {}): RulesResult {
  const config = { args: [...args], options: OPTIONS, allowPositionals: true } as const;
  const { values, positionals } = parseArguments(config, usageError);
  if (values.help) return { lines: [RULES_USAGE], isAllowed: true };
  const { file, call: callFiles } = values;
  refuseOtherWords(positionals);
  if (file === undefined || callFiles === undefined) throw usageError('-f FILE and --call FILE are needed');
  const caller = values.as === undefined ? undefined : callerWith(readJson(values.as));
  const calls = callFiles.map((name) => ({ name, message: readCall(name) }));
  const test = { ...loadConfig(file, { env, ignored: parseIgnored(values), process: NO_DRAIN }), file, caller };
  return joinResults(calls.map((call) => (calls.length === 1 ? runTest(test, call) : runNamedTest(test, call))));
}

const usageError = usageErrorFor('express-mcp-auth rules --help');

/** A pattern such as `calls/*.json` becomes several words, of which only the first belongs to `--call`. */
function refuseOtherWords([action, ...others]: readonly string[]): void {
  if (action !== 'test') throw usageError('write "rules test"');
  if (others.length > 0) throw usageError('unexpected argument: write --call before each file');
}

function readJson(file: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(readInputFile(file));
  } catch (error) {
    if (error instanceof StartupError) throw error;
    // The parser's message quotes the file.
    throw new StartupError(`${file}: it is not JSON`);
  }
  return isRecord(value) ? value : fail(`${file}: it must be a JSON object`);
}

/** Refuses a file that is not one message: readers of the answer would take it for a decision. */
function readCall(file: string): Record<string, unknown> {
  const message = readJson(file);
  try {
    readCalls(message);
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    throw new StartupError(
      withSentence(`${file}: the call cannot be used: ${error.message}`, `Write ${CALL_EXAMPLE}.`),
    );
  }
  return message;
}

function fail(problem: string): never {
  throw new StartupError(problem);
}

/** An identity as `mcpAuth()` would make of these claims, as far as rules see it. */
function callerWith(claims: Record<string, unknown>): AuthInfo {
  const { scope, scp } = claims;
  const scopes = [scope, scp].flatMap((value) => (typeof value === 'string' ? value.split(' ') : stringsIn(value)));
  return { token: '', clientId: '', scopes, extra: claims, header: {}, payload: claims };
}

/** A backend that knows the names of these targets, and starts none of them. */
function createNames({ targets, options }: McpBackendConfig): RouteBackend {
  const programs = Object.fromEntries(targets.map(({ name = ONLY }) => [name, { command: 'none' }]));
  const { prefixMode } = options as Pick<McpBackendOptions, 'prefixMode'>;
  return mcpBackend({ targets: programs, prefixMode });
}

interface Call {
  /** The name of its file. */
  readonly name: string;
  readonly message: Record<string, unknown>;
}

interface RulesTest extends LoadedConfig {
  /** The name of the configuration file. */
  readonly file: string;
  readonly caller: AuthInfo | undefined;
}

function runTest({ config, step, file, caller }: RulesTest, { message }: Call): RulesResult {
  const results = step(() => routesOf(config).flatMap((route) => testRoute(route, message, caller)));
  if (results.length === 0) throw new StartupError(`${file}: no route has mcpAuthorization`);
  return joinResults(results);
}

/** Says of which call the lines are. */
function runNamedTest(test: RulesTest, call: Call): RulesResult {
  const { lines, isAllowed } = runTest(test, call);
  return { lines: [printable(call.name, MAX_FILE_LENGTH), ...lines.map((line) => `  ${line}`)], isAllowed };
}

function joinResults(results: readonly RulesResult[]): RulesResult {
  return {
    lines: results.flatMap(({ lines }) => lines),
    isAllowed: results.every(({ isAllowed }) => isAllowed),
  };
}

function testRoute(route: RouteConfig, message: Record<string, unknown>, caller: AuthInfo | undefined): RulesResult[] {
  const backend = route.backend?.isJoined ? createNames(route.backend) : undefined;
  const options = authorizationOptionsOf(route, backend);
  if (options === undefined) return [];
  const { at: place, ...given } = options;
  const { decisions, failures } = atPlace(place, () => explainCall(given, message, caller));
  const failed = [...failures].map(([at, code]) => `  ${at} failed: ${code}`);
  const lines = decisions.map(describeDecision);
  if (lines.length === 0)
    lines.push(`allowed: rules do not decide on ${printable(String(message.method), MAX_METHOD_LENGTH)}`);
  return [{ lines: [place, ...failed, ...lines.map((line) => `  ${line}`)], isAllowed: decisions.every(isAllowed) }];
}

function isAllowed({ decision }: CallDecision): boolean {
  return decision?.isAllowed === true;
}

function describeDecision({ call, decision }: CallDecision): string {
  const verb = decision?.isAllowed ? 'allowed' : 'denied';
  const expression = decision?.rule?.expression.text;
  const text = expression === undefined ? '' : ` decides: ${printable(expression, MAX_EXPRESSION_LENGTH)}`;
  return `${verb}: ${describeCall(call)}: ${describeReason(decision)}${text}`;
}
