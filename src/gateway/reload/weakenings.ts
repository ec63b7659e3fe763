import { isRecord } from '../../http/json-object.js';
import { type McpAuthMode, MODES } from '../../policy/modes.js';
import { canonicalJson } from '../../targets/several/canonical-json.js';
import type { GatewayConfig, ListenerConfig, RouteConfig } from '../config/gateway-config.js';
import { placeOf } from './route-key.js';

/** The parts of a route that refuse callers. */
interface Protection {
  /** 0 without a login. */
  readonly login: number;
  /** The mode of the login, if it lets requests without a token pass. */
  readonly mode: string | undefined;
  /** The rules of each policy, as JSON. */
  readonly rules: Readonly<Record<string, readonly string[]>>;
}

interface ProtectedRoute extends Protection {
  readonly at: string;
  /** Equal for routes that get the same requests. */
  readonly place: string;
  /** Empty if the route answers by itself. */
  readonly backend: string;
}

/**
 * Compares two versions of the file. Returns one sentence for each login that the later one does not have, for each mode that is weaker there,
 * and for each policy whose last rules are gone. A file that is only half written looks so.
 */
export function weakeningsBetween(before: GatewayConfig, after: GatewayConfig): readonly string[] {
  const [earlier, later] = [protectedRoutesOf(before), protectedRoutesOf(after)];
  const places = new Map(earlier.map((route) => [route.place, route]));
  const kept = new Set(later.map(({ place }) => place));
  const gone = earlier.filter(({ place }) => !kept.has(place));
  const found = later.flatMap((route) => {
    if (route.backend === '') return [];
    const same = places.get(route.place);
    if (same !== undefined) return differences(same, route, SAME);
    return replacedBy(route, gone, earlier).flatMap((other) => differences(other, route, NEW));
  });
  return [...new Set(found)];
}

/** Sentences that a log line has at most. */
const MAX_LISTED = 3;

/** Joins such sentences for a log line. */
export function listWeakenings(weakenings: readonly string[]): string {
  const more = weakenings.length > MAX_LISTED ? ', …' : '';
  return `${weakenings.slice(0, MAX_LISTED).join(', ')}${more}`;
}

/** The protections that a new route may have replaced: of routes that are gone, or else the least that the file had. */
function replacedBy(
  { backend }: ProtectedRoute,
  gone: readonly ProtectedRoute[],
  earlier: readonly ProtectedRoute[],
): readonly Protection[] {
  const sameBackend = gone.filter((route) => route.backend === backend);
  if (sameBackend.length > 0) return sameBackend;
  if (gone.length > 0) return gone;
  const logins = earlier.filter((route) => route.backend !== '').map(({ login }) => login);
  return logins.length === 0 ? [] : [{ login: Math.min(...logins), mode: undefined, rules: {} }];
}

const SAME = {
  noToken: 'no longer requires a token',
  wrongToken: 'no longer refuses a wrong token',
  without: 'no longer has',
  cut: 'no longer has the last rules of',
};
const NEW = {
  noToken: 'is new and requires no token',
  wrongToken: 'is new and refuses no token',
  without: 'is new and has no',
  cut: 'is new and has fewer rules of',
};

function differences(before: Protection, after: ProtectedRoute, words: typeof SAME): readonly string[] {
  const lost = Object.entries(before.rules).flatMap(([name, earlier]) => {
    const later = after.rules[name] ?? [];
    if (!isCut(earlier, later)) return [];
    return [`${after.at} ${later.length === 0 ? words.without : words.cut} ${name}`];
  });
  return [...loginDifference(before, after, words), ...lost];
}

/** True if the later rules are the beginning of the earlier ones, and no more. */
function isCut(earlier: readonly string[], later: readonly string[]): boolean {
  return later.length < earlier.length && later.every((rule, i) => rule === earlier[i]);
}

function loginDifference(
  before: Protection,
  { login, mode, at }: ProtectedRoute,
  words: typeof SAME,
): readonly string[] {
  if (login >= before.login) return [];
  const inMode = mode === undefined ? '' : ` (mode: ${mode})`;
  if (before.login === STRENGTHS.strict) return [`${at} ${words.noToken}${inMode}`];
  return [login === 0 ? `${at} ${words.without} login` : `${at} ${words.wrongToken}${inMode}`];
}

const STRENGTHS = { strict: 3, optional: 2, permissive: 1 } satisfies Record<McpAuthMode, number>;

function protectedRoutesOf({ binds }: GatewayConfig): readonly ProtectedRoute[] {
  return binds.flatMap((bind) =>
    bind.listeners.flatMap((listener) =>
      listener.routes.map((route) => ({
        at: route.at,
        place: placeOf(bind, listener, route),
        backend: route.backend === undefined ? '' : canonicalJson(route.written.backend),
        ...loginOf(route),
        rules: rulesOf(route, listener),
      })),
    ),
  );
}

function loginOf({ mcpAuthentication, credentials }: RouteConfig): Pick<Protection, 'login' | 'mode'> {
  const config = mcpAuthentication ?? credentials;
  if (config === undefined) return { login: 0, mode: undefined };
  const { mode = 'strict' } = config.policy;
  // Another word is refused when the routes are created.
  if (typeof mode !== 'string' || !Object.hasOwn(MODES, mode)) return { login: STRENGTHS.strict, mode: undefined };
  const login = STRENGTHS[mode as McpAuthMode];
  return { login, mode: login === STRENGTHS.strict ? undefined : mode };
}

function rulesOf(route: RouteConfig, { tls }: ListenerConfig): Protection['rules'] {
  const { mcpAuthorization = [], mcpScopes } = route;
  // In permissive mode, rules deny nothing.
  const isPermissive = mcpAuthorization.some(({ options }) => options.mode === 'permissive');
  const rules = {
    mcpAuthorization: isPermissive ? [] : mcpAuthorization.flatMap(({ options }) => options.rules),
    authorization: httpRulesOf(route.authorization),
    'authorization of its gateway': httpRulesOf(route.gatewayAuthorization),
    'authorization of its backend': httpRulesOf(route.backendAuthorization),
    mcpScopes: Object.entries(mcpScopes?.rules ?? {}).flatMap(scopeRulesOf),
    'tls.root': tls?.root === undefined ? [] : ['root'],
  };
  return Object.fromEntries(Object.entries(rules).map(([name, list]) => [name, list.map(canonicalJson)]));
}

function httpRulesOf(blocks: RouteConfig['authorization'] = []): readonly unknown[] {
  return blocks.flatMap(({ rules }) => rules);
}

function scopeRulesOf([method, rule]: readonly [string, unknown]): readonly unknown[] {
  return isRecord(rule) ? Object.entries(rule).map((named) => [method, named]) : [[method, rule]];
}
