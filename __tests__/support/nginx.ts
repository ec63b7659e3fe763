import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { freePort } from './loopback-server.js';
import { startProgram } from './program.js';
import { until } from './until.js';

/** The lines of nginx's documentation for a proxy. */
export const PROXY_LINES = `
  proxy_http_version 1.1;
  proxy_set_header Host $host;
  proxy_set_header X-Forwarded-Host $http_host;
  proxy_set_header X-Forwarded-Proto $scheme;`;

/** nginx in front of an origin, with these lines in its location; resolves to its own origin. */
export async function startNginx(upstream: string, lines = PROXY_LINES): Promise<string> {
  const port = await freePort();
  await startNginxWith(
    port,
    `server {
      listen 127.0.0.1:${port};
      location / {
        proxy_pass ${upstream};${lines}
      }
    }`,
  );
  return `http://127.0.0.1:${port}`;
}

/** Starts nginx with this text in its section `http`; resolves when it listens on `port`. */
export async function startNginxWith(port: number, http: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nginx-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'nginx.conf');
  await writeFile(file, configFor(http, folder));
  const nginx = startProgram('nginx', ['-p', folder, '-c', file, '-e', 'stderr']);
  onTestFinished(async () => void (await nginx.stop()));
  await until(() => accepts(port));
}

/** True if something listens. No request is sent: it would come to the origin. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.on('error', () => resolve(false)).on('connect', () => socket.destroy());
  });
}

const configFor = (http: string, folder: string): string => `
  daemon off;
  master_process off;
  pid ${folder}/nginx.pid;
  events {}
  http {
    access_log off;
    client_body_temp_path ${folder}/bodies;
    proxy_temp_path ${folder}/answers;
    ${http}
  }`;
