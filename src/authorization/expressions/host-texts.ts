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
  const { path, length } = variableIn(node) ?? {};
  if (path?.length !== length || path?.join('.') !== 'request.host') return;
  for (const { op, args, pos } of other.op === 'list' ? (other.args as readonly CelNode[]) : [other]) {
    if (op !== 'value' || typeof args !== 'string') continue;
    const host = lowerAscii(args).replace(PORT, '').replace(/\.$/, '');
    if (host !== args)
      throw new ExpressionError(
        `request.host is in lower case, without a port and a dot at its end; write "${host}"`,
        pos,
      );
  }
}

/** After a name, an IPv4 address, or an IPv6 address in brackets. */
const PORT = /(?<=^(?:\[.*\]|[^:]*)):\d*$/s;
