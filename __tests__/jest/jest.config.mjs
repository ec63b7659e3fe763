// jwks-rsa require()s jose, which is an ES module. From Node 24.9 on Jest does that by itself, and this needs no
// configuration; before, Babel has to make a CommonJS module of jose where it is require()d.
export default {
  // Jest would take every file below __tests__ for a suite, run.mjs too, which starts Jest.
  testMatch: ['<rootDir>/build/*.test.js'],
  transform: {
    '/node_modules/jose/': ['babel-jest', { presets: [['@babel/preset-env', { targets: { node: 'current' } }]] }],
  },
  transformIgnorePatterns: ['/node_modules/(?!jose/)'],
};
