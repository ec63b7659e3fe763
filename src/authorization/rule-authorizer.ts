import type { IncomingMessage } from 'node:http';
import type { AuthInfo } from '../core/auth-info.js';
import { isRecord } from '../http/json-object.js';
import type { McpCall } from '../messages/mcp-call.js';
import type { AmbiguityCheck } from './ambiguous-arguments.js';
import type { RuleBackend } from './authorization-options.js';
import type { AuthorizationRules, RuleDecision, RuleInput } from './authorization-rules.js';
import type { Denial, RequestAuthorizer } from './call-authorizer.js';
import type { CallVariables, NamedVariables } from './expressions/call-variables.js';
import { type CelMap, toCelObject } from './expressions/cel-values.js';
import { ExpressionFault, evaluateTogether, UNKNOWN_ARGUMENTS } from './expressions/evaluation.js';
import { createGrantedScopes } from './granted-scopes.js';
import { type NamedThing, namedThingsIn } from './named-things.js';
import { isPlainUri } from './plain-uri.js';
import { type SharedVariables, sharedVariablesOf } from './request-variables.js';
import { createSpellings } from './rule-spellings.js';

/** Bytes of the arguments of all calls of a request, as JSON. Rules do not read longer ones. */
const MAX_ARGUMENT_BYTES = 65_536;

interface Settings {
  readonly authorizationRules: AuthorizationRules;
  readonly isAmbiguous: AmbiguityCheck;
  readonly backend: RuleBackend | undefined;
}

/** The decision on one tool, prompt, resource or task that a call names. */
export interface CallDecision {
  readonly call: McpCall;
  readonly thing: NamedThing;
  /** Undefined if rules cannot decide on the name, for example because no target has it. Such a call is denied. */
  readonly decision: RuleDecision | undefined;
}

const scopesOf = createGrantedScopes(new Map());

/** Creates the authorizer of one request from the rules of `mcpAuthorization()`. */
export function createRuleAuthorizer(
  settings: Settings,
  req: IncomingMessage,
  auth: AuthInfo | undefined,
  onDenied: (decision: CallDecision) => void,
): RequestAuthorizer {
  const caller = { shared: sharedVariablesOf(req, auth), scopes: scopesOf(auth) };
  return {
    authorize(calls) {
      const denied = decisionsOn(calls, settings, caller, isShort(req)).filter(isDenied);
      for (const decision of denied) onDenied(decision);
      return denied.length === 0 ? undefined : denialFor(denied, auth);
    },
    shows(call) {
      const context = { ...caller, hasLongArguments: false, isMade: false };
      return !evaluateTogether(() => decisionsOnCall(call, settings, context)).some(isDenied);
    },
    restricts: (call) => namedThingsIn(call).length > 0,
  };
}

/** Decides on all calls of a request. `isShort`: its arguments cannot be too long. */
export function decisionsOn(
  calls: readonly McpCall[],
  settings: Settings,
  { shared, scopes }: Caller,
  isShort: boolean,
): readonly CallDecision[] {
  const hasLongArguments = settings.authorizationRules.readsArguments && !isShort && areArgumentsLong(calls);
  const context = { shared, scopes, hasLongArguments, isMade: true };
  return evaluateTogether(() => calls.flatMap((call) => decisionsOnCall(call, settings, context)));
}

function isDenied({ decision }: CallDecision): boolean {
  return decision?.isAllowed !== true;
}

interface Caller {
  readonly shared: SharedVariables;
  readonly scopes: ReadonlySet<string>;
}

interface DecisionContext extends Caller {
  readonly hasLongArguments: boolean;
  /** False for an entry of a list: its arguments are not known. */
  readonly isMade: boolean;
}

function decisionsOnCall(call: McpCall, settings: Settings, context: DecisionContext): CallDecision[] {
  return namedThingsIn(call).map((thing) => {
    const input = inputFor(call, thing, settings, context);
    return { call, thing, decision: input && settings.authorizationRules.decide(input) };
  });
}

