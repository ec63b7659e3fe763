import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DEFAULT_ADMIN } from '../../src/gateway/config/process-settings.js';
import { describeAddress } from '../../src/gateway/config/server-address.js';
import { instructionsOf, namesInContext } from '../support/dockerfile.js';
import { ROOT } from '../support/program.js';

const instructions = instructionsOf('Dockerfile');
const named = (name: string) => instructions.filter((instruction) => instruction.name === name);
const manifest = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as {
  readonly bin: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};

describe('the Dockerfile', () => {
  test('copies files that are there, and only those that .dockerignore lets in', () => {
    const copied = named('COPY')
      .filter(({ text }) => !text.startsWith('--from'))
      .flatMap(({ text }) => text.split(' ').slice(0, -1));
    expect(copied.filter((file) => !existsSync(ROOT + file))).toEqual([]);
    expect(copied.toSorted()).toEqual(namesInContext().toSorted());
  });

  test('copies from stages what they have made', () => {
    const copies = named('COPY').flatMap(({ text }) => /^--from=build \/build\/(\S+) /.exec(text)?.[1] ?? []);
    expect(copies).toEqual(['package.json', 'node_modules', 'dist']);
  });

  test('calls scripts, packages and programs that are there', () => {
    const commands = named('RUN').map(({ text }) => text);
    const scripts = commands.flatMap((text) => /npm run (?:-s )?(\S+)/.exec(text)?.[1] ?? []);
    expect(scripts).toEqual(['build']);
    expect(Object.keys(manifest.scripts)).toEqual(expect.arrayContaining(scripts));
    expect(manifest.devDependencies).toHaveProperty('redis');
    expect(commands.join('\n')).toContain('devDependencies.redis');
    const { 'express-mcp-auth': file } = manifest.bin;
    expect(commands).toContain(`ln -s /app/${file} /usr/local/bin/express-mcp-auth`);
    expect(named('ENTRYPOINT')).toMatchObject([{ text: '["tini", "--", "express-mcp-auth"]' }]);
  });

  test('copies every file that the build reads', () => {
    const build = manifest.scripts.build ?? '';
    const files = [...build.matchAll(/[\w.]+\.(?:mjs|json)\b/g)].map(([file]) => file);
    expect(files).toEqual(['bundle.mjs', 'tsconfig.build.json']);
    expect(namesInContext()).toEqual(expect.arrayContaining([...files, 'tsconfig.base.json', 'src']));
  });

  test('runs as a user that is not root in every stage that is run, and the last stage has no uv', () => {
    const stages = [...new Set(named('FROM').map(({ stage }) => stage))];
    expect(stages).toEqual(['build', 'runtime', 'uv', 'node']);
    for (const stage of ['runtime', 'uv']) {
      const users = named('USER').filter((user) => user.stage === stage);
      expect(users.at(-1)?.text).toBe('1000:1000');
    }
    expect(named('FROM').at(-1)?.text).toBe('runtime AS node');
  });

  test('checks the health at the address and path that the command has', () => {
    const [check] = named('HEALTHCHECK');
    expect(check?.text).toContain(`http://${describeAddress(DEFAULT_ADMIN)}/healthz`);
  });

  test('runs a Node that the package supports', () => {
    const images = named('FROM').flatMap(({ text }) => /^node:(\d+)-[a-z]+-slim/.exec(text)?.[1] ?? []);
    expect(images).toEqual(['24', '24']);
  });
});
