import { onTestFinished } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { type EnvironmentVariables, ExpandedTexts } from '../../src/gateway/config/variables.js';
import { createGateway, type Gateway } from '../../src/gateway/gateway.js';
import { createRecordingLogger } from './recording-logger.js';
import { NODE, SCRIPTED } from './stdio-bridge.js';

/** A target that starts the scripted server. */
export const scripted = (name: string, more: object = {}) => ({
  name,
  stdio: { cmd: NODE, args: [SCRIPTED], ...more },
});

/** The policies of a route that answers by itself. */
export const answer = (body: string) => ({ directResponse: { status: 200, body } });

/** The policies of a route whose keys cannot be fetched. */
export const authentication = (resource: string) => ({
  mcpAuthentication: {
    issuer: 'https://issuer.test',
    jwks: { url: 'http://127.0.0.1:1/' },
    resourceMetadata: { resource },
  },
});

/** Returns the message with which a file is refused. */
export function refusal(file: object): string {
  try {
    parseConfigFile(JSON.stringify(file), '/');
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the file was accepted');
}

interface Surroundings {
  readonly env?: EnvironmentVariables;
  /** Relative file names in the file start here. */
  readonly folder?: string;
  readonly ignored?: readonly string[];
}

export interface FileGateway {
  readonly gateway: Gateway;
  /** Its log. */
  readonly lines: readonly string[];
  /** The origins of its ports, in the file's order. */
  readonly origins: readonly string[];
  /** The first of them. */
  readonly origin: string;
}

/** Serves a configuration file on free loopback ports until the test ends. Each `port` in it must be 0. */
export async function serveFile(
  file: object | string,
  { env = {}, folder = '/', ignored }: Surroundings = {},
): Promise<FileGateway> {
  const text = typeof file === 'string' ? file : JSON.stringify(file);
  const { lines, logger } = createRecordingLogger();
  const settings = { texts: new ExpandedTexts(env), ...(ignored && { ignored }) };
  const gateway = createGateway(parseConfigFile(text, folder, settings), logger);
  onTestFinished(() => gateway.close());
  const origins = (await gateway.listen('127.0.0.1')).map((address) => `http://${address}`);
  return { gateway, lines, origins, origin: origins[0] as string };
}
