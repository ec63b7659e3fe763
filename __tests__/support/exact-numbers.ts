import { text } from 'node:stream/consumers';
import express from 'express';
import { onTestFinished } from 'vitest';
import { mcpAdmin } from '../../src/admin/mcp-admin.js';
import { serve } from './loopback-server.js';

/** A schema and a result with numbers that `JSON.parse()` rounds. */
export const SCHEMA =
  '{"type":"object","properties":{"id":{"type":"number"},"preset":{"type":"integer","default":9007199254740993},"choice":{"enum":[1234567890123456787]}}}';
export const STRUCTURED = '{"id":9223372036854775807,"size":1.0}';

/** The page, and an MCP server whose tool `numbers` answers with its arguments as they were written. */
export interface NumbersApp {
  /** The address of the page, with its slash. */
  readonly ui: string;
  /** The arguments of the calls, without white space. */
  readonly given: readonly string[];
  /** Calls the tool as the page does. `args` is JSON. */
  call(args: string): Promise<{ readonly status: number; readonly text: string }>;
}

/** Serves the page until the test ends. @param before Runs before the page. */
export async function serveNumbers(before: readonly express.RequestHandler[] = []): Promise<NumbersApp> {
  const given: string[] = [];
  const admin = mcpAdmin({ authorize: 'loopback', serverPath: '/mcp' });
  onTestFinished(() => admin.close());
  const app = express();
  app.use('/admin', ...before, admin);
  app.use('/mcp', async (req, res) => {
    const body = await text(req);
    const { id = null, method } = JSON.parse(body || '{}') as { id?: number; method?: string };
    res.type('json').send(`{"jsonrpc":"2.0","result":${resultOf(method, body, given)},"id":${id}}`);
  });
  const origin = await serve((req, res) => app(req, res));
  return {
    ui: `${origin}/admin/`,
    given,
    async call(args) {
      const body = `{"route":"/mcp","name":"numbers","arguments":${args}}`;
      const headers = { 'content-type': 'application/json', origin };
      const response = await fetch(`${origin}/admin/api/tools/call`, { method: 'POST', headers, body });
      return { status: response.status, text: await response.text() };
    },
  };
}

function resultOf(method: string | undefined, body: string, given: string[]): string {
  if (method === 'initialize') return '{"protocolVersion":"2025-06-18"}';
  if (method === 'tools/list') return `{"tools":[7,{"inputSchema":${SCHEMA},"name":"numbers"}]}`;
  const args = /"arguments":(\{.*\})\}\}$/s.exec(body)?.[1]?.replace(/\s/g, '') ?? '';
  if (method === 'tools/call') given.push(args);
  return `{"content":[{"type":"text","text":${JSON.stringify(`numbers: ${args}`)}}],"structuredContent":${STRUCTURED}}`;
}
