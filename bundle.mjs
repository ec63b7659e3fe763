import { cp } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { build } from 'rolldown';

/**
 * For `require()`: each entry gets a CommonJS file that hands out the ES module, so that there is one copy of everything, and
 * declarations that take everything from those of the ES module. TypeScript forbids CommonJS files an ES module's (TS1479), for
 * all that Node can require() it.
 */
const commonjsEntries = {
  name: 'commonjs-entries',
  generateBundle(_options, bundle) {
    for (const { isEntry, exports, fileName } of Object.values(bundle)) {
      if (!isEntry || fileName === 'gateway/cli.js') continue;
      const entry = fileName.replace(/\.js$/, '');
      const source = `module.exports = require('./${basename(fileName)}');\n`;
      this.emitFile({ type: 'asset', fileName: `${entry}.cjs`, source });
      this.emitFile({ type: 'asset', fileName: `${entry}.d.cts`, source: declarationsOf(entry, exports) });
    }
  },
};

function declarationsOf(entry, names) {
  const file = `'./${basename(entry)}.js'`;
  const mode = `with { 'resolution-mode': 'import' }`;
  const imported = (name) => `import(${file}, { with: { 'resolution-mode': 'import' } }).${name}`;
  const lines = names.flatMap((name) => [
    `export declare const ${name}: typeof ${imported(name)};`,
    // The instances of a class have its name.
    ...(/^[A-Z]/.test(name) ? [`export type ${name} = ${imported(name)};`] : []),
  ]);
  return [`export type * from ${file} ${mode};`, ...lines, ''].join('\n');
}

/**
 * The published JavaScript: few files, since Node takes longer to find 140 of them than to run what is in them. Types come from
 * tsc, file by file. Packages stay packages, so that an application shares them and updates them.
 *
 * Not a configuration of the command `rolldown`, which lists every file that it writes, whatever the log level.
 */
await build({
  input: {
    index: 'src/index.ts',
    express: 'src/express.ts',
    'store/redis': 'src/store/redis.ts',
    'telemetry/opentelemetry/index': 'src/telemetry/opentelemetry/index.ts',
    'testing/index': 'src/testing/index.ts',
    'admin/index': 'src/admin/index.ts',
    'gateway/cli': 'src/gateway/start.ts',
  },
  plugins: [commonjsEntries],
  logLevel: 'warn',
  platform: 'node',
  external: /^[^./]/,
  tsconfig: 'tsconfig.build.json',
  resolve: { extensionAlias: { '.js': ['.ts'] } },
  // Comments are in the declarations, where editors show them; here they are only parsed.
  output: { dir: 'dist', cleanDir: true, chunkFileNames: 'chunks/[name].js', comments: false },
});

// The files of the admin page are for browsers, and are served as they are. Its types and its tsconfig stay here.
const served = ['', '.html', '.css', '.js'];
await cp('src/admin/page', 'dist/admin/page', { recursive: true, filter: (path) => served.includes(extname(path)) });
