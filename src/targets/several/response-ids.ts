import { applyEdits, type JsonMember } from '../../messages/json-members.js';
import { keyOf, type RpcMessage } from '../../messages/json-rpc.js';

/** Returns a response with another id, which is JSON. The rest keeps its bytes, and is not parsed again. */
export function withId(response: RpcMessage, id: string): RpcMessage {
  const { idAt, members } = response;
  if (idAt === undefined) return response;
  const bytes = applyEdits(response.bytes, [{ ...idAt, text: id }]);
  return moved(response, bytes, id, members.list.indexOf(idAt));
}

/**
 * Returns the message in `bytes`, which equals `response` in everything but its id. It is not parsed: the positions of its members follow
 * from those of `response`.
 *
 * @param index The position of the id among the members.
 */
export function moved(response: RpcMessage, bytes: Buffer, id: string, index: number): RpcMessage {
  const shift = bytes.length - response.bytes.length;
  const list = response.members.list.map((member, at): JsonMember => {
    if (at < index) return member;
    const { name, keyStart, start, end } = member;
    return at === index
      ? { name, keyStart, start, end: end + shift }
      : { name, keyStart: keyStart + shift, start: start + shift, end: end + shift };
  });
  const members = { ...response.members, end: response.members.end + shift, list };
  return { ...response, bytes, members, idAt: list[index], id, key: keyOf(id) };
}

/** Builds a response from its result, which is JSON. */
export function responseOf(id: string, result: readonly Buffer[]): RpcMessage {
  const head = `{"jsonrpc":"2.0","id":${id},"result":`;
  const bytes = Buffer.concat([Buffer.from(head), ...result, Buffer.from('}')]);
  const idStart = head.indexOf(`${id},"result"`);
  const start = Buffer.byteLength(head);
  const idEnd = idStart + Buffer.byteLength(id);
  const idAt = { name: 'id', keyStart: idStart - 5, start: idStart, end: idEnd };
  const list = [
    { name: 'jsonrpc', keyStart: 1, start: 11, end: 16 },
    idAt,
    { name: 'result', keyStart: idEnd + 1, start, end: bytes.length - 1 },
  ];
  return {
    kind: 'response',
    bytes,
    members: { start: 0, end: bytes.length, list },
    idAt,
    id,
    key: keyOf(id),
    method: '',
  };
}
