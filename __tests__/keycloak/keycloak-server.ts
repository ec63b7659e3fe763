import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../support/program.js';

const VERSION = '26.7.3';
const MIN_JAVA = 21;
const MAVEN_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack';

/** The MCP server as a client, which asks about tokens. */
export const SERVER_CLIENT = { clientId: 'mcp_proxy', clientSecret: 'the secret of the MCP server' };

/** A client that an administrator has created for all MCP clients. */
export const SHARED_CLIENT = { clientId: 'shared', publicClient: true, redirectUris: ['http://127.0.0.1:*'] };

/** Keycloak's administrator. */
export const ADMIN = { username: 'admin', password: 'the password of the administrator' };

let keycloak: ChildProcess | undefined;

/** Starts Keycloak on port 7080 with the sample realm, in memory. Maven fetches Keycloak at the first run. */
export async function setup(): Promise<void> {
  const home = process.env.KEYCLOAK_HOME ?? fetchKeycloak();
  const realm = join(home, 'data', 'import', 'mcp-realm.json');
  mkdirSync(join(home, 'data', 'import'), { recursive: true });
  writeFileSync(realm, realmWithServerClient());
  const args = [join(home, 'bin', 'kc.sh'), 'start-dev', '--import-realm', '--http-port=7080', '--db=dev-mem'];
  keycloak = spawn('sh', args, {
    // Its own process group: kc.sh starts the server, and sometimes another program first.
    detached: true,
    env: {
      ...process.env,
      JAVA_HOME: findJava(),
      KC_BOOTSTRAP_ADMIN_USERNAME: ADMIN.username,
      KC_BOOTSTRAP_ADMIN_PASSWORD: ADMIN.password,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await listening(keycloak);
  } finally {
    rmSync(realm);
  }
}

/** The sample's realm with {@link SHARED_CLIENT}, and the MCP server as a client of it: Keycloak answers introspection requests only of clients in the token's `aud`. */
function realmWithServerClient(): string {
  const realm = JSON.parse(readFileSync(`${ROOT}samples/keycloak/realm.json`, 'utf8')) as object;
  const { clientId, clientSecret: secret } = SERVER_CLIENT;
  return JSON.stringify({ ...realm, clients: [{ clientId, secret, standardFlowEnabled: false }, SHARED_CLIENT] });
}

export async function teardown(): Promise<void> {
  if (keycloak?.pid === undefined || keycloak.exitCode !== null) return;
  const ended = once(keycloak, 'exit');
  process.kill(-keycloak.pid, 'SIGTERM');
  await ended;
}

function fetchKeycloak(): string {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'express-mcp-auth');
  const home = join(cache, `keycloak-${VERSION}`);
  if (existsSync(join(home, 'bin', 'kc.sh'))) return home;
  const artifact = `-Dartifact=org.keycloak:keycloak-quarkus-dist:${VERSION}:zip`;
  // Maven notes in its folder what it has unpacked, and would not unpack it again after the cache was emptied.
  const cwd = mkdtempSync(join(tmpdir(), 'keycloak-'));
  try {
    execFileSync('mvn', ['-q', '-B', MAVEN_PLUGIN, artifact, `-DoutputDirectory=${cache}`], { cwd, stdio: 'inherit' });
  } finally {
    rmSync(cwd, { recursive: true });
  }
  return home;
}

/** Keycloak needs a newer Java than the first one in the path of many machines. */
function findJava(): string {
  const folder = '/usr/lib/jvm';
  const installed = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  const candidates = [process.env.JAVA_HOME ?? '', ...installed];
  const found = candidates.find((home) => javaVersion(home) >= MIN_JAVA);
  if (found === undefined) throw new Error(`Keycloak needs Java ${MIN_JAVA} or newer: set JAVA_HOME`);
  return found;
}

function javaVersion(home: string): number {
  const release = join(home, 'release');
  if (home === '' || !existsSync(release)) return 0;
  return Number(/^JAVA_VERSION="(\d+)/m.exec(readFileSync(release, 'utf8'))?.[1] ?? 0);
}

async function listening(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let written = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      written += text;
      if (/Listening on: http/.test(written)) resolve();
    });
    child.once('exit', () => reject(new Error(`Keycloak ended before it listened:\n${written}`)));
  });
}
