import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PinFile } from '../../src/targets/several/pin-file.js';
import { ToolPins } from '../../src/targets/several/pins.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { several } from '../support/several-targets.js';

const { logger } = createRecordingLogger();

async function namesOf(pins: ToolPins, description: string): Promise<{ names: readonly string[]; call: string }> {
  const client = several({ a: { DESCRIPTION: description }, b: {} }, { pins }).connect();
  await client.initialize();
  const { result } = await client.request('tools/list');
  return { names: result.tools.map(({ name }: { name: string }) => name), call: await client.text('a_echo') };
}

test('a tool whose definition changes is hidden and cannot be called, and the log says so', async () => {
  const { lines, logger: recording } = createRecordingLogger();
  const pins = new ToolPins(undefined, recording);
  expect((await namesOf(pins, 'first')).names).toContain('a_echo');
  expect((await namesOf(pins, 'first')).call).toBe('a {}');
  const changed = await namesOf(pins, 'rewritten');
  expect(changed.names.filter((name) => name.startsWith('a_'))).toEqual([]);
  expect(changed.names).toContain('b_echo');
  expect(changed.call).toBe('error Unknown tool');
  expect(lines).toContain('warn the tool a_echo is hidden: its definition has changed since it was first listed (pin)');
  expect((await namesOf(pins, 'first')).call).toBe('a {}');
});

test('a file outlives the process; the tool is shown again once its entry is removed', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'pins-')), 'pins.json');
  await namesOf(new ToolPins(new PinFile(file), logger), 'first');
  const pins = new ToolPins(new PinFile(file), logger);
  expect((await namesOf(pins, 'rewritten')).names).not.toContain('a_echo');
  const table = JSON.parse(readFileSync(file, 'utf8'));
  expect(table.a.echo).toMatch(/^sha256-[\w-]{43}$/);
  delete table.a.echo;
  writeFileSync(file, JSON.stringify(table));
  const { names, call } = await namesOf(pins, 'rewritten');
  expect(names).toContain('a_echo');
  expect(names).not.toContain('a_pid');
  expect(call).toBe('a {}');
  expect(readdirSync(join(file, '..'))).toEqual(['pins.json']);
});
