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

  constructor(backend: Backend, keyring: Keyring | null) {
    this.backend = backend;
    this.keyring = keyring;
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
