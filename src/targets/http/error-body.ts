import { isUtf8 } from 'node:buffer';
import { QUOTE } from '../../messages/json-bytes.js';
import { memberOf, readMembers, textOf } from '../../messages/json-members.js';
import { keyOf, readString } from '../../messages/json-rpc.js';
import { skipSpace } from '../../messages/json-scan.js';

/** An error that is the whole body of a response. */
export interface ErrorBody {
  /** Its id in the spelling of `keyOf`; undefined if it has none, or null. */
  readonly key: string | undefined;
  /** The error as it was written. */
  readonly error: string;
}

/** Reads a body that is one JSON-RPC error response, with any id or none. Undefined if it is anything else. */
export function readErrorBody(body: Buffer): ErrorBody | undefined {
  // Faster than to read the members of a long result.
  if (!body.includes('"error"')) return undefined;
  const members = readMembers(body);
  if (members === undefined || skipSpace(body, members.end) < body.length || !isUtf8(body)) return undefined;
  const [version, id, error] = ['jsonrpc', 'id', 'error'].map((name) => memberOf(members, name));
  const isResponse = version !== undefined && readString(textOf(body, version)) === '2.0';
  const isOther = members.list.some(({ name }) => name === 'result' || name === 'method');
  if (!isResponse || isOther || error === undefined) return undefined;
  const inner = readMembers(body, error.start);
  const [code, message] = ['code', 'message'].map((name) => memberOf(inner, name));
  // Clients drop an error without these.
  const isError = code && message && /^-?\d+$/.test(textOf(body, code)) && body[message.start] === QUOTE;
  return isError ? { key: id && keyOf(textOf(body, id)), error: textOf(body, error) } : undefined;
}

/** Builds the error response to the request with `id`, which is written as JSON. */
export function errorUnder(id: string, { error }: ErrorBody): Buffer {
  return Buffer.from(`{"jsonrpc":"2.0","id":${id},"error":${error}}`);
}
