import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  ElicitRequestSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { until } from './until.js';

/** The operations of both SDKs' clients that these tests use. */
export interface SdkUser {
  readonly era: string;
  readonly updates: string[];
  tools(): Promise<string[]>;
  call(name: string, args: Record<string, unknown>, onProgress?: (progress: number) => void): Promise<string>;
  subscribe(uri: string): Promise<void>;
  watchTools(): Promise<void>;
  close(): Promise<void>;
}

const textOf = (result: unknown): string => (result as { content: [{ text: string }] }).content[0].text;
/** Under each name that one of the servers asks for. */
const answer = (name: string) => ({
  action: 'accept' as const,
  content: { name, random: name, response: name, username: name, value: name },
});
type Headers = Readonly<Record<string, string>>;
const called = (name: string): Headers => ({ authorization: `Bearer ${name}` });

/** A user of SDK v1's client. */
export async function userOfV1(url: string, name: string, headers = called(name)): Promise<SdkUser> {
  const client = new ClientV1({ name, version: '1' }, { capabilities: { elicitation: {}, sampling: {} } });
  const updates: string[] = [];
  client.setRequestHandler(ElicitRequestSchema, () => answer(name));
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void updates.push(params.uri));
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => void updates.push('tools'));
  await client.connect(new TransportV1(new URL(url), { requestInit: { headers } }) as never);
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

/** A user of SDK v2's client. */
export async function userOfV2(url: string, name: string, headers = called(name)): Promise<SdkUser> {
  const client = new ClientV2(
    { name, version: '1' },
    { capabilities: { elicitation: {}, sampling: {} }, versionNegotiation: { mode: 'auto' } },
  );
  const updates: string[] = [];
  client.setRequestHandler('elicitation/create', () => answer(name));
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => void updates.push(params.uri));
  client.setNotificationHandler('notifications/tools/list_changed', () => void updates.push('tools'));
  await client.connect(new TransportV2(new URL(url), { requestInit: { headers } }));
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

export const SDK_USERS = [
  ['SDK v1', userOfV1],
  ['SDK v2', userOfV2],
] as const;

/** Two users call a long tool of server-everything at once. Returns the progress that each of them was told. */
export async function progressOfBoth(ada: SdkUser, bob: SdkUser) {
  const progress = { ada: [] as number[], bob: [] as number[] };
  const args = { duration: 0.3, steps: 3 };
  await Promise.all([
    ada.call('trigger-long-running-operation', args, (step) => progress.ada.push(step)),
    bob.call('trigger-long-running-operation', { ...args, steps: 5 }, (step) => progress.bob.push(step)),
  ]);
  return progress;
}

/** Two users answer questions of server-everything at once, and one of them subscribes to a resource. Returns what each of them saw. */
export async function questionsAndUpdatesOfBoth(ada: SdkUser, bob: SdkUser) {
  const elicited = await Promise.all([ada, bob].map((user) => user.call('trigger-elicitation-request', {})));
  const uri = 'demo://resource/dynamic/text/1';
  await ada.subscribe(uri);
  await ada.call('toggle-subscriber-updates', {});
  await until(() => ada.updates.includes(uri));
  return {
    accepted: elicited.map((text) => text.includes('✅')),
    updatesOfBob: bob.updates.filter((each) => each === uri),
  };
}
