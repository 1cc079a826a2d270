// What a decoder must stand: cut short, made longer, bits changed, lengths that lie. For the tests of core/format.

import assert from "node:assert/strict";
import { isOurError } from "../../core/errors.js";

export type Decode = (bytes: Uint8Array) => unknown;

/** The code with which `decode` refuses, or undefined when it accepts. Any other error than ours fails the test. */
export function refusal(decode: Decode, bytes: Uint8Array, about = ""): string | undefined {
  try {
    decode(bytes);
    return undefined;
  } catch (error) {
    assert.ok(isOurError(error), `${about}: ${String(error)}`);
    return error.code;
  }
}

/** Every proper prefix, and the whole with one byte more, is refused. */
export function assertExactLength(decode: Decode, bytes: Uint8Array): void {
  for (let length = 0; length < bytes.length; length++) {
    assert.ok(refusal(decode, bytes.slice(0, length), `cut to ${length}`), `cut to ${length} bytes: accepted`);
  }
  const longer = new Uint8Array(bytes.length + 1);
  longer.set(bytes);
  assert.ok(refusal(decode, longer, "one more"), "one byte more: accepted");
}

/** Every single changed bit is refused, except at the places in `free`. */
export function assertEveryBitMatters(decode: Decode, bytes: Uint8Array, free: (at: number) => boolean = () => false) {
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const at = bit >> 3;
    const changed = bytes.slice();
    changed[at]! ^= 1 << (bit & 7);
    const code = refusal(decode, changed, `bit ${bit & 7} of byte ${at}`);
    assert.ok(code !== undefined || free(at), `bit ${bit & 7} of byte ${at}: accepted`);
  }
}

/** No changed bit makes the decoder throw something else than an error of ours, or take a noticeable amount of memory. */
export function assertSurvivesEveryBit(decode: Decode, bytes: Uint8Array): void {
  assertMemoryBound(1 << 20, () => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = bytes.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      refusal(decode, changed, `bit ${bit & 7} of byte ${bit >> 3}`);
    }
  });
}

/**
 * Fails when one buffer of more than `limit` bytes is made meanwhile. Watches the constructors, because memory that was
 * reserved and given back at once is not seen in any measurement afterwards.
 */
export function assertMemoryBound(limit: number, during: () => void): void {
  const originals = { Uint8Array, Uint32Array, ArrayBuffer };
  let largest = 0;
  const watch = <T extends new (...given: never[]) => object>(type: T, unit: number): T =>
    new Proxy(type, {
      construct(target, given: unknown[], newTarget) {
        if (typeof given[0] === "number") largest = Math.max(largest, given[0] * unit);
        return Reflect.construct(target, given, newTarget) as object;
      },
    });
  Object.assign(globalThis, {
    Uint8Array: watch(Uint8Array, 1),
    Uint32Array: watch(Uint32Array, 4),
    ArrayBuffer: watch(ArrayBuffer, 1),
  });
  try {
    during();
  } finally {
    Object.assign(globalThis, originals);
  }
  assert.ok(largest <= limit, `a buffer of ${largest} bytes was made, at most ${limit} are bearable`);
}

/** Hex without the spaces and line ends that make it readable. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replace(/\s+/g, ""), "hex"));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

/** The bytes with a little-endian u32 in their place. */
export function withU32(bytes: Uint8Array, offset: number, value: number): Uint8Array {
  const changed = bytes.slice();
  new DataView(changed.buffer).setUint32(offset, value, true);
  return changed;
}
