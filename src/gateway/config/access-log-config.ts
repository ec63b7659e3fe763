import type { ValueExpression } from '../../authorization/expressions/value-expression.js';
import { ACCESS_LOG } from '../schema/frontend-keys.js';
import type { ConfigNode, UnsupportedFeature } from './config-node.js';
import { readValueExpression } from './read-value-expression.js';
import { harmless } from './unsupported-features.js';

/** The lines of the access log. */
export interface AccessLogConfig {
  /** Only calls for which it is true have a line. */
  readonly filter?: ValueExpression;
  /** Fields in addition, by name. */
  readonly added: ReadonlyArray<readonly [name: string, expression: ValueExpression]>;
  /** Names of fields that lines do not get. */
  readonly removed: ReadonlySet<string>;
}

const UNSUPPORTED: ReadonlyMap<string, UnsupportedFeature> = new Map([
  ['otlp', harmless('lines are written to the log of the command. Write frontendPolicies.tracing, which sends spans')],
  ['database', harmless('lines are written to the log of the command')],
]);

/** Members that every JSON line has. */
const LINE_MEMBERS: ReadonlySet<string> = new Set(['time', 'level', 'message']);

/** Reads `frontendPolicies.accessLog`. */
export function readAccessLog(node: ConfigNode): AccessLogConfig {
  const { filter, add, remove } = node.members(ACCESS_LOG, { unsupported: UNSUPPORTED });
  return {
    ...(filter && { filter: readFilter(filter) }),
    added: add?.children().map(([name, value]) => [readName(name, value), readLogExpression(value)] as const) ?? [],
    removed: new Set(remove?.texts()),
  };
}

function readFilter(node: ConfigNode): ValueExpression {
  const expression = readLogExpression(node);
  const { type = 'dyn' } = expression;
  return type === 'bool' || type === 'dyn' ? expression : node.refuse(`is of type ${type}, not true or false`);
}

function readName(name: string, node: ConfigNode): string {
  if (LINE_MEMBERS.has(name)) node.refuse('has the name of a member that every line has: choose another one');
  return /^[\w.-]{1,100}$/.test(name)
    ? name
    : node.refuse('is not a valid name of a field: write 1 to 100 letters, digits, "_", "." and "-"');
}

/** Arguments may be secrets. */
function readLogExpression(node: ConfigNode): ValueExpression {
  const expression = readValueExpression(node, 'ended call');
  return expression.reads.has('mcp.tool.arguments')
    ? node.refuse('reads mcp.tool.arguments: arguments of calls are in no log. Remove it')
    : expression;
}
