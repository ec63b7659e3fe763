import { BlockList, isIP } from 'node:net';
import { ExpressionFault } from './evaluation.js';

/** The value of `ip("10.0.0.1")`. */
export class Ip {
  readonly text: string;

  constructor(text: string) {
    if (isIP(text) === 0) throw new ExpressionFault('malformed_text');
    this.text = text;
  }

  /** True for another spelling of the same address too. */
  equals(other: Ip): boolean {
    return this.#isWrittenAs(other) || other.#isWrittenAs(this);
  }

  /** An IPv4 address also matches the IPv6 address that maps it, but not the other way round. */
  #isWrittenAs({ text }: Ip): boolean {
    const list = new BlockList();
    list.addAddress(this.text, familyOf(isIP(this.text)));
    return list.check(text, familyOf(isIP(text)));
  }
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
  const range = new Cidr(text);
  if (ranges.size >= MAX_RANGES) ranges.clear();
  ranges.set(text, range);
  return range;
}
