// Reading and writing little-endian fields with bounds. A read past the end is a FormatError with its offset, never an
// undefined value.

import { RepriseError } from "../errors.js";

// The pure rooms type-check without DOM and Node types; these two globals exist in every runtime we support.
declare const TextEncoder: new () => { encode(text: string): Uint8Array };
declare const TextDecoder: new (
  label: string,
  options: { fatal: boolean; ignoreBOM: boolean },
) => { decode(bytes: Uint8Array): string };

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function encodeText(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Strict UTF-8: FORMAT_INVALID when the bytes are not. */
export function decodeText(bytes: Uint8Array, what: string): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw formatError(what, "not valid UTF-8", { cause });
  }
}

export function formatError(
  what: string,
  problem: string,
  details: { offset?: number; cause?: unknown; data?: Record<string, unknown> } = {},
): RepriseError {
  const at = details.offset === undefined ? "" : ` at byte ${details.offset}`;
  return new RepriseError("format", "FORMAT_INVALID", `${what}: ${problem}${at}`, {
    data: { what, ...(details.offset === undefined ? {} : { offset: details.offset }), ...details.data },
    hint: "the object is damaged or was written by something else; run verify",
    cause: details.cause,
  });
}

export function unsupportedVersion(what: string, version: unknown): RepriseError {
  return new RepriseError("unsupported", "UNSUPPORTED_VERSION", `${what}: version ${String(version)} is not known`, {
    data: { what, version },
    hint: "a newer release of reprise wrote it; upgrade to read this repository",
  });
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;
  #offset = 0;

  /** `what` names the structure in errors. */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** As a bigint: checksums. */
  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /** As a number: sizes and offsets; above 2^53 − 1 is an error. */
  size(): number {
    const value = this.u64();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) this.fail(`number ${value} is too large`);
    return Number(value);
  }

  /** A view into the input, not a copy. */
  bytes(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  expectMagic(magic: Uint8Array): void {
    const at = this.#offset;
    if (!equalBytes(this.bytes(magic.length), magic)) throw formatError(this.#what, "wrong magic", { offset: at });
  }

  expectEnd(): void {
    if (this.remaining !== 0) this.fail(`${this.remaining} bytes after the end`);
  }

  fail(problem: string): never {
    throw formatError(this.#what, problem, { offset: this.#offset });
  }

  #take(length: number): number {
    const start = this.#offset;
    if (length < 0 || length > this.#bytes.length - start) {
      this.fail(`needs ${length} more bytes, has ${this.#bytes.length - start}`);
    }
    this.#offset = start + length;
    return start;
  }
}

/** Writes fields into a buffer of exactly the size that was asked for. */
export class ByteWriter {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.#view = new DataView(this.bytes.buffer);
  }

  u8(value: number): void {
    this.#view.setUint8(this.#offset, value);
    this.#offset += 1;
  }

  u16(value: number): void {
    this.#view.setUint16(this.#offset, value, true);
    this.#offset += 2;
  }

  u32(value: number): void {
    this.#view.setUint32(this.#offset, value, true);
    this.#offset += 4;
  }

  u64(value: bigint): void {
    this.#view.setBigUint64(this.#offset, value, true);
    this.#offset += 8;
  }

  size(value: number): void {
    this.u64(BigInt(value));
  }

  put(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.#offset);
    this.#offset += bytes.length;
  }

  /** The finished buffer; an error of ours when it was not filled exactly. */
  finish(): Uint8Array {
    if (this.#offset !== this.bytes.length) {
      throw new RepriseError(
        "invariant",
        "ENCODER_SIZE",
        `encoder wrote ${this.#offset} of ${this.bytes.length} bytes`,
      );
    }
    return this.bytes;
  }
}

/** xxHash64 with seed 0; handed in so that this room needs no library. */
export type Checksum64 = (bytes: Uint8Array) => bigint;
