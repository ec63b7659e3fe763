import type { AuthInfo } from '../core/auth-info.js';
import type { RefusalCode } from '../core/errors.js';
import { describeCall, type McpCall } from '../messages/mcp-call.js';
import type { GrantedScopes } from './granted-scopes.js';
import type { Requirement, RuleBook } from './rule-book.js';

/** Why a request may not go on. */
export interface Denial {
  readonly code: Extract<RefusalCode, 'missing_token' | 'insufficient_scope' | 'call_denied'>;
  /** Every scope that the request needs, also those that the caller has: a client asks for all of them at once. */
  readonly scopes: readonly string[];
  /** The calls that stand in the way. */
  readonly calls: readonly McpCall[];
}

/** Decides on the calls of one request, all together: one that may not be made holds up the others. */
export type CallAuthorizer = (auth: AuthInfo | undefined, calls: readonly McpCall[]) => Denial | undefined;

export function createCallAuthorizer(ruleBook: RuleBook, granted: GrantedScopes): CallAuthorizer {
  return (auth, calls) => {
    const has = granted(auth);
    const requirements = calls.map((call) => ruleBook(auth, call));
    const lacks = ({ scopes }: Requirement) => !scopes.every((scope) => has.has(scope));
    if (!requirements.some((requirement) => requirement.isDenied || lacks(requirement))) return undefined;
    const scopes = [...new Set(requirements.flatMap((requirement) => requirement.scopes))];
    const denied = calls.filter((_call, i) => requirements[i]?.isDenied);
    const inTheWay = calls.filter((_call, i) => requirements[i]?.isDenied || lacks(requirements[i] as Requirement));
    // Who is not known yet may be let in once they are: also where a function said no.
    if (auth === undefined) return { code: 'missing_token', scopes, calls: inTheWay };
    if (denied.length > 0) return { code: 'call_denied', scopes, calls: denied };
    return { code: 'insufficient_scope', scopes, calls: inTheWay };
  };
}

const MAX_NAMED = 5;

/** One public sentence; names the calls, and nothing of what they say. */
export function describeDenial({ code, calls }: Denial): string {
  const named = [...new Set(calls.map(describeCall))];
  const list = named.slice(0, MAX_NAMED).join(', ') + (named.length > MAX_NAMED ? ' and others' : '');
  return code === 'call_denied' ? `The caller may not use ${list}` : `The token lacks a required scope for ${list}`;
}
