import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './program.js';

export const run = promisify(execFile);
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

/** A user's project outside this repository, with the packed tarball installed. */
export interface PackedProject {
  readonly folder: string;
  readonly tarball: string;
  /** The paths of the files in the tarball. */
  readonly packed: readonly string[];
  remove(): Promise<void>;
}

/** Creates the project, for `beforeAll`. It has the programs of `__tests__/packaging/consumers/`, Express, and `dependencies`. */
export async function installPackedProject(
  dependencies: Readonly<Record<string, string>> = {},
): Promise<PackedProject> {
  const folder = await mkdtemp(join(tmpdir(), 'consumer-'));
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const { stdout } = await run(npm, pack, { cwd: ROOT });
  const [{ filename, files }] = JSON.parse(stdout);
  await cp(`${ROOT}__tests__/packaging/consumers`, folder, { recursive: true });
  const { devDependencies } = JSON.parse(await readFile(`${ROOT}package.json`, 'utf8'));
  const own = { 'express-mcp-auth': `file:${filename}`, express: devDependencies.express };
  const manifest = { type: 'module', dependencies: { ...own, ...dependencies } };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock'];
  await run(npm, install, { cwd: folder });
  const packed = files.map(({ path }: { path: string }) => path);
  return {
    folder,
    tarball: join(folder, filename),
    packed,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
