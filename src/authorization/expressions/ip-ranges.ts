import { BlockList, isIP } from 'node:net';
import { charge, ExpressionFault } from './evaluation.js';

/** Units of work, by measurement. */
const PARSE_UNITS = 12;
const PARSE_V6_UNITS = 10;
const CREATE_RANGE_UNITS = 40;
const SEARCH_RANGE_UNITS = 25;

/** The value of `ip("10.0.0.1")`. */
export class Ip {
  readonly text: string;
  readonly #canonical: string;

  constructor(text: string) {
    charge(PARSE_UNITS);
    const version = isIP(text);
    if (version === 0) throw new ExpressionFault('malformed_text');
    this.text = text;
    this.#canonical = version === 4 ? text : canonicalV6(text);
  }

  /** True for another spelling of the same address too, and for an IPv4 address and the IPv6 address that maps it. */
  equals(other: Ip): boolean {
    return this.#canonical === other.#canonical;
  }
}

/** Returns an IPv6 address without its zone in one spelling; an IPv4 address for one that maps it. */
function canonicalV6(text: string): string {
  charge(PARSE_V6_UNITS);
  const { hostname } = new URL(`http://[${text.replace(/%.*/, '')}]`);
  const [, high, low] = /^\[::ffff:([\da-f]+):([\da-f]+)\]$/.exec(hostname) ?? [];
  if (high === undefined || low === undefined) return hostname;
  return [high, low]
    .map((group) => Number.parseInt(group, 16))
    .flatMap((bits) => [bits >> 8, bits & 255])
    .join('.');
}

/** The value of `cidr("10.0.0.0/8")`. */
export class Cidr {
  readonly #list = new BlockList();

  constructor(text: string) {
    const [, network = '', prefix = ''] = /^([\da-fA-F.:]+)\/(\d{1,3})$/.exec(text) ?? [];
    const version = isIP(network);
    if (version === 0 || Number(prefix) > (version === 4 ? 32 : 128)) throw new ExpressionFault('malformed_text');
    this.#list.addSubnet(network, Number(prefix), familyOf(version));
  }

  contains({ text }: Ip): boolean {
    charge(SEARCH_RANGE_UNITS);
    return this.#list.check(text, familyOf(isIP(text)));
  }
}

function familyOf(version: number): 'ipv4' | 'ipv6' {
  return version === 4 ? 'ipv4' : 'ipv6';
}

/** The ranges that were used last: most are literals, and creating one takes longer than asking it. */
const ranges = new Map<string, Cidr>();
const MAX_RANGES = 100;

/** @throws {ExpressionFault} */
export function cidrOf(text: string): Cidr {
  const known = ranges.get(text);
  if (known !== undefined) return known;
  charge(CREATE_RANGE_UNITS);
  const range = new Cidr(text);
  if (ranges.size >= MAX_RANGES) ranges.clear();
  ranges.set(text, range);
  return range;
}
