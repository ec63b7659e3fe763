import { type JsonMembers, memberOf, readMembers } from '../../messages/json-members.js';
import type { RpcMessage } from '../../messages/json-rpc.js';

interface Positions {
  readonly message: RpcMessage;
  readonly params: JsonMembers | undefined;
  readonly meta: JsonMembers | undefined;
}

/** The result for the last message: arguments may be long, and several steps read the same message. A WeakMap costs more than it saves. */
let last: Positions | undefined;

/** The members of a message's `params`. */
export function paramsOf(message: RpcMessage): JsonMembers | undefined {
  return positionsIn(message).params;
}

/** The members of `_meta` in a message's `params`. */
export function metaMembersOf(message: RpcMessage): JsonMembers | undefined {
  return positionsIn(message).meta;
}

function positionsIn(message: RpcMessage): Positions {
  if (last?.message === message) return last;
  const { bytes, members } = message;
  const objectIn = (parent: JsonMembers | undefined, name: string): JsonMembers | undefined => {
    const member = memberOf(parent, name);
    return member && readMembers(bytes, member.start);
  };
  const params = objectIn(members, 'params');
  last = { message, params, meta: objectIn(params, '_meta') };
  return last;
}
