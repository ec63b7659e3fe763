import { DIRECT_RESPONSE } from '../schema/policy-keys.js';
import type { ConfigNode } from './config-node.js';

/** The policy `directResponse`: an answer in place of a backend. */
export interface DirectResponseConfig {
  readonly status: number;
  readonly body: string;
  readonly at: string;
}

const EXPRESSION = { why: 'expressions are only in rules. Write a fixed body', canIgnore: false };

/** Reads `directResponse`. */
export function readDirectResponse(node: ConfigNode): DirectResponseConfig {
  const { status, body } = node.members(DIRECT_RESPONSE, {
    unsupported: new Map([
      ['bodyExpression', EXPRESSION],
      ['headers', { ...EXPRESSION, why: 'its values are expressions. Use responseHeaderModifier' }],
    ]),
  });
  const code = status.count();
  if (code < 200 || code > 599) status.refuse(`must be a status from 200 to 599, but is ${code}`);
  return { status: code, body: body === undefined || body.value === '' ? '' : body.text(), at: node.path };
}
