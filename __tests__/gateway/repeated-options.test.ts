import { describe, expect, test } from 'vitest';
import { DOCTOR_USAGE, parseCommandLine, parseDoctorLine, USAGE } from '../../src/gateway/command-line.js';
import { INIT_USAGE, runInitCommand } from '../../src/gateway/init-command.js';
import { KEY_USAGE, runKeyCommand } from '../../src/gateway/key-command.js';
import { runRulesCommand } from '../../src/gateway/rules-command.js';
import { runSchemaCommand, SCHEMA_USAGE } from '../../src/gateway/schema-command.js';

interface Subcommand {
  readonly run: (args: readonly string[]) => unknown;
  readonly usage: string;
  readonly help: string;
  /** The words before its options. */
  readonly words?: readonly string[];
}

const schemaIn = new URL('file:///nowhere/');
const COMMANDS: Readonly<Record<string, Subcommand>> = {
  '': { run: parseCommandLine, usage: USAGE, help: 'express-mcp-auth --help' },
  doctor: { run: parseDoctorLine, usage: DOCTOR_USAGE, help: 'express-mcp-auth doctor --help' },
  rules: {
    run: runRulesCommand,
    usage: runRulesCommand(['--help']).lines.join('\n'),
    help: 'express-mcp-auth rules --help',
    words: ['test'],
  },
  key: { run: runKeyCommand, usage: KEY_USAGE, help: 'express-mcp-auth key --help', words: ['create'] },
  init: { run: runInitCommand, usage: INIT_USAGE, help: 'express-mcp-auth init --help' },
  schema: {
    run: (args) => runSchemaCommand(args, schemaIn),
    usage: SCHEMA_USAGE,
    help: 'express-mcp-auth schema --help',
  },
};

/** Options that may be there several times: each value counts. */
const MULTIPLE = ['--ignore', '--call'];

/** The options with a value: the lines of the usage have a word in capitals after them. */
function optionsIn(usage: string): readonly string[] {
  const lines = usage.split('\n').filter((line) => /^ +(?! |express-mcp-auth)/.test(line));
  const found = [...lines.join('\n').matchAll(/(--[a-z][a-z-]*) [A-Z]/g)].map(([, option]) => option as string);
  return [...new Set(found)].filter((option) => !MULTIPLE.includes(option));
}

const rows = Object.entries(COMMANDS).flatMap(([name, { usage }]) => optionsIn(usage).map((option) => [name, option]));

describe('an option that is given twice is refused:', () => {
  test.each(rows)('%s %s', (name, option) => {
    const { run, help, words = [] } = COMMANDS[name as string] as Subcommand;
    const args = [...words, option as string, 'none-1', option as string, 'none-2'];
    expect(() => run(args)).toThrow(`${option} is given twice. See ${help}.`);
  });

  test.each([
    ['', ['-f', 'a', '--file', 'b'], '--file'],
    ['', ['--file=a', '-fb'], '-f'],
    ['doctor', ['-f', 'a', '-f', 'b'], '-f'],
    ['rules', ['test', '-f', 'a', '-f', 'b'], '-f'],
    ['init', ['-f', 'a', '-f', 'b'], '-f'],
  ])('%s %j', (name, args, option) => {
    const { run, help } = COMMANDS[name] as Subcommand;
    expect(() => run(args)).toThrow(`${option} is given twice. See ${help}.`);
  });
});

test('the table has the options of every command', () => {
  expect(rows.map((row) => row.join(' '))).toEqual(
    expect.arrayContaining([' --host', ' --admin', 'doctor --token', 'rules --as', 'key --scopes', 'init --file']),
  );
});

test('--help is shown whatever else is given twice', () => {
  expect(parseDoctorLine(['--help', '-f', 'a', '-f', 'b'])).toBeUndefined();
});
