import { type Members, memberOf, readMembers } from '../../messages/json-members.js';
import type { RpcMessage } from '../../messages/json-rpc.js';

interface Positions {
  readonly message: RpcMessage;
  readonly params: Members | undefined;
  readonly meta: Members | undefined;
}

/** What was read last: arguments may be long, and several steps look at the same message. A WeakMap costs more than it saves. */
let last: Positions | undefined;

/** The members of a message's `params`. */
export function paramsOf(message: RpcMessage): Members | undefined {
  return positionsIn(message).params;
}

/** The members of `_meta` in a message's `params`. */
export function metaOf(message: RpcMessage): Members | undefined {
  return positionsIn(message).meta;
}

function positionsIn(message: RpcMessage): Positions {
  if (last?.message === message) return last;
  const { bytes, members } = message;
  const objectIn = (parent: Members | undefined, name: string): Members | undefined => {
    const member = memberOf(parent, name);
    return member && readMembers(bytes, member.start);
  };
  const params = objectIn(members, 'params');
  last = { message, params, meta: objectIn(params, '_meta') };
  return last;
}
