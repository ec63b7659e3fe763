import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PAGES } from '../support/code-blocks.js';
import { ROOT } from '../support/program.js';

const contributing = readFileSync(`${ROOT}CONTRIBUTING.md`, 'utf8');
const [, tree = ''] = /^src\/$([\s\S]*?)^__tests__/m.exec(contributing) ?? [];

/** `├── outer/` names a directory, and `│   ├── inner/` below it one inside. */
function directoriesIn(text: string): string[] {
  let outer = '';
  return text.split('\n').flatMap((line) => {
    const [, indent = '', name] = /^([│ ]*)[├└]── ([a-z-]+\/)/.exec(line) ?? [];
    if (name === undefined) return [];
    if (indent === '') outer = name;
    return [indent === '' ? outer : outer + name];
  });
}

test('the tree names every directory of src/, and none that is not there', () => {
  const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'src'], { cwd: ROOT });
  const folders = tracked
    .toString()
    .trim()
    .split('\n')
    .map((file) => file.slice('src/'.length, file.lastIndexOf('/') + 1))
    .filter((folder) => folder !== '');
  const directories = new Set(folders.flatMap((folder) => [folder, folder.replace(/(?<=\/).*$/, '')]));
  expect(directoriesIn(tree).toSorted()).toEqual([...directories].toSorted());
});

test.each([...PAGES, 'CONTRIBUTING.md', 'SECURITY.md', '.ci/run', '.ci/more'])(
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
