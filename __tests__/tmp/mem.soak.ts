import { setTimeout as pause } from 'node:timers/promises';
import { writeHeapSnapshot } from 'node:v8';
import { test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { ExpandedTexts } from '../../src/gateway/config/variables.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { InputFiles } from '../../src/gateway/input-files.js';
import { fileOf } from '../soak/soak-file.js';
import { makeGatewayFolder } from '../support/gateway-folder.js';
import { memoryInUse } from '../support/memory-in-use.js';
import { createRecordingLogger } from '../support/recording-logger.js';

test('memory', async () => {
  const folder = await makeGatewayFolder();
  const settings = { remote: 'http://127.0.0.1:1/mcp', mark: 'memory-test' };
  const env = { PORT: '0', SESSION_KEY: 'k'.repeat(32), REDIS_URL: 'redis://127.0.0.1:1' };
  const config = (v: number) => parseConfigFile(fileOf(v, settings), folder.path, { texts: new ExpandedTexts(env) });
  const { logger } = createRecordingLogger();
  const gateway = createGateway(config(0), logger);
  await gateway.listen('127.0.0.1');
  console.log('start', await memoryInUse());
  for (let version = 1; version <= 20; version++) {
    await gateway.prepare(config(version), new InputFiles()).use('127.0.0.1');
    if (version % 5 === 0) { await pause(300); console.log(version, await memoryInUse()); }
  }
  if (process.env.SNAP) writeHeapSnapshot('/tmp/p5.heapsnapshot');
  await gateway.close();
}, 300_000);
