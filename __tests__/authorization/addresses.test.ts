import { expect, test } from 'vitest';
import { evaluate } from '../support/evaluated-expression.js';

/** Spellings of addresses, one address a row. */
const ADDRESSES = [
  ['10.1.2.3', '::ffff:10.1.2.3', '::FFFF:0a01:0203', '0:0:0:0:0:ffff:a01:203'],
  ['0.0.0.0', '::ffff:0:0', '::ffff:0.0.0.0'],
  ['255.255.255.255', '::ffff:ffff:ffff'],
  ['1.2.3.4', '::ffff:102:304'],
  // IPv4-compatible (RFC 4291, section 2.5.5.1), translated (RFC 2765): other addresses than 1.2.3.4.
  ['::1.2.3.4', '::102:304', '0:0:0:0:0:0:102:304'],
  ['::ffff:0:1.2.3.4', '::ffff:0:102:304'],
  ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
  ['2001:db8::1', '2001:DB8:0:0:0:0:0:1', '2001:0db8::0001', '2001:db8::0:1'],
  ['2001:db8:0:0:1::1', '2001:db8::1:0:0:1'],
  ['fe80::1', 'fe80::1%eth0', 'FE80:0::1%1'],
  ['::', '0::0'],
  ['::1', '0:0:0:0:0:0:0:1'],
];

test.each(ADDRESSES)('of all addresses here, %s equals only its other spellings', (...spellings) => {
  for (const spelling of spellings) {
    const equal = ADDRESSES.flat().filter((other) => evaluate(`ip("${spelling}") in [ip("${other}")]`) === true);
    expect(equal, spelling).toEqual(spellings);
  }
});
