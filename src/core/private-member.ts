/** A value that objects carry as a private member. No other code can read it, change it, or see that it is there. */
export interface PrivateMember<T> {
  isIn(object: object): boolean;
  get(object: object): T | undefined;
  /** Call it before the object is frozen: a later version of JavaScript forbids adding a private member after that. */
  set(object: object, value: T): void;
}

/**
 * Creates a private member of objects that exist already. A `WeakMap` would do, but it costs more for each new object, above all in the garbage
 * collector, which takes everything that a `WeakMap` contains as alive until it has looked at old objects too.
 */
export function createPrivateMember<T>(): PrivateMember<T> {
  /** `new WithValue(object, value)` creates no object: it adds `#value` to `object`, as {@link GivenObject} says. */
  class WithValue extends GivenObject {
    #value: T;

    private constructor(object: object, value: T) {
      super(object);
      this.#value = value;
    }

    static isIn(object: object): boolean {
      return #value in object;
    }

    static get(object: object): T | undefined {
      return #value in object ? object.#value : undefined;
    }

    static set(object: object, value: T): void {
      if (#value in object) object.#value = value;
      else new WithValue(object, value);
    }
  }

  return { isIn: WithValue.isIn, get: WithValue.get, set: WithValue.set };
}

/**
 * A base class whose constructor returns its argument in place of a new object. JavaScript adds the private members of a subclass to the object
 * that the base class returns, so this is the way to add one to an object that exists. Only code inside the subclass can see such a member.
 */
const GivenObject = returnGiven as unknown as new (object: object) => object;

function returnGiven(object: object): object {
  return object;
}
