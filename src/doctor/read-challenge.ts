import { lowerAscii } from '../http/lower-ascii.js';

/** A challenge as clients read it (RFC 9110, section 11.6.1). */
export interface ReadChallenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const CHALLENGE = /^([!#$%&'*+\-.^_`|~\w]+)(?:[ \t]+|$|(?=,))/;
const PARAMETER = /^([!#$%&'*+\-.^_`|~\w]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^ \t,"]+))[ \t]*(?:,[ \t]*|$)/;

/** Reads the first challenge of the header, the only one that MCP clients read. Undefined if there is none. */
export function readChallenge(header: string | null): ReadChallenge | undefined {
  const [start, scheme] = CHALLENGE.exec(header ?? '') ?? [];
  if (start === undefined || scheme === undefined) return undefined;
  const parameters = new Map<string, string>();
  let rest = (header ?? '').slice(start.length);
  for (let match = PARAMETER.exec(rest); match !== null; match = PARAMETER.exec(rest)) {
    const [whole, name = '', quoted, token] = match;
    parameters.set(lowerAscii(name), quoted === undefined ? (token ?? '') : quoted.replace(/\\(.)/g, '$1'));
    rest = rest.slice(whole.length);
  }
  return { scheme, parameters };
}
