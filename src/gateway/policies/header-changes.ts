import type { IncomingMessage, ServerResponse } from 'node:http';
import { lowerAscii } from '../../http/lower-ascii.js';
import { setHead } from '../../http/set-head.js';
import type { Middleware } from '../../index.js';
import type { HeaderModifier } from '../config/header-modifier.js';

/** Changes the headers of requests, for the rules and the backend behind. */
export function changeRequestHeaders({ add, set, remove }: HeaderModifier): Middleware {
  const [added, replaced] = [Object.entries(add), Object.entries(set)];
  const changed = [...new Set([...Object.keys(add), ...Object.keys(set), ...remove])];
  return (req, _res, next) => {
    // Reading them now keeps the names that Node reads from rawHeaders later.
    const { headers, headersDistinct } = req;
    for (const [name, value] of added) headersDistinct[name] = [...(headersDistinct[name] ?? []), value];
    for (const [name, value] of replaced) headersDistinct[name] = [value];
    for (const name of remove) delete headersDistinct[name];
    for (const name of changed) writeHeader(headers, name, headersDistinct[name]);
    req.rawHeaders = rawHeadersOf(req, changed);
    next();
  };
}

function writeHeader(headers: IncomingMessage['headers'], name: string, values: readonly string[] | undefined): void {
  if (values === undefined) delete headers[name];
  else headers[name] = values.join(', ');
}

function rawHeadersOf({ rawHeaders, headersDistinct }: IncomingMessage, changed: readonly string[]): string[] {
  const kept = rawHeaders.flatMap((name, i) =>
    i % 2 === 0 && !changed.includes(lowerAscii(name)) ? [name, rawHeaders[i + 1] as string] : [],
  );
  const written = changed.flatMap((name) => headersDistinct[name]?.flatMap((value) => [name, value]) ?? []);
  return [...kept, ...written];
}

/** Changes the headers of every response of a route, by one modifier after the other. */
export function changeResponseHeaders(modifiers: readonly HeaderModifier[]): Middleware {
  return (_req, res, next) => {
    const writeHead = res.writeHead;
    res.writeHead = (status: number, ...rest: readonly unknown[]) => {
      res.writeHead = writeHead;
      setHead(res, [status, ...rest]);
      for (const modifier of modifiers) changeHeaders(res, modifier);
      return res.writeHead(res.statusCode);
    };
    next();
  };
}

function changeHeaders(res: ServerResponse, { add, set, remove }: HeaderModifier): void {
  for (const [name, value] of Object.entries(add)) res.appendHeader(name, value);
  for (const [name, value] of Object.entries(set)) res.setHeader(name, value);
  for (const name of remove) res.removeHeader(name);
}
