import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { call } from './mcp-requests.js';
import { answerMcp, startRecordingTarget } from './recording-target.js';
import { until } from './until.js';

/** A call that has no answer until its file is deleted, and the file, which shows that the tool runs. */
export async function makeWaitingCall() {
  const folder = await mkdtemp(join(tmpdir(), 'waiting-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'running');
  return {
    args: { file },
    message: call(1, 'napBeside', { file }),
    isRunning: () => existsSync(file),
    release: () => rm(file),
  };
}

/** A remote server with the tool of these calls, which the scripted server has too. */
export async function startWaitingTarget(): Promise<string> {
  const answer = answerMcp();
  const { url } = await startRecordingTarget(async (arrived, res, req) => {
    if (arrived.method === 'OPTIONS') return void res.writeHead(204).end();
    const { file } = arrived.body.includes('napBeside') ? JSON.parse(arrived.body).params.arguments : {};
    if (file !== undefined) await writeFile(file, '');
    if (file !== undefined) await until(() => !existsSync(file), 60_000);
    answer(arrived, res, req);
  });
  return url;
}
