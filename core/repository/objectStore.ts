// Sealed objects over a backend: every repository object that is not a pack goes through here.

import { openEnvelope, sealEnvelope } from "../crypto/envelopeSeal.js";
import type { Keyring } from "../crypto/keyring.js";
import { RepriseError } from "../errors.js";
import { equalBytes } from "../format/bytes.js";
import type { EnvelopeKind } from "../format/envelope.js";
import type { Backend, OperationOptions } from "../storage/backend.js";

export class ObjectStore {
  readonly backend: Backend;
  readonly keyring: Keyring | null;
  readonly #refusesOverwriting: boolean;

  /** `refusesOverwriting`: with two roles new objects are put only under free names, so that the storage may insist on it. */
  constructor(backend: Backend, keyring: Keyring | null, { refusesOverwriting = false } = {}) {
    this.backend = backend;
    this.keyring = keyring;
    this.#refusesOverwriting = refusesOverwriting;
  }

  /** The opened payload; OBJECT_NOT_FOUND, or the errors of docs/format/envelope.md. */
  async read(name: string, kind: EnvelopeKind, options?: OperationOptions): Promise<Uint8Array> {
    return this.open(name, kind, await this.backend.get(name, options));
  }

  open(name: string, kind: EnvelopeKind, stored: Uint8Array): Uint8Array {
    return openEnvelope(name, kind, stored, this.keyring);
  }

  seal(name: string, kind: EnvelopeKind, plain: Uint8Array): Uint8Array {
    return sealEnvelope(name, kind, plain, this.keyring);
  }

  async write(name: string, kind: EnvelopeKind, plain: Uint8Array, options?: OperationOptions): Promise<void> {
    await this.backend.put(name, this.#sealChecked(name, kind, plain), options);
  }

  /** An object whose name is used once and for this only. OBJECT_NAME_TAKEN. */
  async writeNew(name: string, kind: EnvelopeKind, plain: Uint8Array, options?: OperationOptions): Promise<void> {
    await this.putNew(name, this.#sealChecked(name, kind, plain), options);
  }

  /** The same for bytes that are not sealed here: packs. */
  async putNew(name: string, bytes: Uint8Array, options?: OperationOptions): Promise<void> {
    if (!this.#refusesOverwriting) return await this.backend.put(name, bytes, options);
    if ((await this.backend.putIfAbsent(name, bytes, options)) === "created") return;
    throw new RepriseError(
      "conflict",
      "OBJECT_NAME_TAKEN",
      `${name}: somebody has put another object under this name`,
      {
        data: { object: name },
        hint: "names are random and used once, so somebody has guessed or copied this one; run it again, and look who can write",
      },
    );
  }

  async writeOnce(
    name: string,
    kind: EnvelopeKind,
    plain: Uint8Array,
    options?: OperationOptions,
  ): Promise<"created" | "exists"> {
    return this.backend.putIfAbsent(name, this.#sealChecked(name, kind, plain), options);
  }

  /** Opens again what was sealed, before it is stored: memory errors and bugs must not become stored errors. */
  #sealChecked(name: string, kind: EnvelopeKind, plain: Uint8Array): Uint8Array {
    const sealed = this.seal(name, kind, plain);
    if (!equalBytes(this.open(name, kind, sealed), plain)) {
      throw new RepriseError("invariant", "SEAL_MISMATCH", `${name}: sealed object does not open to what was sealed`, {
        data: { object: name },
        hint: "suspect this machine's memory; run again elsewhere",
      });
    }
    return sealed;
  }
}
