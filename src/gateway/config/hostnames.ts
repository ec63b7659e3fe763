import { lowerAscii } from '../../http/lower-ascii.js';
import type { ConfigNode } from './config-node.js';

/** Reads a host name of a listener or route: `*`, a name, or `*.` and a name. */
export function readHostname(node: ConfigNode): string {
  const name = lowerAscii(node.text());
  return /^(?:\*|(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/.test(name)
    ? name
    : node.refuse(`must be a host name, "*.example.com" or "*", without a port, but is ${JSON.stringify(name)}`);
}

/**
 * Creates a lookup by the Host header. The values come in agentgateway's order: those of the name itself, those of `*.` and the longest
 * part of it, and those of `*`.
 */
export function createHostTable<T>(
  entries: Iterable<readonly [hostname: string, value: T]>,
): (host: string | undefined) => readonly T[] {
  const table = new Map<string, T[]>();
  for (const [hostname, value] of entries) table.set(hostname, [...(table.get(hostname) ?? []), value]);
  return (host) => {
    if (table.size === 1 && table.has('*')) return table.get('*') ?? [];
    return patternsFor(lowerAscii(host ?? '').replace(/:\d{0,5}$/, '')).flatMap((pattern) => table.get(pattern) ?? []);
  };
}

/** More labels than any name in use has: a client may send thousands. */
const MAX_LABELS = 40;

function patternsFor(name: string): readonly string[] {
  const labels = name.split('.', MAX_LABELS);
  return [name, ...labels.slice(1).map((_, i) => `*.${labels.slice(i + 1).join('.')}`), '*'];
}
