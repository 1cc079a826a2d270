// Key slots of a repository: adding, listing, removing, changing, and opening with a secret.

import { openEnvelope } from "../crypto/envelopeSeal.js";
import type { Keyring } from "../crypto/keyring.js";
import { type KdfCost, type Secret, unwrapMasterKey, wrapMasterKey } from "../crypto/keySlots.js";
import { parseRecoveryKey } from "../crypto/recoveryKey.js";
import { isOurError, RepriseError } from "../errors.js";
import type { RepositoryConfig } from "../format/config.js";
import { baseName, folder, isSid, objectName, type Sid } from "../format/ids.js";
import { decodeKeySlot, encodeKeySlot, type KeySlot } from "../format/keySlot.js";
import type { Backend } from "../storage/backend.js";
import type { Repository } from "./repository.js";
import { requireKeeper } from "./verdicts.js";
import type { OnWarning } from "./warnings.js";

export interface KeySlotSummary {
  slotId: Sid;
  type: "passphrase" | "recovery";
  label: string;
  createdAt: string;
}

/** What the user gave to open a repository. */
export type GivenSecret = { passphrase: string } | { recoveryKey: string };

export async function toSecret(given: GivenSecret): Promise<Secret> {
  return "passphrase" in given ? given : { recoveryKey: parseRecoveryKey(given.recoveryKey) };
}

/** Tries every slot. PASSPHRASE_WRONG when none opens; KEY_SLOTS_MISSING when there is none to try. */
export async function unlock(
  backend: Backend,
  config: RepositoryConfig,
  given: GivenSecret,
  options: { signal?: AbortSignal; onWarning: OnWarning },
): Promise<Keyring> {
  let unreadable = 0;
  const onWarning: OnWarning = (warning) => {
    unreadable++;
    options.onWarning(warning);
  };
  const all = await readSlots(backend, { ...options, onWarning });
  const slots = all.filter((slot) => slot.keyId === config.keyId).sort(byCost);
  if (slots.length === 0) {
    throw new RepriseError(
      "key",
      "KEY_SLOTS_MISSING",
      `${backend.location}: no readable key slot of this repository is left`,
      {
        hint: "restore the keys folder from a copy of the storage; without a key slot the data cannot be decrypted by anybody",
      },
    );
  }
  const secret = await toSecret(given);
  for (const slot of slots) {
    const keyring = await unwrapMasterKey(slot, secret);
    if (keyring && keyring.keyIdHex === config.keyId) return keyring;
  }
  const what = "passphrase" in given ? "passphrase" : "recovery key";
  throw new RepriseError(
    "key",
    "PASSPHRASE_WRONG",
    `${backend.location}: the ${what} opens none of the ${slots.length} key slots`,
    {
      hint:
        unreadable > 0
          ? `${unreadable} more key slots cannot be read, and yours may be one of them: restore the keys folder from a copy, or use the recovery key`
          : "check for another keyboard layout or a trailing space; the recovery key printed at init opens it too",
    },
  );
}

/** Cheap ones first: a slot that somebody made dear must not keep the others from being tried. */
function byCost(a: KeySlot, b: KeySlot): number {
  return costOf(a) - costOf(b);
}

function costOf({ kdf }: KeySlot): number {
  return kdf.name === "scrypt" ? kdf.n * kdf.r * kdf.p : 0;
}

/**
 * CONFIG_FORGED when a repository that calls itself open has key slots: else whoever can write to the storage could make
 * the next backup store everything readable.
 */
export async function refuseDowngrade(
  backend: Backend,
  config: RepositoryConfig,
  options: { signal?: AbortSignal; onWarning: OnWarning },
): Promise<void> {
  const slots = await readSlots(backend, options);
  if (slots.every(({ repositoryId }) => repositoryId !== config.repositoryId)) return;
  throw new RepriseError(
    "corrupt",
    "CONFIG_FORGED",
    `${backend.location}: there are keys, but the config says that nothing is encrypted`,
    {
      data: { object: objectName.config },
      hint: "restore the config object from a copy of the storage; do not back up into this repository",
    },
  );
}

export async function listKeySlots(repository: Repository, onWarning: OnWarning): Promise<KeySlotSummary[]> {
  const slots = await readSlots(repository.backend, { onWarning });
  return slots
    .filter((slot) => slot.keyId === repository.config.keyId)
    .map(({ slotId, type, label, createdAt }) => ({ slotId, type, label, createdAt }));
}

