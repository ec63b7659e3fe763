import { type Members, memberOf, readMembers } from '../../messages/json-members.js';
import type { RpcMessage } from '../../messages/json-rpc.js';

/** The positions in messages that were read: arguments may be long, and several steps look at the same message. */
const known = new WeakMap<RpcMessage, { readonly params: Members | undefined; readonly meta: Members | undefined }>();

/** The members of a message's `params`. */
export function paramsOf(message: RpcMessage): Members | undefined {
  return positionsIn(message).params;
}

/** The members of `_meta` in a message's `params`. */
export function metaOf(message: RpcMessage): Members | undefined {
  return positionsIn(message).meta;
}

function positionsIn(message: RpcMessage) {
  const before = known.get(message);
  if (before !== undefined) return before;
  const { bytes, members } = message;
  const objectIn = (parent: Members | undefined, name: string): Members | undefined => {
    const member = memberOf(parent, name);
    return member && readMembers(bytes, member.start);
  };
  const params = objectIn(members, 'params');
  const positions = { params, meta: objectIn(params, '_meta') };
  known.set(message, positions);
  return positions;
}
