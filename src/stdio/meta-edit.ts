import type { AuthInfo } from '../auth-info.js';
import { applyEdits, type Edit, memberOf } from './json-members.js';
import { type ClientMessage, membersAt } from './json-rpc.js';

/** The `_meta` members that a caller's requests carry to the child; undefined where there is nothing to add. */
export type MetaFor = (auth: AuthInfo | undefined) => ReadonlyMap<string, string> | undefined;

/**
 * Turns the option `meta` into JSON members. A key that was ever returned is taken away from every request that does not get it
 * anew: a client must not say about itself what only we may say.
 */
export function createMetaFor(meta: ((auth: AuthInfo | undefined) => Record<string, unknown>) | undefined): MetaFor {
  if (meta === undefined) return () => undefined;
  const known = new Set<string>();
  return (auth) => {
    const values = meta(auth);
    for (const key of Object.keys(values)) known.add(key);
    return new Map([...known].map((key) => [key, JSON.stringify(values[key]) ?? '']));
  };
}

/** The message with `meta` in its `_meta`; every other byte as it came. */
export function withMeta(message: ClientMessage, meta: ReadonlyMap<string, string> | undefined): Buffer {
  return meta === undefined ? message.bytes : applyEdits(message.bytes, [metaEdit(message, meta)]);
}

/** What puts `meta` into the message's `_meta`. An empty value takes the key away. */
export function metaEdit(message: ClientMessage, meta: ReadonlyMap<string, string>): Edit {
  const own = [...meta].filter(([, value]) => value !== '').map(([key, value]) => `${JSON.stringify(key)}:${value}`);
  const params = memberOf(message.members, 'params');
  const inner = membersAt(message.bytes, params);
  if (params === undefined || inner === undefined) {
    const at = message.members.end - 1;
    return { start: at, end: at, text: `,"params":{"_meta":{${own.join(',')}}}` };
  }
  const old = memberOf(inner, '_meta');
  const members = membersAt(message.bytes, old);
  if (old === undefined || members === undefined) {
    const text = `"_meta":{${own.join(',')}}${inner.list.length > 0 ? ',' : ''}`;
    return old === undefined
      ? { start: inner.start + 1, end: inner.start + 1, text }
      : { start: old.start, end: old.end, text: `{${own.join(',')}}` };
  }
  const taken = new Set([...meta.keys()].map((key) => key.toLowerCase()));
  const kept = members.list
    .filter(({ name }) => !taken.has(name.toLowerCase()))
    .map(({ keyStart, end }) => message.bytes.toString('utf8', keyStart, end));
  return { start: members.start, end: members.end, text: `{${[...kept, ...own].join(',')}}` };
}