/** Returns undefined if rules cannot decide on what the call names. */
function inputFor(
  { params }: McpCall,
  { kind, name }: NamedThing,
  { backend, isAmbiguous }: Omit<Settings, 'authorizationRules'>,
  { shared, scopes, hasLongArguments, isMade }: DecisionContext,
): RuleInput | undefined {
  if (name === undefined) return undefined;
  const resolved = backend === undefined ? { name, target: undefined } : backend.resolve(kind, name);
  if (resolved === undefined || (kind === 'resource' && !isPlainUri(resolved.name))) return undefined;
  const { target } = resolved;
  const { jwt, apiKey, request, source } = shared;
  const given = kind === 'tool' ? { value: isMade ? params.arguments : undefined, isMade, isAmbiguous } : undefined;
  const variablesWith = (each: string): CallVariables => ({
    ...{ jwt, apiKey, request, source },
    mcp: { [kind]: new Named({ name: each, target }, given) },
  });
  return {
    ...{ scopes, hasLongArguments, variables: variablesWith(resolved.name) },
    subject: `${kind} ${target ?? ''} ${resolved.name}`,
    ...(kind === 'resource' && { spellings: createSpellings(resolved.name, variablesWith) }),
  };
}

/** The arguments that a tool call has, or would have. */
interface GivenArguments {
  readonly value: unknown;
  readonly isMade: boolean;
  readonly isAmbiguous: AmbiguityCheck;
}

class Named implements NamedVariables {
  readonly name: string;
  readonly target: string | undefined;
  readonly #given: GivenArguments | undefined;
  #arguments: CelMap | undefined;

  constructor({ name, target }: { name: string; target: string | undefined }, given: GivenArguments | undefined) {
    this.name = name;
    this.target = target;
    this.#given = given;
  }

  get arguments(): CelMap | undefined {
    if (this.#given === undefined) return undefined;
    const { value = {}, isMade, isAmbiguous } = this.#given;
    if (!isMade) throw UNKNOWN_ARGUMENTS;
    if (!isRecord(value)) throw new ExpressionFault('malformed_arguments');
    if (this.#arguments === undefined) {
      if (isAmbiguous(value)) throw new ExpressionFault('ambiguous_arguments');
      this.#arguments = toCelObject(value);
    }
    return this.#arguments;
  }
}

/** True if the whole body is no longer than arguments may be. A compressed body, which a body parser has read, may contain longer ones. */
function isShort({ headers }: IncomingMessage): boolean {
  return Number(headers['content-length']) <= MAX_ARGUMENT_BYTES && headers['content-encoding'] === undefined;
}

function areArgumentsLong(calls: readonly McpCall[]): boolean {
  let bytes = 0;
  for (const { params } of calls) {
    const json = jsonOf(params.arguments);
    if (json === undefined) return true;
    // A UTF-16 unit is at most three bytes, so most strings need not be counted.
    bytes += json.length * 3 > MAX_ARGUMENT_BYTES ? Buffer.byteLength(json) : json.length * 3;
    if (bytes > MAX_ARGUMENT_BYTES) return true;
  }
  return false;
}

/** Returns undefined for a value that is not JSON: another middleware may have put it into `req.body`. */
function jsonOf(value: unknown = ''): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    // It refers to itself, or is nested too deeply.
    return undefined;
  }
}

function denialFor(denied: readonly CallDecision[], auth: AuthInfo | undefined): Denial {
  const calls = [...new Set(denied.map(({ call }) => call))];
  const scopes = [...new Set(denied.flatMap(({ decision }) => decision?.missingScopes ?? []))];
  if (auth === undefined) return { code: 'missing_token', scopes, calls };
  // More scopes help only if every denied call lacks scopes and nothing else.
  const needsScopes = denied.every(({ decision }) => (decision?.missingScopes.length ?? 0) > 0);
  return needsScopes ? { code: 'insufficient_scope', scopes, calls } : { code: 'call_denied', scopes: [], calls };
}
