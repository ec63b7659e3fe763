import { lowerAscii } from '../../http/lower-ascii.js';
import type { CelNode } from './cel-node.js';
import { ExpressionError } from './expression-error.js';
import { variableIn } from './variable-nodes.js';

/**
 * Refuses a string that `request.host` never equals, because it has capitals, a port or a dot at its end: a `deny` rule would deny nothing.
 *
 * @throws {ExpressionError}
 */
export function requireHostTexts(node: CelNode, other: CelNode): void {
  if (!isHost(node)) return;
  for (const text of other.op === 'list' ? (other.args as readonly CelNode[]) : [other])
    requireForm(text, (host) => host.replace(PORT, '').replace(/\.$/, ''));
}

/**
 * Refuses a string with which `request.host` never begins or ends, or which it never contains.
 *
 * @param method A method of strings.
 * @throws {ExpressionError}
 */
export function requireHostPart(method: string, node: CelNode, part: CelNode | undefined): void {
  if (part === undefined || !isHost(node)) return;
  if (method === 'endsWith') requireForm(part, (end) => end.replace(/:\d*$/, '').replace(/\.$/, ''));
  if (method === 'startsWith' || method === 'contains') requireForm(part, (text) => text.replace(PORT_OF_PART, ''));
}

function isHost(node: CelNode): boolean {
  const { path, length } = variableIn(node) ?? {};
  return path?.length === length && path?.join('.') === 'request.host';
}

function requireForm({ op, args, pos }: CelNode, withoutRest: (text: string) => string): void {
  if (op !== 'value' || typeof args !== 'string') return;
  const host = withoutRest(lowerAscii(args));
  if (host === args) return;
  const fix = host === '' ? '' : `; write "${host}"`;
  throw new ExpressionError(`request.host is in lower case, without a port and a dot at its end${fix}`, pos);
}

/** After a name, an IPv4 address, or an IPv6 address in brackets. */
const PORT = /(?<=^(?:\[.*\]|[^:]*)):\d*$/s;

/** Not in a part of an IPv6 address, which has several colons. */
const PORT_OF_PART = /(?<=^[^:]*):\d+$/;
