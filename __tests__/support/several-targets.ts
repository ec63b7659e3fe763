import { onTestFinished } from 'vitest';
import type { Connection, ConnectionSource } from '../../src/targets/connection.js';
import type { SeveralOptions } from '../../src/targets/several/several-options.js';
import { SeveralSource } from '../../src/targets/several/several-source.js';
import { ChildSource } from '../../src/targets/stdio/child-source.js';
import { createRecordingLogger } from './recording-logger.js';
import { fixture, NODE } from './stdio-bridge.js';
import { until } from './until.js';

/** A message, as far as tests look at it. */
export interface Message {
  readonly id?: string | number;
  readonly method?: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests name what they expect.
  readonly params?: any;
  // biome-ignore lint/suspicious/noExplicitAny: tests name what they expect.
  readonly result?: any;
  // biome-ignore lint/suspicious/noExplicitAny: tests name what they expect.
  readonly error?: any;
}

/** The environment of each `plain-target.mjs`, by its name as a target. */
export type Targets = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface Several {
  readonly source: SeveralSource;
  readonly lines: readonly string[];
  /** Opens another client's connection. */
  connect(): SeveralClient;
}

/** Starts nothing yet: several `plain-target.mjs` as one. */
export function several(targets: Targets, options: Partial<Omit<SeveralOptions, 'targets'>> = {}): Several {
  const { lines, logger } = createRecordingLogger();
  const { maxWaiting = 64, waitMs = 0 } = options;
  const limits = { maxWaiting, waitMs };
  const sources = Object.entries(targets).map(([name, env]): [string, ConnectionSource] => {
    const recipe = {
      command: NODE,
      args: [fixture('plain-target.mjs')],
      cwd: undefined,
      maxMessageBytes: 1_000_000,
      ...limits,
      logger,
    };
    return [name, new ChildSource(recipe, () => ({ NAME: name, ...env }), 0)];
  });
  const source = new SeveralSource({
    targets: new Map(sources),
    prefixMode: 'conditional',
    failureMode: 'failClosed',
    serverInfo: { name: 'several', version: '1' },
    pins: undefined,
    startTimeoutMs: 10_000,
    logger,
    ...limits,
    ...options,
  });
  onTestFinished(() => source.close());
  return { source, lines, connect: () => new SeveralClient(source) };
}

/** One client of several targets, without HTTP. */
export class SeveralClient {
  /** All messages that were received. */
  readonly heard: Message[] = [];
  /** The reason why the connection was gone. */
  reason: string | undefined;
  readonly connection: Connection;
  #count = 0;

  constructor(source: SeveralSource) {
    this.connection = source.open({ auth: undefined, isChecked: true });
    this.connection.listen({
      message: (bytes) => void this.heard.push(JSON.parse(bytes.toString())),
      oversized: () => undefined,
      gone: (reason) => {
        this.reason = reason;
      },
    });
    onTestFinished(() => this.connection.stop());
  }

  send(message: object): void {
    this.connection.write(Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message })));
  }

  /** Sends a request and returns its id. */
  start(method: string, params?: object, id: string | number = ++this.#count): string | number {
    this.send({ id, method, ...(params && { params }) });
    return id;
  }

  /** Waits for the response to the request `id`. */
  async response(id: string | number): Promise<Message> {
    await until(() => this.reason !== undefined || this.find(id) !== undefined);
    return this.find(id) ?? { error: this.reason };
  }

  find(id: string | number): Message | undefined {
    return this.heard.find((message) => message.id === id && message.method === undefined);
  }

  request(method: string, params?: object): Promise<Message> {
    return this.response(this.start(method, params));
  }

  /** Opens a session of a revision that has them. */
  async initialize(protocolVersion = '2025-11-25'): Promise<Message> {
    const response = await this.request('initialize', {
      protocolVersion,
      capabilities: { sampling: {}, tasks: { list: {} } },
      clientInfo: { name: 'test', version: '1' },
    });
    if (response.result !== undefined) this.send({ method: 'notifications/initialized' });
    return response;
  }

  /** Calls a tool; resolves to its text. */
  async text(name: string, args: object = {}): Promise<string> {
    const { result, error } = await this.request('tools/call', { name, arguments: args });
    return result === undefined ? `error ${error.message}` : result.content[0].text;
  }

  /** Waits for a notification or request. */
  async hear(method: string): Promise<Message> {
    await until(() => this.heard.some((message) => message.method === method));
    return this.heard.find((message) => message.method === method) as Message;
  }

  heardOf(method: string): readonly Message[] {
    return this.heard.filter((message) => message.method === method);
  }
}
