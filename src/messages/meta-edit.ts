import type { AuthInfo } from '../core/auth-info.js';
import { applyEdits, type Edit, type JsonMember, type JsonMembers, memberOf } from './json-members.js';
import { type ClientMessage, membersAt, type RpcMessage, readMessage } from './json-rpc.js';
import { foldName } from './known-names.js';

/** Says how the `_meta` of one message changes on its way to the child. */
export interface MetaRule {
  /** The members that are added, with their values as JSON. */
  readonly own: ReadonlyMap<string, string>;
  /** True if a client's member is kept. A member with the name of an added one is never kept. */
  passes(name: string): boolean;
}

/** The members that `requestMeta` returned. */
export type RequestMeta = Readonly<Record<string, unknown>>;

/** The rules of one backend. */
export interface MetaRules {
  /** The rule for a caller's requests; undefined if they pass unchanged. A promise if the application looks something up. */
  forRequest(auth: AuthInfo | undefined): MetaRule | undefined | Promise<MetaRule>;
  /** The rule for notifications and responses, to which nothing about the caller is added; undefined if they pass unchanged. */
  readonly forOthers: MetaRule | undefined;
}

/** The keys that the protocol reserves for tracing (SEP-414). HTTP headers have the same names. */
export const TRACE_KEYS = ['traceparent', 'tracestate', 'baggage'] as const;
const PROTOCOL_KEYS: ReadonlySet<string> = new Set(['progressToken', ...TRACE_KEYS]);
const PROTOCOL_PREFIX = 'io.modelcontextprotocol/';

/**
 * Turns the options `requestMeta` and `allowedClientMeta` into rules. The keys of `requestMeta` are known only once it returns. So if it is given, of a
 * client's keys only the protocol's own and those of `allowedClientMeta` pass: a client must not forge what only the application may say.
 */
export function createMetaRules(
  meta: ((auth: AuthInfo | undefined) => RequestMeta | Promise<RequestMeta>) | undefined,
  allowedClientMeta: readonly string[],
): MetaRules {
  if (meta === undefined) return { forRequest: () => undefined, forOthers: undefined };
  const listed = new Set(allowedClientMeta);
  const passes = (name: string): boolean =>
    PROTOCOL_KEYS.has(name) || name.startsWith(PROTOCOL_PREFIX) || listed.has(name);
  const ruleFor = (values: RequestMeta): MetaRule => {
    const taken = new Set(Object.keys(values).map(foldName));
    const own = Object.entries(values).flatMap(([key, value]): [string, string][] => {
      const text = JSON.stringify(value);
      return text === undefined ? [] : [[key, text]];
    });
    // A key whose value is `undefined` is not added, but a client's member of that name is still removed.
    return { own: new Map(own), passes: (name) => passes(name) && !taken.has(foldName(name)) };
  };
  const forRequest = (auth: AuthInfo | undefined): MetaRule | Promise<MetaRule> => {
    const values = meta(auth);
    return values instanceof Promise ? values.then(ruleFor) : ruleFor(values);
  };
  return { forRequest, forOthers: { own: new Map(), passes } };
}

/** Applies `rule` to the `_meta` of a message, and leaves every other byte unchanged. */
export function withMeta(message: ClientMessage, rule: MetaRule | undefined): Buffer {
  return rule === undefined ? message.bytes : applyEdits(message.bytes, metaEdits(message, rule));
}

/** Replaces the trace in the `_meta` of a request, and leaves every other byte unchanged. */
export function withTrace(
  bytes: Buffer,
  trace: { readonly [Key in (typeof TRACE_KEYS)[number]]?: string | undefined },
): Buffer {
  const request = readMessage(bytes);
  if (request === undefined) return bytes;
  const own = TRACE_KEYS.flatMap((key): [string, string][] => {
    const value = trace[key];
    return value === undefined ? [] : [[key, JSON.stringify(value)]];
  });
  const passes = (name: string): boolean => !TRACE_KEYS.some((key) => key === name);
  return applyEdits(bytes, metaEdits(request, { own: new Map(own), passes }));
}

/** Returns the edits that apply `rule` to the `_meta` of a message. In a response, that is the `_meta` of its result. */
export function metaEdits(message: RpcMessage, rule: MetaRule): readonly Edit[] {
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

function keptOf(members: JsonMembers | undefined, { own, passes }: MetaRule): readonly JsonMember[] {
  const taken = new Set([...own.keys()].map(foldName));
  return (members?.list ?? []).filter(({ name }) => passes(name) && !taken.has(foldName(name)));
}
