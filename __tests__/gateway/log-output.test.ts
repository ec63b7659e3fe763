import { describe, expect, test } from 'vitest';
import { runOutsideRequest, runWithFields } from '../../src/core/log-fields.js';
import { createNamedLogger, createSafeLogger, withFields } from '../../src/core/logger.js';
import { parseCommandLine } from '../../src/gateway/command-line.js';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createLogOutput } from '../../src/gateway/log-output.js';
import type { LogSettings } from '../../src/gateway/log-settings.js';
import { configText } from '../support/config-text.js';
import { refusal, scripted } from '../support/file-gateway.js';

function createOutput(settings: LogSettings) {
  const written: string[] = [];
  const streams = {
    out: (line: string) => written.push(`out ${line}`),
    err: (line: string) => written.push(`err ${line}`),
  };
  return { ...createLogOutput(settings, streams), written };
}

/** The lines as objects, without their times. */
const parsed = (written: readonly string[]) =>
  written.map((line) => {
    const { time, ...others } = JSON.parse(line.slice(4)) as { time: string };
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    return { stream: line.slice(0, 3), ...others };
  });

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

describe('text', () => {
  test('is as agentgateway writes it, and is the default', () => {
    const { logger, fail, written } = createOutput({});
    for (const level of LEVELS) logger[level](`a ${level}`);
    withFields(logger, { route: 'mcp' }).info('of a route');
    runWithFields({ requestId: 'r1' }, () => logger.info('of a request'));
    fail('no file');
    expect(written).toEqual([
      'out INFO express-mcp-auth: a info',
      'err WARN express-mcp-auth: a warn',
      'err ERROR express-mcp-auth: a error',
      'out INFO express-mcp-auth: of a route',
      'out INFO express-mcp-auth: of a request',
      'err express-mcp-auth: no file',
    ]);
  });
});

test.each<[LogSettings, string]>([
  [{}, 'out config.yaml is valid'],
  [{ level: 'error' }, 'out config.yaml is valid'],
])('the success of a check is a line of its own with %j', (settings, line) => {
  const { succeed, written } = createOutput(settings);
  succeed('config.yaml is valid');
  expect(written).toEqual([line]);
});

describe('json', () => {
  test('has the success of a check at every level', () => {
    const { succeed, written } = createOutput({ format: 'json', level: 'error' });
    succeed('config.yaml is valid');
    expect(parsed(written)).toEqual([{ stream: 'out', level: 'info', message: 'config.yaml is valid' }]);
  });

  test('is one object a line, whatever the text', () => {
    const { logger, fail, written } = createOutput({ format: 'json' });
    logger.info('two\nlines, "quotes" and \u2028');
    logger.warn('careful');
    fail('no file');
    expect(written.join('').match(/[\n\r\u2028]/)).toBeNull();
    expect(parsed(written)).toEqual([
      { stream: 'out', level: 'info', message: 'two\\u000alines, "quotes" and \\u2028' },
      { stream: 'err', level: 'warn', message: 'careful' },
      { stream: 'err', level: 'error', message: 'no file' },
    ]);
  });

  test('has the fields that are known, also through loggers that wrap it, and after a request has waited', async () => {
    const { logger, written } = createOutput({ format: 'json' });
    const ofRoute = createNamedLogger('backend', createSafeLogger(withFields(logger, { route: 'mcp' })));
    await new Promise<void>((resolve) => {
      runWithFields({ requestId: 'r1' }, () => {
        ofRoute.info('at once');
        setImmediate(() => {
          withFields(ofRoute, { code: 'x' }).info('later');
          runOutsideRequest(() => ofRoute.info('a child'));
          resolve();
        });
      });
    });
    logger.info('about the command');
    expect(parsed(written)).toEqual([
      { stream: 'out', level: 'info', message: 'backend: at once', route: 'mcp', requestId: 'r1' },
      { stream: 'out', level: 'info', message: 'backend: later', route: 'mcp', code: 'x', requestId: 'r1' },
      { stream: 'out', level: 'info', message: 'backend: a child', route: 'mcp' },
      { stream: 'out', level: 'info', message: 'about the command' },
    ]);
  });
});

test.each(LEVELS)('the level %s leaves out the lines below it', (level) => {
  const { logger, written } = createOutput({ level, format: 'json' });
  for (const each of LEVELS) logger[each](each);
  expect(parsed(written).map((line) => line)).toMatchObject(
    LEVELS.slice(LEVELS.indexOf(level)).map((each) => ({ level: each })),
  );
});

describe('the settings', () => {
  const commandLine = (...args: string[]) => parseCommandLine(['-f', 'x', ...args]);

  test('come from the command line', () => {
    expect(commandLine()).toMatchObject({ logging: {} });
    expect(commandLine('--log', 'json', '--log-level', 'debug')).toMatchObject({
      logging: { format: 'json', level: 'debug' },
    });
  });

  test.each([
    [['--log', 'yaml'], '--log must be one of text, json'],
    [['--log', ''], '--log must be one of text, json'],
    [['--log-level', 'trace'], '--log-level must be one of debug, info, warn, error'],
  ])('%j is refused', (args, message) => {
    expect(() => commandLine(...args)).toThrow(message);
  });

  const file = (logging: unknown) => ({ config: { logging }, mcp: { targets: [scripted('only')] } });

  test('come from config.logging of the file', () => {
    const config = parseConfigFile(
      configText({ root: { config: { logging: { level: 'warn', format: 'json' } } } }),
      '/',
    );
    expect(config.logging).toEqual({ level: 'warn', format: 'json' });
  });

  test.each([
    [
      { level: 'info,agent_core=trace' },
      'config.logging.level must be one of debug, info, warn, error, but is "info,agent_core=trace"',
    ],
    [{ level: ['info'] }, 'config.logging.level must be one of debug, info, warn, error, but is a list'],
    [{ format: 'yaml' }, 'config.logging.format must be one of text, json, but is "yaml"'],
    [{ filter: 'true' }, 'config.logging.filter is not supported: '],
    [{ fields: {} }, 'config.logging.fields is not supported: '],
    [{ database: {} }, 'Or start without it: --ignore database.'],
    [{ lvel: 'info' }, 'config.logging.lvel is not supported. Did you mean "level"?'],
  ])('%j in the file is refused', (logging, message) => {
    expect(refusal(file(logging))).toContain(message);
  });
});
