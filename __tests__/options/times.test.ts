import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MAX_TIMER_MS, MAX_TIMER_SECONDS } from '../../src/core/max-timer.js';
import { everyMapping, WHOLE_FILE } from '../../src/gateway/schema/mappings.js';
import { TIME } from '../../src/gateway/schema/value-forms.js';
import { createChecks } from '../../src/options/checks.js';
import type { OptionRow } from '../../src/options/option-table.js';
import { refusal, scripted } from '../support/file-gateway.js';

const SOURCES = join(import.meta.dirname, '../../src');

/** The rows of every option table of the package whose names end with the unit of a time. */
async function timesOfTables(): Promise<[name: string, row: OptionRow][]> {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && /export const \w+_TABLE\b/.test(readFileSync(join(SOURCES, file), 'utf8')),
  );
  const modules: object[] = await Promise.all(files.map((file) => import(join(SOURCES, file))));
  const tables = modules.flatMap((module) => Object.entries(module).filter(([name]) => name.endsWith('_TABLE')));
  const rows = tables.flatMap(([, table]) => Object.entries(table as Record<string, OptionRow>));
  return rows.filter(([name]) => /(?:Seconds|Ms)$/.test(name));
}

const TIMERS: ReadonlyMap<string, number> = new Map([
  ['backoffMs', MAX_TIMER_MS],
  ['connectTimeoutSeconds', MAX_TIMER_SECONDS],
  ['requestTimeoutSeconds', MAX_TIMER_SECONDS],
  ['responseTimeoutSeconds', MAX_TIMER_SECONDS],
  ['startTimeoutSeconds', MAX_TIMER_SECONDS],
]);
/** They are compared with a clock. */
const OTHERS = [
  'clockToleranceSeconds',
  'expiryGraceSeconds',
  'idleTimeoutSeconds',
  'maxAgeSeconds',
  'staleIfErrorSeconds',
];

test('every option that is a time either has the maximum of a timer, or is no timer', async () => {
  const rows = await timesOfTables();
  expect([...new Set(rows.map(([name]) => name))].toSorted()).toEqual([...TIMERS.keys(), ...OTHERS].toSorted());
  for (const [name, row] of rows) {
    const max = TIMERS.get(name);
    const read = (value: number) => row.read(createChecks('f()'), value, name);
    expect(read(max ?? 10 * MAX_TIMER_MS)).toBe(max ?? 10 * MAX_TIMER_MS);
    if (max === undefined) continue;
    expect(() => read(max + 1)).toThrow(`f(): option "${name}" must be at most ${max}, but got ${max + 1}.`);
  }
});

const withPolicy = (policies: object) => ({ mcp: { port: 0, targets: [scripted('one')], policies } });
const withSetting = (name: string) => ({ config: { [name]: '600h' }, ...withPolicy({}) });
const jwtSign = { signingKey: 'x', ttl: '600h' };
const withTarget = (backendAuth: object) => ({
  mcp: { port: 0, targets: [{ name: 'one', mcp: { host: 'http://localhost:1/mcp' }, policies: { backendAuth } }] },
});

/** For each time of the file, one of 25 days, and the end of the refusal; undefined if it is no timer. */
const FILES: Readonly<Record<string, readonly [file: object, message: string | undefined]>> = {
  'timeout.requestTimeout': [withPolicy({ timeout: { requestTimeout: '600h' } }), 'at most 24 days'],
  'timeout.backendRequestTimeout': [withPolicy({ timeout: { backendRequestTimeout: '600h' } }), 'at most 24 days'],
  'retry.backoff': [withPolicy({ retry: { codes: [503], backoff: '600h' } }), 'at most an hour'],
  'config.connectionTerminationDeadline': [withSetting('connectionTerminationDeadline'), 'from 0s to 3600s'],
  'config.connectionMinTerminationDeadline': [withSetting('connectionMinTerminationDeadline'), 'from 0s to 3600s'],
  'config.keepAliveTimeout': [withSetting('keepAliveTimeout'), 'from 1s to 86400s'],
  'config.headersTimeout': [withSetting('headersTimeout'), 'from 1s to 86400s'],
  'config.requestTimeout': [withSetting('requestTimeout'), 'from 1s to 86400s'],
  'cors.maxAge': [withPolicy({ cors: { allowOrigins: ['https://a.example'], maxAge: '600h' } }), undefined],
  'jwtSign.ttl': [withTarget({ jwtSign }), undefined],
  'config.mcp.sessionTtl': [{ config: { mcp: { sessionTtl: '600h' } }, ...withPolicy({}) }, undefined],
};

describe('a time of the file', () => {
  test('is in this table', () => {
    const times = [...everyMapping(WHOLE_FILE)].flatMap(([mapping, { members }]) =>
      Object.entries(members).flatMap(([name, { type }]) => (type === TIME ? [`${mapping}.${name}`] : [])),
    );
    expect(times.toSorted()).toEqual(Object.keys(FILES).toSorted());
  });

  test.each<[name: string, at: string, fileOf: (time: string) => object]>([
    [
      'timeout.backendRequestTimeout',
      'mcp.policies',
      (time) => withPolicy({ timeout: { backendRequestTimeout: time } }),
    ],
    ['jwtSign.ttl', 'mcp.targets[0].policies.backendAuth', (ttl) => withTarget({ jwtSign: { signingKey: 'x', ttl } })],
    ['mcp.sessionTtl', 'config', (sessionTtl) => ({ config: { mcp: { sessionTtl } }, ...withPolicy({}) })],
  ])('that is measured in seconds is not rounded: %s', (name, at, fileOf) => {
    expect(refusal(fileOf('1500ms'))).toBe(`${at}.${name} must be whole seconds, such as "2s", but is "1500ms"`);
    expect(refusal(fileOf('0.1s'))).toBe(`${at}.${name} must be whole seconds, such as "1s", but is "0.1s"`);
    expect(() => refusal(fileOf('2000ms'))).toThrow('the file was accepted');
  });

  test.each<[name: string, message: string, fileOf: (time: string) => object]>([
    ['jwtSign.ttl', 'at least one second', (ttl) => withTarget({ jwtSign: { signingKey: 'x', ttl } })],
    ['mcp.sessionTtl', 'at least one second', (sessionTtl) => ({ config: { mcp: { sessionTtl } }, ...withPolicy({}) })],
    ['keepAliveTimeout', 'from 1s to 86400s', (time) => ({ config: { keepAliveTimeout: time }, ...withPolicy({}) })],
  ])('that cannot be zero is refused: %s', (_name, message, fileOf) => {
    expect(refusal(fileOf('0s'))).toContain(message);
  });

  test.each(Object.entries(FILES))('of 25 days: %s', (_name, [file, message]) => {
    if (message === undefined) expect(() => refusal(file)).toThrow('the file was accepted');
    else expect(refusal(file)).toContain(message);
  });
});
