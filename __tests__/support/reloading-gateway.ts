import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { onTestFinished } from 'vitest';
import { scripted } from './file-gateway.js';
import { type GatewayFolder, makeGatewayFolder } from './gateway-folder.js';
import { CLI, type Program, startNode } from './program.js';
import { until } from './until.js';

export interface ReloadingGateway {
  readonly program: Program;
  readonly folder: GatewayFolder;
  readonly origin: string;
  /** The lines about reloads. */
  reloads(): readonly string[];
  /** Puts another version of the file in its place, and waits for the line about it, which it returns. */
  replace(file: object): Promise<string>;
  /** Does something that makes the command reload, and returns the line about it. */
  after(change: () => unknown): Promise<string>;
}

/** A route at a path to a scripted server. */
export const routeTo = (path: string, target: object = {}, more: object = {}) => ({
  matches: [{ path: { pathPrefix: path } }],
  backends: [{ mcp: { targets: [scripted('only', target)] } }],
  ...more,
});

/** A file with these routes on a free port. */
export const withRoutes = (...routes: object[]) => ({ gateways: { default: { port: 0 } }, routes });

/** Starts the command with a file in a folder of its own. */
export async function startReloading(
  file: object,
  { args = [] as string[], name = 'config.yaml', env = {} as Readonly<Record<string, string>> } = {},
): Promise<ReloadingGateway> {
  const folder = await makeGatewayFolder();
  onTestFinished(() => folder.remove());
  await folder.write(name, JSON.stringify(file));
  return runReloading(folder, { args, name, env });
}

/** Starts the command with a file that is in the folder. */
export async function runReloading(
  folder: GatewayFolder,
  { args = [] as string[], name = 'config.yaml', env = {} as Readonly<Record<string, string>> } = {},
): Promise<ReloadingGateway> {
  const admin = args.includes('--admin') ? [] : ['--admin', 'off'];
  const line = ['-f', join(folder.path, name), '--host', '127.0.0.1', ...admin, ...args];
  const program = startNode([CLI, ...line], { env });
  onTestFinished(async () => void (await program.stop('SIGKILL')));
  const [, address] = await program.says(/Listening on (\S+)/);
  const reloads = () => program.stdout.split('\n').filter((line) => line.includes('Reloaded'));
  const after = async (change: () => unknown) => {
    const before = reloads().length;
    await change();
    await until(() => reloads().length > before);
    return reloads().at(-1) as string;
  };
  const replace = (next: object) =>
    after(async () => {
      await writeFile(join(folder.path, 'next'), JSON.stringify(next));
      await rename(join(folder.path, 'next'), join(folder.path, name));
    });
  return { program, folder, origin: `http://${address}`, reloads, replace, after };
}

export interface StreamingClient {
  readonly client: Client;
  readonly session: string | undefined;
  /** The number of GET requests: one, unless its stream broke. */
  readonly streams: number;
  /** The messages on its stream. */
  readonly heard: readonly string[];
  call(tool: string, args?: Record<string, unknown>): Promise<string>;
}

/** Connects a client of the SDK, and opens its stream. */
export async function connectStreaming(url: string, headers: Record<string, string> = {}): Promise<StreamingClient> {
  const client = new Client({ name: 'test', version: '1' });
  const heard: string[] = [];
  let streams = 0;
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void heard.push(String(params.data)));
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers },
    fetch: (target, init) => {
      if (init?.method === 'GET') streams += 1;
      return fetch(target, init);
    },
  });
  await client.connect(transport as Parameters<Client['connect']>[0]);
  onTestFinished(() => client.close());
  await until(() => streams === 1);
  return {
    client,
    session: transport.sessionId,
    heard,
    get streams() {
      return streams;
    },
    async call(tool, args = {}) {
      const { content } = await client.callTool({ name: tool, arguments: args });
      return (content as [{ text: string }])[0].text;
    },
  };
}
