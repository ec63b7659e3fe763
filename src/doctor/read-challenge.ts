import { lowerAscii } from '../http/lower-ascii.js';

/** A challenge as clients read it (RFC 9110, section 11.6.1). */
export interface ReadChallenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
  /** True if text is left that is neither a parameter nor another challenge, for example because no comma is before it. */
  readonly isMalformed: boolean;
  /** Returns the value that clients find which search the whole header for `name=`, as the MCP SDKs do. */
  find(name: string): string | undefined;
}

/** The beginning of another challenge: a scheme, and no `=` after it. */
const OTHER_CHALLENGE = /^[!#$%&'*+\-.^_`|~\w]+(?:[ \t]+[^ \t=]|[ \t]*(?:,|$))/;
/** Elements of a list may be empty (RFC 9110, section 5.6.1.2): a comma after another is ignored, even before the first parameter. */
const CHALLENGE = /^([!#$%&'*+\-.^_`|~\w]+)(?:[ \t]+(?:,[ \t]*)*|$|(?=,))/;
const PARAMETER = /^([!#$%&'*+\-.^_`|~\w]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^ \t,"]+))[ \t]*(?:(?:,[ \t]*)+|$)/;

/** Reads the first challenge of the header, the only one that MCP clients read. Undefined if there is none. */
export function readChallenge(header: string | null): ReadChallenge | undefined {
  const text = header ?? '';
  const [start, scheme] = CHALLENGE.exec(text) ?? [];
  if (start === undefined || scheme === undefined) return undefined;
  const parameters = new Map<string, string>();
  let rest = text.slice(start.length);
  for (let match = PARAMETER.exec(rest); match !== null; match = PARAMETER.exec(rest)) {
    const [whole, name = '', quoted, token] = match;
    parameters.set(lowerAscii(name), quoted === undefined ? (token ?? '') : quoted.replace(/\\(.)/g, '$1'));
    rest = rest.slice(whole.length);
  }
  // The SDKs take the text before the first space for the scheme. If it is Bearer and more text follows, they search the whole header. Those of
  // version 2 also do so after DPoP, those of version 1 do not.
  const isSearched = /^bearer [^ ]/i.test(text);
  const isMalformed = rest !== '' && !OTHER_CHALLENGE.test(rest);
  return { scheme, parameters, isMalformed, find: (name) => (isSearched ? search(text, name) : undefined) };
}

function search(text: string, name: string): string | undefined {
  const [, quoted, token] = new RegExp(`${name}=(?:"([^"]+)"|([^\\s,]+))`).exec(text) ?? [];
  return quoted ?? token;
}

/** Returns the value of a parameter; in a malformed challenge, the one that the MCP SDKs find. */
export function parameterOf(challenge: ReadChallenge | undefined, name: string): string | undefined {
  return challenge?.parameters.get(name) ?? (challenge?.isMalformed ? challenge.find(name) : undefined);
}
