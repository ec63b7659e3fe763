import type { AuthInfo } from '../core/auth-info.js';
import { applyEdits, type Edit, type Member, type Members, memberOf } from './json-members.js';
import { type ClientMessage, membersAt } from './json-rpc.js';
import { foldName } from './known-names.js';

/** What becomes of the `_meta` of one message on its way to the child. */
export interface MetaRule {
  /** The members that are added, as JSON. */
  readonly own: ReadonlyMap<string, string>;
  /** True if a member of the client's passes; one of the same name as an own member never does. */
  passes(name: string): boolean;
}

/** The rules of one backend. */
export interface MetaRules {
  /** That of a caller's requests; undefined where they pass as they came. */
  forRequest(auth: AuthInfo | undefined): MetaRule | undefined;
  /** That of notifications and responses, which say nothing about their caller. */
  readonly forOthers: MetaRule | undefined;
}

// What the protocol itself says there: its keys, and those it reserves for tracing.
const PROTOCOL_KEYS: ReadonlySet<string> = new Set(['progressToken', 'traceparent', 'tracestate', 'baggage']);
const PROTOCOL_PREFIX = 'io.modelcontextprotocol/';

/**
 * Turns the options `requestMeta` and `allowedClientMeta` into rules. Which keys `requestMeta` will ever return is not known before it does, so where it
 * is set a client sends the protocol's own keys and those of `allowedClientMeta`, and no other: it must not say about itself what only
 * we may say.
 */
export function createMetaRules(
  meta: ((auth: AuthInfo | undefined) => Record<string, unknown>) | undefined,
  allowedClientMeta: readonly string[],
): MetaRules {
  if (meta === undefined) return { forRequest: () => undefined, forOthers: undefined };
  const listed = new Set(allowedClientMeta);
  const passes = (name: string): boolean =>
    PROTOCOL_KEYS.has(name) || name.startsWith(PROTOCOL_PREFIX) || listed.has(name);
  const forRequest = (auth: AuthInfo | undefined): MetaRule => {
    const values = meta(auth);
    const taken = new Set(Object.keys(values).map(foldName));
    const own = Object.entries(values).flatMap(([key, value]): [string, string][] => {
      const text = JSON.stringify(value);
      return text === undefined ? [] : [[key, text]];
    });
    // A key returned with `undefined` is taken away too.
    return { own: new Map(own), passes: (name) => passes(name) && !taken.has(foldName(name)) };
  };
  return { forRequest, forOthers: { own: new Map(), passes } };
}

/** The message with the `_meta` that `rule` leaves of it; every other byte as it came. */
export function withMeta(message: ClientMessage, rule: MetaRule | undefined): Buffer {
  return rule === undefined ? message.bytes : applyEdits(message.bytes, metaEdits(message, rule));
}

/** What makes the message's `_meta` that of `rule`; in a response that is the `_meta` of its result. */
export function metaEdits(message: ClientMessage, rule: MetaRule): readonly Edit[] {
  const own = [...rule.own].map(([key, value]) => `${JSON.stringify(key)}:${value}`);
  const outer = message.kind === 'response' ? 'result' : 'params';
  const inner = membersAt(message, outer);
  const old = memberOf(inner, '_meta');
  if (inner !== undefined && old !== undefined) {
    const kept = keptOf(membersAt({ bytes: message.bytes, members: inner }, '_meta'), rule);
    const texts = kept.map(({ keyStart, end }) => message.bytes.toString('utf8', keyStart, end));
    return [{ start: old.start, end: old.end, text: `{${[...texts, ...own].join(',')}}` }];
  }
  if (own.length === 0) return [];
  if (inner === undefined) {
    const at = message.members.end - 1;
    return [{ start: at, end: at, text: `,"params":{"_meta":{${own.join(',')}}}` }];
  }
  const at = inner.start + 1;
  return [{ start: at, end: at, text: `"_meta":{${own.join(',')}}${inner.list.length > 0 ? ',' : ''}` }];
}

function keptOf(members: Members | undefined, { own, passes }: MetaRule): readonly Member[] {
  const taken = new Set([...own.keys()].map(foldName));
  return (members?.list ?? []).filter(({ name }) => passes(name) && !taken.has(foldName(name)));
}
