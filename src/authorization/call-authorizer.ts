import type { AuthInfo } from '../core/auth-info.js';
import type { RefusalCode } from '../core/errors.js';
import { describeCall, type McpCall } from '../messages/mcp-call.js';
import type { GrantedScopes } from './granted-scopes.js';
import type { Requirement, ScopeRuleTable } from './scope-rule-table.js';

/** The reason why a request is refused. */
export interface Denial {
  readonly code: Extract<RefusalCode, 'missing_token' | 'insufficient_scope' | 'call_denied'>;
  /** Every scope that the request needs, including those that the caller has: a client asks for all of them at once. */
  readonly scopes: readonly string[];
  /** The calls that caused the refusal. */
  readonly calls: readonly McpCall[];
}

/** Decides on the calls of one request. */
export interface RequestAuthorizer {
  /** Decides on all calls together: one refused call refuses the whole request. */
  authorize(calls: readonly McpCall[]): Denial | undefined;
  /** True if a list may show the entry that this call would be for. Its arguments are not known. */
  shows(call: McpCall): boolean;
  /** True if another caller may be refused this call. */
  restricts(call: McpCall): boolean;
}

/** Decides on all calls of one request together: one refused call refuses the whole request. */
export type CallAuthorizer = (auth: AuthInfo | undefined, calls: readonly McpCall[]) => Denial | undefined;

export function createCallAuthorizer(scopeRules: ScopeRuleTable, granted: GrantedScopes): CallAuthorizer {
  return (auth, calls) => {
    const has = granted(auth);
    const requirements = calls.map((call) => scopeRules.requirementOf(auth, call));
    const lacks = ({ scopes }: Requirement) => !scopes.every((scope) => has.has(scope));
    if (!requirements.some((requirement) => requirement.isDenied || lacks(requirement))) return undefined;
    const scopes = [...new Set(requirements.flatMap((requirement) => requirement.scopes))];
    const denied = calls.filter((_call, i) => requirements[i]?.isDenied);
    const refused = calls.filter((_call, i) => requirements[i]?.isDenied || lacks(requirements[i] as Requirement));
    // An anonymous caller may be accepted after a login, even if a function denied the call.
    if (auth === undefined) return { code: 'missing_token', scopes, calls: refused };
    if (denied.length > 0) return { code: 'call_denied', scopes, calls: denied };
    return { code: 'insufficient_scope', scopes, calls: refused };
  };
}

const MAX_NAMED = 5;

/** Describes a denial in one public sentence. It names the calls, but not their arguments. */
export function describeDenial({ code, calls }: Denial): string {
  const named = [...new Set(calls.map(describeCall))];
  const list = named.slice(0, MAX_NAMED).join(', ') + (named.length > MAX_NAMED ? ' and others' : '');
  return code === 'call_denied' ? `The caller may not use ${list}` : `The token lacks a required scope for ${list}`;
}
