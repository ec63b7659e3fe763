import { expect, test } from 'vitest';
import { type WindowsMachine, windowsProgram } from '../../src/targets/stdio/windows-program.js';

const NODE = 'C:\\Program Files\\nodejs\\node.exe';
const NPX = 'C:\\Program Files\\nodejs\\node_modules\\npm\\bin\\npx-cli.js';
const NPM = 'C:\\Program Files\\nodejs\\node_modules\\npm\\bin\\npm-cli.js';
const ELSEWHERE = 'D:\\tools\\node_modules\\npm\\bin\\npx-cli.js';
const FILES = [
  NPX,
  NPM,
  ELSEWHERE,
  'C:\\Program Files\\nodejs\\npx.cmd',
  'C:\\bin\\uvx.exe',
  'C:\\bin\\tsx.cmd',
  'C:\\bin\\both.cmd',
  'D:\\tools\\both.exe',
  'D:\\tools\\run.bat',
  'C:\\app\\local.cmd',
  'C:\\app\\bin\\start.exe',
];
const MACHINE: WindowsMachine = {
  execPath: NODE,
  path: ['C:\\bin', 'D:\\tools'],
  cwd: 'C:\\app',
  isFile: (name) => FILES.includes(name),
};
const ARGS = ['-y', 'a package', '&calc'];

test.each<[command: string, program: readonly string[] | undefined, machine?: Partial<WindowsMachine>]>([
  ['npx', [NODE, NPX]],
  ['NPX', [NODE, NPX]],
  ['npx.cmd', [NODE, NPX]],
  ['npm', [NODE, NPM]],
  ['C:\\Program Files\\nodejs\\npx.cmd', [NODE, NPX]],
  ['D:\\tools\\npx', [NODE, ELSEWHERE]],
  ['D:/tools/npx.cmd', [NODE, ELSEWHERE]],
  ['node', [NODE]],
  ['node.exe', [NODE]],
  ['D:\\other\\node.exe', ['D:\\other\\node.exe']],
  ['uvx', ['uvx']],
  ['python', ['python']],
  ['.\\bin\\start', ['.\\bin\\start']],
  // Windows looks for both.exe only, wherever it is.
  ['both', ['both']],
  // Another program that has Node in it, such as Electron, is not Node.
  ['npx', ['node', ELSEWHERE], { execPath: 'C:\\app\\app.exe' }],
  ['node', ['node'], { execPath: 'C:\\app\\app.exe' }],
  ['npx', undefined, { isFile: () => false }],
  ['tsx', undefined],
  ['run', undefined],
  ['local', undefined],
  ['tsx.cmd', undefined],
  ['C:\\BIN\\TSX.CMD', undefined],
  ['missing.bat', undefined],
  ['npx.bat', undefined],
])('%s on Windows: row %#', (command, program, machine = {}) => {
  const [started, ...before] = program ?? [];
  expect(windowsProgram({ command, args: ARGS }, { ...MACHINE, ...machine })).toEqual(
    started === undefined ? undefined : { command: started, args: [...before, ...ARGS] },
  );
});
