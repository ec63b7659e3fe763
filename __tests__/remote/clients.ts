import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { freePort } from '../support/loopback-server.js';
import { type Program, ROOT, startProgram, startTerminal } from '../support/program.js';
import { until } from '../support/until.js';
import { type FillIn, UserAgent } from '../support/user-agent.js';
import { INSPECTOR, NEWEST_NODE, PYTHON } from './install.js';

export const LOGIN = /http:\S+\/authorize\?\S+/;

/** The server and, if it has one, the document that a client is given, and a folder in which it may keep its tokens. */
export interface Visit {
  readonly url: string;
  readonly document?: string;
  readonly folder: string;
  /** Waits until a program writes where to log in, and logs in. */
  readonly logIn: (written: () => string) => Promise<void>;
}

/** Runs a program that logs in, uses its token, refreshes it, and ends. */
export async function runOnce(start: (visit: Visit) => Program, visit: Visit): Promise<string> {
  const program = start(visit);
  await visit.logIn(() => program.stdout + program.stderr);
  expect(await program.ended, program.stderr).toBe(0);
  return program.stdout;
}

/** Runs a program in Python with the URL of the server and, if there is one, of the document. */
export const python = (file: string) => (visit: Visit) =>
  runOnce(({ url, document }) => {
    const args = [`${ROOT}__tests__/remote/${file}`, url, ...(document === undefined ? [] : [document])];
    return startProgram(PYTHON, args, { env: { BROWSER: 'echo %s' } });
  }, visit);

/** Runs a program twice in a terminal, which it asks for. The second time it has a token that is refused, and refreshes it. */
async function runTwice(command: string, visit: Visit): Promise<string> {
  // Without other programs in its path it opens no browser.
  const start = () => startTerminal(`PATH=${visit.folder} ${command}`, { NO_COLOR: '1' });
  const program = start();
  await visit.logIn(() => program.stdout + program.stderr);
  expect(await program.ended, program.stdout).toBe(0);
  spoilTokensIn(visit.folder);
  const again = start();
  expect(await again.ended, again.stdout).toBe(0);
  expect(again.stdout).not.toMatch(LOGIN);
  return again.stdout;
}

/** Calls a tool with MCP Inspector's command, twice. */
export async function inspector(visit: Visit): Promise<string> {
  const { url, document, folder } = visit;
  const storage = `MCP_STORAGE_DIR=${folder} MCP_INSPECTOR_SECRET_STORE=file MCP_AUTO_OPEN_ENABLED=false`;
  const callback = `http://127.0.0.1:${await freePort()}/oauth/callback`;
  const method = '--transport http --method tools/call --tool-name whoami';
  const byDocument = document === undefined ? '' : `--client-metadata-url ${document}`;
  const client = `${byDocument} --callback-url ${callback}`;
  return await runTwice(`${storage} ${NEWEST_NODE} ${INSPECTOR} --cli ${url} ${method} ${client}`, visit);
}

/** Makes the stored access tokens invalid. */
export function spoilTokensIn(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.json'),
  )) {
    const file = join(folder, name);
    writeFileSync(file, readFileSync(file, 'utf8').replace(/(access_token\\*": *\\*")/g, '$1spoilt.'));
  }
}

/** Resolves to the first match in what a program writes. */
async function found(pattern: RegExp, written: () => string): Promise<string> {
  const find = () => pattern.exec(written())?.[0];
  await until(() => find() !== undefined).catch(() => undefined);
  return find() ?? expect.fail(`it did not print ${pattern}:\n${written()}`);
}

/** Returns a function that logs in as a user does where a program says. */
export const loginWith = (fillIn: FillIn) => async (written: () => string) => {
  const login = new URL(await found(LOGIN, written));
  const redirectUri = login.searchParams.get('redirect_uri') ?? '';
  const end = await new UserAgent().visit(login, fillIn, ({ href }) => href.startsWith(redirectUri));
  if (!(end instanceof URL)) throw new Error(`stopped at ${end.url} (${end.response.status}): ${end.html}`);
  await (await fetch(end)).text();
};

export function folderOfTest(): string {
  const folder = mkdtempSync(join(tmpdir(), 'document-client-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}
