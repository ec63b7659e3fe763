import { withoutClosingSlash } from '../../http/well-known.js';

/** A resource for which the development issuer issues tokens. */
export interface DevResource {
  readonly resource: string;
  /** The scopes of a login that asks for none. */
  readonly scopes: readonly string[];
  /** The scopes of rules. A client gets them if it asks for them, as after a 403. */
  readonly ruleScopes: readonly string[];
}

/**
 * Returns all scopes that the issuer grants for a resource. Several routes may have the same one.
 *
 * @param indicator The resource as a client spells it. Undefined is returned if it is unknown.
 */
export function scopesFor(resources: readonly DevResource[], indicator: string): readonly string[] | undefined {
  const name = withoutClosingSlash(indicator);
  const found = resources.filter(({ resource }) => withoutClosingSlash(resource) === name);
  return found.length === 0 ? undefined : allScopesOf(found);
}

/** Returns every scope of these resources, once. */
export function allScopesOf(resources: readonly DevResource[]): readonly string[] {
  return [...new Set(resources.flatMap(({ scopes, ruleScopes }) => [...scopes, ...ruleScopes]))];
}
