import { readdirSync, readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { extname } from 'node:path';
import { BUNDLED } from '../core/load-package.js';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

interface StaticFile {
  readonly type: string;
  readonly bytes: Buffer;
}

/**
 * Reads the files of the page, once. They are served by their exact names, so that no path of a request leads to another file.
 *
 * @throws {Error} If the files are missing, as in a bundle that leaves them out.
 */
export function readStaticFiles(): ReadonlyMap<string, StaticFile> {
  try {
    // From src/admin/, from the entry dist/admin/, and from dist/chunks/ alike. In a bundle of CommonJS there is no `import.meta.url`.
    return filesIn(new URL('../admin/page/', import.meta.url));
  } catch (cause) {
    throw new Error(`mcpAdmin() cannot read the files of its page: npm install express-mcp-auth. ${BUNDLED}`, {
      cause,
    });
  }
}

function filesIn(folder: URL): ReadonlyMap<string, StaticFile> {
  const names = readdirSync(folder).filter((name) => TYPES[extname(name)] !== undefined);
  return new Map(
    names.map((name) => [name, { type: TYPES[extname(name)] ?? '', bytes: readFileSync(new URL(name, folder)) }]),
  );
}

export function sendStaticFile(res: ServerResponse, { type, bytes }: StaticFile): void {
  res.writeHead(200, { 'content-type': type, 'content-length': bytes.length });
  res.end(res.req.method === 'HEAD' ? undefined : bytes);
}
