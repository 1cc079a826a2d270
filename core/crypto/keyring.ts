// Everything derived from a repository's master key: docs/format/encryption.md. Holds secrets: never log or serialise it,
// except to our own worker threads.

import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { configBytesForMac, type RepositoryConfig } from "../format/config.js";
import { KEY_ID_BYTES } from "../format/envelope.js";
import { bytesToHex } from "../format/ids.js";

export const MASTER_KEY_BYTES = 32;

/** The gear table's seed in a repository without encryption (docs/format/encryption.md). */
export const PUBLIC_GEAR_SEED = 0x9e3779b97f4a7c15n;

export class Keyring {
  /** Crosses to worker threads as plain bytes: `new Keyring(master)` on the other side. */
  readonly master: Uint8Array;
  readonly keyId: Uint8Array;
  /** Key of the HMAC that names chunks. */
  readonly chunkIdKey: Uint8Array;
  readonly gearSeed: bigint;

  constructor(master: Uint8Array) {
    this.master = master;
    this.keyId = this.#derive("reprise/key-id/1").subarray(0, KEY_ID_BYTES);
    this.chunkIdKey = this.#derive("reprise/chunk-id/1");
    const gear = this.#derive("reprise/gear/1");
    this.gearSeed = new DataView(gear.buffer, gear.byteOffset).getBigUint64(0, true);
  }

  get keyIdHex(): string {
    return bytesToHex(this.keyId);
  }

  objectKey(salt: Uint8Array): Uint8Array {
    return this.#derive("reprise/object/1", salt);
  }

  packKey(salt: Uint8Array): Uint8Array {
    return this.#derive("reprise/pack/1", salt);
  }

  /** Hex of the MAC over everything in the config but the MAC. */
  configMac(config: RepositoryConfig): string {
    return createHmac("sha256", this.#derive("reprise/config/1")).update(configBytesForMac(config)).digest("hex");
  }

  isConfigMacRight(config: RepositoryConfig): boolean {
    const actual = Buffer.from(config.mac ?? "", "hex");
    const expected = Buffer.from(this.configMac(config), "hex");
    return actual.length === expected.length && timingSafeEqual(actual, expected);
  }

  #derive(info: string, salt: Uint8Array = new Uint8Array(0)): Uint8Array {
    return new Uint8Array(hkdfSync("sha256", this.master, salt, info, 32));
  }
}