/** Stores a new slot for the repository's master key and opens it once before answering. */
export async function addKeySlot(
  repository: Repository,
  secret: Secret,
  label: string,
  options: { cost?: KdfCost } = {},
): Promise<KeySlotSummary> {
  const keyring = requireKeyring(repository);
  requireKeeper(repository, "adding a key slot");
  const { repositoryId } = repository.config;
  const createdAt = repository.nowIso();
  const slot = await wrapMasterKey(keyring, secret, {
    slotId: repository.newId(),
    repositoryId,
    label,
    createdAt,
    ...options,
  });
  await storeSlot(repository.backend, slot, (bytes) =>
    repository.objects.seal(objectName.keySlot(slot.slotId), "keySlot", bytes),
  );
  return { slotId: slot.slotId, type: slot.type, label, createdAt };
}

/** Removes a slot by id or unique prefix; the last one cannot be removed (KEY_SLOT_LAST). */
export async function removeKeySlot(
  repository: Repository,
  idPrefix: string,
  onWarning: OnWarning,
  { force = false }: { force?: boolean } = {},
): Promise<KeySlotSummary> {
  requireKeyring(repository);
  requireKeeper(repository, "removing a key slot");
  const slots = await listKeySlots(repository, onWarning);
  const found = slots.filter(({ slotId }) => idPrefix !== "" && slotId.startsWith(idPrefix));
  const [slot] = found;
  if (slot === undefined || found.length > 1) {
    throw new RepriseError("usage", "KEY_SLOT_UNKNOWN", `${found.length} key slots start with "${idPrefix}"`, {
      hint: "run key list and give more of the id",
    });
  }
  if (slots.length === 1) {
    throw new RepriseError(
      "usage",
      "KEY_SLOT_LAST",
      "this is the last key slot; without it nobody could open the repository",
      {
        hint: "add another one first (key add)",
      },
    );
  }
  if (!force && slot.type === "recovery" && slots.filter(({ type }) => type === "recovery").length === 1) {
    throw new RepriseError(
      "usage",
      "KEY_SLOT_RECOVERY_LAST",
      "this is the only recovery key; without it a forgotten passphrase is the end of the data",
      { data: { slotId: slot.slotId }, hint: "make another one first (key recovery), or say --force" },
    );
  }
  await repository.backend.delete(objectName.keySlot(slot.slotId));
  return slot;
}

/** Adds the new passphrase's slot, then removes those that the old passphrase opens: at no instant is there none. */
export async function changePassphrase(
  repository: Repository,
  oldPassphrase: string,
  newPassphrase: string,
  options: { cost?: KdfCost; onWarning: OnWarning },
): Promise<{ added: KeySlotSummary; removed: KeySlotSummary[] }> {
  requireKeyring(repository);
  requireKeeper(repository, "changing the passphrase");
  const old: KeySlot[] = [];
  for (const slot of await readSlots(repository.backend, options)) {
    if (slot.type === "passphrase" && (await unwrapMasterKey(slot, { passphrase: oldPassphrase }))) old.push(slot);
  }
  if (old.length === 0) {
    throw new RepriseError("key", "PASSPHRASE_WRONG", "the present passphrase opens no passphrase slot", {
      hint: "when only the recovery key is left, use key add to set a new passphrase",
    });
  }
  const label = old[0]?.label ?? "";
  const added = await addKeySlot(repository, { passphrase: newPassphrase }, label, options);
  for (const slot of old) await repository.backend.delete(objectName.keySlot(slot.slotId));
  return {
    added,
    removed: old.map(({ slotId, type, label: name, createdAt }) => ({ slotId, type, label: name, createdAt })),
  };
}

/** Also used by init, which has no Repository yet. */
export async function storeSlot(
  backend: Backend,
  slot: KeySlot,
  seal: (bytes: Uint8Array) => Uint8Array,
): Promise<void> {
  const name = objectName.keySlot(slot.slotId);
  const outcome = await backend.putIfAbsent(name, seal(encodeKeySlot(slot)));
  if (outcome === "exists") throw new RepriseError("conflict", "KEY_SLOT_TAKEN", `${name}: exists already`);
}

async function readSlots(
  backend: Backend,
  options: { signal?: AbortSignal; onWarning: OnWarning },
): Promise<KeySlot[]> {
  const slots: KeySlot[] = [];
  for await (const { key } of backend.list(folder.keys, options)) {
    if (!isSid(baseName(key))) continue;
    try {
      const slot = decodeKeySlot(openEnvelope(key, "keySlot", await backend.get(key, options), null), key);
      if (objectName.keySlot(slot.slotId) === key) slots.push(slot);
    } catch (error) {
      if (!isOurError(error) || error.family === "backend") throw error;
      options.onWarning({ code: "KEY_SLOT_UNREADABLE", message: error.message, data: { object: key } });
    }
  }
  return slots;
}

function requireKeyring(repository: Repository): Keyring {
  if (repository.keyring) return repository.keyring;
  throw new RepriseError(
    "usage",
    "REPOSITORY_NOT_ENCRYPTED",
    "this repository was made with --no-encryption and has no keys",
    {
      hint: "make a new repository with encryption and sync the snapshots into it",
    },
  );
}
