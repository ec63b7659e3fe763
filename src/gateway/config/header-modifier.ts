import { isHeaderValue, mayBeSet } from '../../bridge/http/header-rules.js';
import { lowerAscii } from '../../http/lower-ascii.js';
import { HEADER_MODIFIER } from '../schema/policy-keys.js';
import type { ConfigNode } from './config-node.js';

/** Changes to the headers of a message, in agentgateway's order: `add`, `set`, `remove`. */
export interface HeaderModifier {
  readonly add: Readonly<Record<string, string>>;
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
  readonly at: string;
}

/** Reads `requestHeaderModifier` or `responseHeaderModifier`. */
export function readHeaderModifier(node: ConfigNode): HeaderModifier {
  const members = node.members(HEADER_MODIFIER);
  const [add, set] = [readHeaders(members.add), readHeaders(members.set)];
  const remove = members.remove?.items().map(readName) ?? [];
  const both = remove.find((name) => Object.hasOwn(add, name) || Object.hasOwn(set, name));
  if (both !== undefined)
    members.remove?.refuse(`has ${both}, which is also in add or set, and would not be sent: write it once`);
  return { add, set, remove, at: node.path };
}

function readName(node: ConfigNode): string {
  return requireName(node, node.text());
}

function readHeaders(node: ConfigNode | undefined): Readonly<Record<string, string>> {
  const headers = new Map<string, string>();
  for (const [written, value] of node?.children() ?? []) {
    const name = requireName(value, written);
    if (headers.has(name)) value.refuse('is written twice, with different capitals');
    headers.set(name, readValue(value));
  }
  return Object.fromEntries(headers);
}

function requireName(node: ConfigNode, name: string): string {
  const lower = lowerAscii(name);
  return mayBeSet(lower) ? lower : node.refuse('must be the name of a header that is not about the connection');
}

/** The message does not repeat the value: it may be a secret. */
function readValue(node: ConfigNode): string {
  const value = node.value === '' ? '' : node.text();
  return isHeaderValue(value) ? value : node.refuse('must be on one line, without control characters');
}
