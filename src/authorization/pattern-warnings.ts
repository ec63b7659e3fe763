import { printableJson } from '../core/printable.js';
import { isTargeted, targetMember } from '../messages/mcp-call.js';
import { narrownessOf } from './name-pattern.js';
import { looksLikeRegExp } from './rule-names.js';

/** Characters of a pattern in a log line. */
const MAX_PATTERN_LENGTH = 100;

interface NamedRule {
  readonly method: string;
  readonly pattern: string | undefined;
  readonly rule: unknown;
}

/** Returns a line about each pattern that may match something else than its author expects. */
export function patternWarnings(rules: readonly NamedRule[]): readonly string[] {
  return rules.flatMap((named) => {
    const { pattern } = named;
    if (pattern === undefined) return [];
    const quoted = printableJson(pattern, MAX_PATTERN_LENGTH);
    const expression = `${quoted} is not a regular expression: "." matches a dot only, and "*" matches any text`;
    const hosts = `${quoted} also allows other hosts: "*" matches any text. Write the host in full, and "/" after it`;
    return [
      ...(looksLikeRegExp(pattern) ? [expression] : []),
      ...(hasOpenHost(pattern) && overridesFalse(named, rules) ? [hosts] : []),
    ];
  });
}

/** The host and the port of a URL that programs fetch. The name of a target may precede the scheme. */
const HOST = /^(?:[\w.-]+\+)?(?:https?|wss?|ftp):\/\/([^/?#]*)/i;
/** `http*://h.example/*` also matches `https://evil.example/://h.example/`. */
const OPEN_SCHEME = /^[a-z]*\*[a-z*]*:\/\/[^*/?#]/i;

/** True if a pattern has a host, and yet matches other hosts. `https://*` is for all hosts, and `https://h.example:*` for all ports of one. */
function hasOpenHost(pattern: string): boolean {
  const [, host = ''] = HOST.exec(pattern) ?? [];
  return OPEN_SCHEME.test(pattern) || (!/^\*+$/.test(host) && host.replace(/:\*$/, '').includes('*'));
}

/** A function may look at the host itself. */
function overridesFalse({ method, pattern = '', rule }: NamedRule, rules: readonly NamedRule[]): boolean {
  if (rule === false || typeof rule === 'function' || !isTargeted(method) || targetMember(method) !== 'uri')
    return false;
  return rules.some(
    (other) =>
      other.rule === false && other.method === method && narrownessOf(other.pattern ?? '*') < narrownessOf(pattern),
  );
}
