import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { createTestIssuer, type TestTokenOptions } from '../../src/testing/index.js';
import { endPrograms } from './program.js';

/** A user's folder: a configuration file, a key set, and tokens signed with its key. */
export interface GatewayFolder {
  readonly path: string;
  /** Writes a file, and returns its path. */
  write(name: string, text: string): Promise<string>;
  /** Returns a token that {@link AUTHENTICATION} accepts, unless the options change that. */
  token(options?: TestTokenOptions): string;
  remove(): Promise<void>;
}

/** The member `mcpAuthentication` for such a folder. */
export const AUTHENTICATION = {
  issuer: 'https://issuer.test',
  audiences: ['mcp.example'],
  jwks: { file: './pub-key' },
  resourceMetadata: { resource: 'http://localhost:3000/mcp' },
};

/** Creates a folder with a new key set in `pub-key`. */
export async function makeGatewayFolder(): Promise<GatewayFolder> {
  const path = await mkdtemp(join(tmpdir(), 'gateway-'));
  const issuer = createTestIssuer();
  const { jwks } = issuer.policy({ resource: 'mcp.example' });
  const write = async (name: string, text: string) => {
    await writeFile(join(path, name), text);
    return join(path, name);
  };
  await write('pub-key', JSON.stringify(typeof jwks === 'function' ? await jwks() : jwks));
  return {
    path,
    write,
    token: (options) => issuer.token(options),
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

/** Returns the folder of all tests of a file or a `describe`. After them, programs that still run are ended, and the folder is removed. */
export function gatewayFolderForTests(): GatewayFolder {
  let folder: GatewayFolder;
  beforeAll(async () => {
    folder = await makeGatewayFolder();
  });
  afterAll(async () => {
    await endPrograms();
    await folder.remove();
  });
  return {
    get path() {
      return folder.path;
    },
    write: (name, text) => folder.write(name, text),
    token: (options) => folder.token(options),
    remove: () => folder.remove(),
  };
}
