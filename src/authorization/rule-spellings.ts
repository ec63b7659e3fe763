import type { CallVariables } from './expressions/call-variables.js';
import { joinUser, otherSpellingsOf, PLACEHOLDER, placeholderUri, withoutUser } from './uri-spellings.js';

/** The variables of a call with another spelling of its URI, and with placeholder URIs, which no server has. */
export interface RuleSpelling {
  readonly variables: CallVariables;
  /** Placeholder URIs, in groups. A rule that denies one of each group denies URIs in general, and not this spelling. */
  readonly placeholders: readonly (readonly CallVariables[])[];
}

/** Returns a function that builds the other spellings of a URI at its first call: few rules read URIs. */
export function createSpellings(
  uri: string,
  variablesWith: (uri: string) => CallVariables,
): () => readonly RuleSpelling[] {
  let spellings: readonly RuleSpelling[] | undefined;
  return () => {
    spellings ??= spellingsOf(uri, variablesWith);
    return spellings;
  };
}

/**
 * Returns the other spellings of a URI. Each has placeholder URIs, which tell if a rule denies that spelling or URIs in general. The latter denies the
 * form of the spelling, and a URI without a form or the form that the call has:
 *
 * - For `note:/1`, `deny: name.startsWith("note:///")` denies the form of `note:///1`, but neither of the other two. So it denies that spelling.
 * - For `a://Ann`, `deny: name.startsWith("a://") && name != "a://Ann"` denies the form of `a://ann`, which is also the form that the call has. So
 *   it denies URIs in general, and allows `a://Ann`.
 */
function spellingsOf(uri: string, variablesWith: (uri: string) => CallVariables): readonly RuleSpelling[] {
  const others = otherSpellingsOf(uri);
  const forms = [variablesWith(PLACEHOLDER), variablesWith(placeholderUri(uri))];
  const spellings = others.map((other) => ({
    variables: variablesWith(other),
    placeholders: [[variablesWith(placeholderUri(other))], forms],
  }));
  return [...spellings, ...spellingsWithoutUser([uri, ...others], variablesWith)];
}

/**
 * A rule for `memo://team-` does not mean the host `secret` of `memo://team-@secret`, and one for `memo://ann@` does: only the first one
 * holds for another character in place of the `@`.
 */
function spellingsWithoutUser(uris: readonly string[], variablesWith: (uri: string) => CallVariables): RuleSpelling[] {
  return uris.flatMap((uri) => {
    const joined = joinUser(uri);
    if (joined === uri) return [];
    return { variables: variablesWith(withoutUser(uri)), placeholders: [[variablesWith(joined)]] };
  });
}
