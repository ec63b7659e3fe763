import type { TargetNoun } from '../../messages/mcp-call.js';
import type { CelMap } from './cel-values.js';

/** The variables of a tool, prompt, resource or task that a call names. */
export interface NamedVariables {
  /** The target's own name. */
  readonly name: string;
  /** Undefined if the rules know no targets. */
  readonly target: string | undefined;
  /**
   * The arguments of a tool call.
   *
   * @throws `UNKNOWN_ARGUMENTS` in place of the arguments of a call that is not made yet.
   */
  readonly arguments: CelMap | undefined;
}

/** The variables of the HTTP request. */
export interface RequestVariables {
  readonly method: string;
  readonly path: string;
  readonly pathAndQuery: string;
  readonly uri: string;
  readonly host: string;
  readonly scheme: string;
  readonly version: string;
  readonly headers: CelMap;
}

export interface SourceVariables {
  readonly address: string | undefined;
  readonly port: bigint | undefined;
}

/** The variables of an expression. A member that the call does not have is undefined. */
export interface CallVariables {
  /** The claims of the token. */
  readonly jwt: CelMap | undefined;
  /** The claims of the API key. */
  readonly apiKey: CelMap | undefined;
  readonly request: RequestVariables;
  readonly source: SourceVariables;
  readonly mcp: { readonly [Noun in TargetNoun]?: NamedVariables | undefined };
  /** The user, as the identity provider describes it at a login. A call does not have it. */
  readonly profile?: CelMap;
  /** A call that has ended. */
  readonly ended?: EndedVariables;
}

/** The variables that are known when a call has ended. */
export interface EndedVariables {
  readonly methodName: string;
  readonly sessionId: string | undefined;
  /** As in the record of the call. */
  readonly outcome: string;
  readonly code: string | undefined;
  readonly durationMs: bigint;
}

interface Variable {
  readonly type: 'string' | 'int' | 'map';
  /** Returns undefined if the call does not have it. */
  readonly read: (variables: CallVariables) => unknown;
}

const named = (kind: TargetNoun, member: 'name' | 'target'): [string, Variable] => [
  `mcp.${kind}.${member}`,
  { type: 'string', read: ({ mcp }) => mcp[kind]?.[member] },
];

const ofRequest = (member: keyof RequestVariables, type: 'string' | 'map' = 'string'): [string, Variable] => [
  `request.${member}`,
  { type, read: ({ request }) => request[member] },
];

const KINDS = ['tool', 'prompt', 'resource', 'task'] as const;

/** The only variable of a rule about logins. */
export const PROFILE = 'profile';

/** Every variable, by its path. */
export const VARIABLES: ReadonlyMap<string, Variable> = new Map<string, Variable>([
  ['jwt', { type: 'map', read: ({ jwt }) => jwt }],
  ['apiKey', { type: 'map', read: ({ apiKey }) => apiKey }],
  [PROFILE, { type: 'map', read: ({ profile }) => profile }],
  ...KINDS.flatMap((kind) => [named(kind, 'name'), named(kind, 'target')]),
  ['mcp.tool.arguments', { type: 'map', read: ({ mcp }) => mcp.tool?.arguments }],
  ...(['method', 'path', 'pathAndQuery', 'uri', 'host', 'scheme', 'version'] as const).map((name) => ofRequest(name)),
  ofRequest('headers', 'map'),
  ['source.address', { type: 'string', read: ({ source }) => source.address }],
  ['source.port', { type: 'int', read: ({ source }) => source.port }],
]);

const ofEnd = (member: keyof EndedVariables, type: 'string' | 'int' = 'string'): [string, Variable] => [
  `mcp.${member}`,
  { type, read: ({ ended }) => ended?.[member] },
];

/** The variables of calls that have ended, by their paths: those of an access log, besides {@link VARIABLES}. */
export const ENDED_VARIABLES: ReadonlyMap<string, Variable> = new Map<string, Variable>([
  ...(['methodName', 'sessionId', 'outcome', 'code'] as const).map((name) => ofEnd(name)),
  ofEnd('durationMs', 'int'),
]);

/** The first names of variables, with the number of names that make up a variable. */
export const ROOTS: ReadonlyMap<string, number> = new Map(
  [...VARIABLES.keys()].map((path) => [path.replace(/\..*/, ''), path.split('.').length]),
);

/** The kinds that `has(mcp.tool)` can ask for. */
export function isKind(name: string | undefined): name is TargetNoun {
  return KINDS.includes(name as TargetNoun);
}
