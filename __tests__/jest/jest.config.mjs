// These packages are ES modules, which Jest cannot require() before Node 24.9. Babel turns them into CommonJS.
const esModules = '/node_modules/(?:jose|express-mcp-auth|leven|@marcbachmann/cel-js)/';

export default {
  transform: { [esModules]: ['babel-jest', { presets: [['@babel/preset-env', { targets: { node: 'current' } }]] }] },
  transformIgnorePatterns: [`^(?!.*${esModules})`],
  testTimeout: 60_000, // the first test waits for Babel
};
