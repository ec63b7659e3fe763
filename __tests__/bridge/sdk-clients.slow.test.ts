import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  ElicitRequestSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EVERYTHING, fixture, type Served, serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

/** A client of either SDK. */
interface User {
  /** As the SDK says: `legacy` is a revision with sessions, `modern` one without. */
  readonly era: string;
  readonly updates: string[];
  tools(): Promise<string[]>;
  call(name: string, args: Record<string, unknown>, onProgress?: (progress: number) => void): Promise<string>;
  subscribe(uri: string): Promise<void>;
  watchTools(): Promise<void>;
  close(): Promise<void>;
}

const textOf = (result: unknown): string => (result as { content: [{ text: string }] }).content[0].text;
const answer = (name: string) => ({ action: 'accept' as const, content: { name, response: name, username: name } });
const headersFor = (name: string) => ({ requestInit: { headers: { authorization: `Bearer ${name}` } } });

async function userOfV1(url: string, name: string): Promise<User> {
  const client = new ClientV1({ name, version: '1' }, { capabilities: { elicitation: {}, sampling: {} } });
  const updates: string[] = [];
  client.setRequestHandler(ElicitRequestSchema, () => answer(name));
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void updates.push(params.uri));
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => void updates.push('tools'));
  await client.connect(new TransportV1(new URL(url), headersFor(name)) as never);
  return {
    era: 'legacy',
    updates,
    tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
    call: async (tool, args, onProgress) => {
      const options = onProgress && { onprogress: ({ progress }: { progress: number }) => onProgress(progress) };
      return textOf(await client.callTool({ name: tool, arguments: args }, undefined, options));
    },
    subscribe: async (uri) => void (await client.subscribeResource({ uri })),
    watchTools: async () => undefined,
    close: () => client.close(),
  };
}

async function userOfV2(url: string, name: string): Promise<User> {
  const client = new ClientV2(
    { name, version: '1' },
    { capabilities: { elicitation: {}, sampling: {} }, versionNegotiation: { mode: 'auto' } },
  );
  const updates: string[] = [];
  client.setRequestHandler('elicitation/create', () => answer(name));
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => void updates.push(params.uri));
  client.setNotificationHandler('notifications/tools/list_changed', () => void updates.push('tools'));
  await client.connect(new TransportV2(new URL(url), headersFor(name)));
  return {
    era: client.getProtocolEra() ?? 'none',
    updates,
    tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
    call: async (tool, args, onProgress) => {
      const options = onProgress && { onprogress: ({ progress }: { progress: number }) => onProgress(progress) };
      return textOf(await client.callTool({ name: tool, arguments: args }, options));
    },
    subscribe: async (uri) => void (await client.subscribeResource({ uri })),
    watchTools: async () => void (await client.listen({ toolsListChanged: true })),
    close: () => client.close(),
  };
}

const CLIENTS = [
  ['SDK v1', userOfV1],
  ['SDK v2', userOfV2],
] as const;

describe.concurrent('server-everything, which speaks only revisions with sessions', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve({ args: [EVERYTHING] });
  });
  afterAll(() => served.stop());

  test.each(CLIENTS)('serves two users of %s at once, who never see each other’s messages', async (_sdk, connect) => {
    const [ada, bob] = await Promise.all([connect(served.url, 'ada'), connect(served.url, 'bob')]);
    expect([ada.era, bob.era]).toEqual(['legacy', 'legacy']);
    expect(await ada.tools()).toContain('trigger-elicitation-request');
    const progress = { ada: [] as number[], bob: [] as number[] };
    const args = { duration: 0.3, steps: 3 };
    await Promise.all([
      ada.call('trigger-long-running-operation', args, (step) => progress.ada.push(step)),
      bob.call('trigger-long-running-operation', { ...args, steps: 5 }, (step) => progress.bob.push(step)),
    ]);
    expect(progress).toEqual({ ada: [1, 2, 3], bob: [1, 2, 3, 4, 5] });
    const elicited = await Promise.all([ada, bob].map((user) => user.call('trigger-elicitation-request', {})));
    expect(elicited.map((text) => text.includes('✅'))).toEqual([true, true]);
    const uri = 'demo://resource/dynamic/text/1';
    await ada.subscribe(uri);
    await ada.call('toggle-subscriber-updates', {});
    await until(() => ada.updates.includes(uri));
    expect(bob.updates).not.toContain(uri);
    await Promise.all([ada.close(), bob.close()]);
  });
});

describe.concurrent('a server of SDK v2, which speaks revisions with sessions and without', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve({ args: [fixture('conformance-server.mjs')] });
  });
  afterAll(() => served.stop());

  test.each([
    ['SDK v1', userOfV1, 'legacy', 'test_elicitation'],
    ['SDK v2', userOfV2, 'modern', 'test_input_required_result_elicitation'],
  ] as const)('serves two users of %s at once', async (_sdk, connect, era, elicitation) => {
    const [ada, bob] = await Promise.all([connect(served.url, 'ada'), connect(served.url, 'bob')]);
    expect([ada.era, bob.era]).toEqual([era, era]);
    expect(await ada.tools()).toContain('test_simple_text');
    const progress: number[] = [];
    await Promise.all([
      ada.call('test_tool_with_progress', {}, (step) => progress.push(step)),
      bob.call('test_tool_with_progress', {}, (step) => progress.push(step)),
    ]);
    expect(progress.sort((a, b) => a - b)).toEqual([0, 0, 50, 50, 100, 100]);
    const elicited = await Promise.all([ada, bob].map((user) => user.call(elicitation, { message: 'Who?' })));
    expect(elicited.map((text) => /ada|bob/.exec(text)?.[0])).toEqual(['ada', 'bob']);
    await ada.watchTools();
    await ada.call('test_trigger_tool_change', {});
    await until(() => ada.updates.includes('tools'));
    expect(bob.updates).toEqual([]);
    await Promise.all([ada.close(), bob.close()]);
  });
});
