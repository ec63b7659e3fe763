import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ROOT } from '../support/program.js';

const contributing = readFileSync(`${ROOT}CONTRIBUTING.md`, 'utf8');
const [, tree = ''] = /^src\/$([\s\S]*?)^__tests__/m.exec(contributing) ?? [];

/** `├── room/` names a room, and `│   ├── inner/` below it one inside. */
function roomsIn(text: string): string[] {
  let room = '';
  return text.split('\n').flatMap((line) => {
    const [, indent = '', name] = /^([│ ]*)[├└]── ([a-z-]+\/)/.exec(line) ?? [];
    if (name === undefined) return [];
    if (indent === '') room = name;
    return [indent === '' ? room : room + name];
  });
}

test('the tree names every room of src/, and none that is not there', () => {
  const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'src'], { cwd: ROOT });
  const folders = tracked
    .toString()
    .trim()
    .split('\n')
    .map((file) => file.slice('src/'.length, file.lastIndexOf('/') + 1))
    .filter((folder) => folder !== '');
  const rooms = new Set(folders.flatMap((folder) => [folder, folder.replace(/(?<=\/).*$/, '')]));
  expect(roomsIn(tree).toSorted()).toEqual([...rooms].toSorted());
});

const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'docs/errors.md',
  'docs/providers.md',
  'docs/sessions.md',
  'docs/testing.md',
];

test.each([...PAGES, 'docs/design.md', 'docs/conventions.md', '.ci/run', '.ci/more'])(
  'every script and file that %s names is there',
  (file) => {
    const text = readFileSync(ROOT + file, 'utf8');
    const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { scripts: Record<string, string> };
    const named = [...text.matchAll(/npm run (?:-s )?([\w:]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
    const folder = `${ROOT}${file.includes('/') ? file.slice(0, file.lastIndexOf('/')) : ''}/`;
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path = '']) => path);
    expect(links.filter((path) => !existsSync(folder + path))).toEqual([]);
  },
);

test('CONTRIBUTING.md says of every test helper what it makes, and of none that is not there', () => {
  const [, section = ''] = /^## Where a test goes$([\s\S]*?)^## /m.exec(contributing) ?? [];
  const named = [...section.matchAll(/^\| `([\w.-]+)` \| \S/gm)].map(([, file]) => file);
  expect(named).toEqual(readdirSync(`${ROOT}__tests__/support`).toSorted());
});
