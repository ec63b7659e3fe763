import type { CallVariables } from './expressions/call-variables.js';
import { joinUser, otherSpellingsOf, PLACEHOLDER, placeholderUri, withoutUser } from './uri-spellings.js';

/** The variables of a call with another spelling of its URI, and with made-up URIs, which no server has. */
export interface RuleSpelling {
  readonly variables: CallVariables;
  /** A rule that is against a URI of each group is against most URIs, so it is not about this spelling. */
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
 * A rule may be against a form alone: `deny: name.startsWith("note:///")`. It is about `note:///1` if the call has `note:/1`, so it must
 * also be against a URI without a form. Or against the form that the call has: `deny: name.startsWith("a://") && name != "a://Ann"` is not
 * about `a://ann`.
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
