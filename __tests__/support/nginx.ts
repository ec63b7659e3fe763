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

/**
 * nginx in front of an origin; resolves to its own origin.
 *
 * @param lines Those in its location.
 * @param outside Those in the block `http`, such as `upstream`.
 */
export async function startNginx(upstream: string, lines = PROXY_LINES, outside = ''): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nginx-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  await writeFile(file, configFor(port, { location: `proxy_pass ${upstream};${lines}`, outside }, folder));
  const nginx = startProgram('nginx', ['-p', folder, '-c', file, '-e', 'stderr']);
  onTestFinished(async () => void (await nginx.stop()));
  const origin = `http://127.0.0.1:${port}`;
  await until(() => accepts(port));
  return origin;
}

/** True if something listens. No request is sent: it would come to the origin. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.on('error', () => resolve(false)).on('connect', () => socket.destroy());
  });
}

const configFor = (port: number, { location, outside }: Record<'location' | 'outside', string>, folder: string) => `
  daemon off;
  master_process off;
  pid ${folder}/nginx.pid;
  events {}
  http {
    access_log off;
    client_body_temp_path ${folder}/bodies;
    proxy_temp_path ${folder}/answers;
    ${outside}
    server {
      listen 127.0.0.1:${port};
      location / {
        ${location}
      }
    }
  }`;
