import type { OptionChecks } from './checks.js';

/** The grammar of a scope (RFC 6749, section 3.3: scope-token). */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Checks a list of scopes. Each must be valid in a challenge. */
export function requireScopes(checks: OptionChecks, value: unknown, option: string, fix: string): readonly string[] {
  const list = checks.strings(value, option, fix);
  return isScopeList(list)
    ? list
    : checks.refuse(option, 'an array of scopes without spaces, quotes or backslashes', value, fix);
}

export function isScopeList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((scope) => typeof scope === 'string' && SCOPE_TOKEN.test(scope));
}
