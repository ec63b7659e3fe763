import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { lowerAscii } from '../http/lower-ascii.js';
import { trimOws } from '../http/ows.js';
import { EventRewriter } from './event-rewriter.js';

type Head = [status: number, ...rest: unknown[]];

/**
 * Passes the JSON of an answer through `rewrite`, whoever writes it and however: a JSON body as a whole, an event stream
 * event by event. What says that it is something else is taken for JSON all the same, since clients may do so; on GET it is
 * left alone, for it may be without end.
 */
export function filterAnswer(res: ServerResponse, rewrite: (json: string) => string): void {
  const { writeHead, write, end, flushHeaders } = res;
  const original = {
    writeHead: writeHead.bind(res) as (...head: Head) => ServerResponse,
    write: write.bind(res) as (chunk: unknown, callback?: () => void) => boolean,
    end: end.bind(res) as (chunk: unknown, callback?: () => void) => ServerResponse,
  };
  const collected: Buffer[] = [];
  const events = new EventRewriter(rewrite);

  const kind = (): 'json' | 'events' | 'other' => {
    const [type = ''] = lowerAscii(String(res.getHeader('content-type') ?? '')).split(';');
    const essence = trimOws(type);
    if (essence === 'text/event-stream') return 'events';
    return essence === 'application/json' || res.req.method !== 'GET' ? 'json' : 'other';
  };

  res.writeHead = ((...head: Head) => {
    applyHead(res, head);
    if (kind() !== 'json') original.writeHead(res.statusCode);
    return res;
  }) as typeof writeHead;
  res.flushHeaders = () => {
    if (kind() !== 'json') flushHeaders.call(res);
  };
  res.write = ((chunk: unknown, ...rest: unknown[]) => {
    const [encoding, callback] = tailOf(rest);
    const type = kind();
    if (type === 'other') return original.write(bytesOf(chunk, encoding), callback);
    if (type === 'events') return original.write(events.push(bytesOf(chunk, encoding)), callback);
    collected.push(bytesOf(chunk, encoding));
    callback?.();
    return true;
  }) as typeof write;
  res.end = ((...args: unknown[]) => {
    const [chunk, ...rest] = typeof args[0] === 'function' ? [undefined, ...args] : args;
    const [encoding, callback] = tailOf(rest);
    const last = bytesOf(chunk ?? '', encoding);
    const type = kind();
    if (type === 'other') return original.end(last, callback);
    if (type === 'events') return original.end(events.push(last) + events.rest(), callback);
    const whole = Buffer.concat([...collected, last]);
    const text = whole.toString('utf8');
    const rewritten = rewrite(text);
    // Ending it, Node writes the head by `writeHead`, which must no longer wait.
    Object.assign(res, { writeHead, write, end, flushHeaders });
    // As it was: bytes need not be text.
    if (rewritten === text) return original.end(whole, callback);
    const body = Buffer.from(rewritten);
    res.removeHeader('etag');
    res.setHeader('content-length', body.length);
    return original.end(body, callback);
  }) as typeof end;
}

function bytesOf(chunk: unknown, encoding: BufferEncoding | undefined): Buffer {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk as Uint8Array);
}

function tailOf(rest: readonly unknown[]): [BufferEncoding | undefined, (() => void) | undefined] {
  return [
    rest.find((item) => typeof item === 'string') as BufferEncoding | undefined,
    rest.find((item) => typeof item === 'function') as (() => void) | undefined,
  ];
}

/** What `writeHead` takes, set as if it had come by `setHeader`, so that it can still be changed. */
function applyHead(res: ServerResponse, [status, ...rest]: Head): void {
  res.statusCode = status;
  if (typeof rest[0] === 'string') res.statusMessage = rest.shift() as string;
  const headers = rest[0] as OutgoingHttpHeaders | OutgoingHttpHeader[] | undefined;
  const pairs = Array.isArray(headers) ? pairsOf(headers) : Object.entries(headers ?? {});
  for (const [name, value] of pairs) if (value !== undefined) res.setHeader(name, value as OutgoingHttpHeader);
}

/** A list of names and values in turn, or of pairs. */
function pairsOf(list: readonly unknown[]): [string, unknown][] {
  if (Array.isArray(list[0])) return list as [string, unknown][];
  return list.flatMap((name, i) => (i % 2 === 0 ? [[String(name), list[i + 1]] as [string, unknown]] : []));
}
