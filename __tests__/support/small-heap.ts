import { onTestFinished } from 'vitest';
import type { McpBackendOptions } from '../../src/index.js';
import { type Program, startNode } from './program.js';
import { startRecordingTarget } from './recording-target.js';
import { fixture } from './stdio-bridge.js';

/** `mcpBackend()` in a process of its own, which ends when its heap has more than `mebibytes`. */
export async function startSmallHeap(
  mebibytes: number,
  options: McpBackendOptions,
): Promise<{ readonly url: string; readonly program: Program }> {
  const heap = [`--max-old-space-size=${mebibytes}`, '--max-semi-space-size=4'];
  const program = startNode([...heap, fixture('backend-of.mjs'), JSON.stringify(options)]);
  onTestFinished(() => void program.stop('SIGKILL'));
  const [url] = await program.says(/http\S+/);
  return { url, program };
}

/** The results of a server of 2026-07-28, as JSON, by method. */
export type Results = Readonly<
  Record<string, (params: { readonly cursor?: string; readonly name?: string }) => string>
>;

const DISCOVERED = '{"supportedVersions":["2026-07-28"],"capabilities":{"tools":{},"prompts":{},"resources":{}}}';

/** A remote server of 2026-07-28 that answers with these results. Everything else gets an empty one. */
export async function startHostileTarget(
  results: Results,
): Promise<{ readonly url: string; readonly asked: string[] }> {
  const asked: string[] = [];
  const target = await startRecordingTarget(({ body }, res) => {
    const { id, method, params } = body === '' ? ({} as never) : JSON.parse(body);
    if (id === undefined) {
      res.writeHead(405).end();
      return;
    }
    asked.push(method);
    const result = results[method]?.(params) ?? (method === 'server/discover' ? DISCOVERED : '{"content":[]}');
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`);
  });
  return { url: target.url, asked };
}
