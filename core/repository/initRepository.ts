// Making a repository. The config is written last and only once: whoever wins that race has made the repository.

import { checkChunkerParams } from "../chunking/chunkerParams.js";
import { sealEnvelope } from "../crypto/envelopeSeal.js";
import type { KeeperKey } from "../crypto/keeperKey.js";
import { Keyring, MASTER_KEY_BYTES } from "../crypto/keyring.js";
import { type KdfCost, wrapMasterKey } from "../crypto/keySlots.js";
import { formatRecoveryKey } from "../crypto/recoveryKey.js";
import { isOurError, RepriseError } from "../errors.js";
import { equalBytes } from "../format/bytes.js";
import type { ChunkerConfig, RepositoryConfig } from "../format/config.js";
import { makeId, objectName } from "../format/ids.js";
import { MAX_PACK_TARGET, MIB, MIN_PACK_TARGET } from "../format/limits.js";
import { loadChecksum } from "../hash/checksum.js";
import type { Backend } from "../storage/backend.js";
import { hasRemains, sealConfig } from "./configObject.js";
import { checkKeeper, type KeeperTrust } from "./keeperTrust.js";
import { storeSlot } from "./keys.js";
import { openWithKeyring } from "./openRepository.js";
import type { Environment, Repository } from "./repository.js";

export const DEFAULT_PACK_BYTES = 16 * MIB;

export interface InitOptions {
  /** Null: --no-encryption. */
  passphrase: string | null;
  chunker: ChunkerConfig;
  packBytes?: number;
  /** With one, the repository has two roles: only who has this key can forget and collect. */
  keeperKey?: KeeperKey;
  /** Where the keeper is remembered; absent: nowhere. */
  trust?: KeeperTrust;
  cost?: KdfCost;
  environment: Environment;
  cacheFolder: string | null;
  /** Contents of RESCUE.md and rescue.mjs, with their digest lines. */
  rescue: { text: Uint8Array; program: Uint8Array };
  signal?: AbortSignal;
}

export interface InitResult {
  repository: Repository;
  /** Text of the recovery key, shown once; null without encryption. */
  recoveryKey: string | null;
}

/** REPOSITORY_EXISTS when the place is taken, also by a concurrent init. */
export async function initRepository(backend: Backend, options: InitOptions): Promise<InitResult> {
  await loadChecksum();
  checkOptions(options);
  await refuseExisting(backend, options.signal);
  const { environment } = options;
  const keyring = options.passphrase === null ? null : new Keyring(environment.random(MASTER_KEY_BYTES));
  const config = makeConfig(keyring, options);
  const { recoveryKey, slotNames } = keyring ? await storeSlots(backend, config, keyring, options) : NO_KEYS;
  const sealed = sealConfig(objectName.config, config);
  if ((await decideConfig(backend, sealed, options.signal)) === "taken") {
    for (const name of slotNames) await backend.delete(name);
    throw alreadyExists(backend);
  }
  await backend.put(objectName.configCopy, sealConfig(objectName.configCopy, config), options);
  const repository = openWithKeyring(backend, config, keyring, options);
  if (options.trust)
    await checkKeeper({ location: backend.location, config, keeperKey: repository.keeperKey }, options.trust, () => {});
  await backend.put(objectName.rescueProgram, options.rescue.program, options);
  await backend.put(objectName.rescueText, options.rescue.text, options);
  return { repository, recoveryKey };
}

const CONFIG_TRIES = 3;

/** A lost answer must not turn a repository that was made into an error: its recovery key would never be shown. */
async function decideConfig(
  backend: Backend,
  sealed: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<"made" | "taken"> {
  for (let attempt = 1; ; attempt++) {
    try {
      if ((await backend.putIfAbsent(objectName.config, sealed, { signal })) === "created") return "made";
      return equalBytes(await backend.get(objectName.config, { signal }), sealed) ? "made" : "taken";
    } catch (error) {
      if (attempt === CONFIG_TRIES || !isOurError(error) || error.retry !== "later") throw error;
    }
  }
}

const NO_KEYS = { recoveryKey: null, slotNames: [] as string[] };

function checkOptions(options: InitOptions): void {
  checkChunkerParams(options.chunker);
  const packBytes = options.packBytes ?? DEFAULT_PACK_BYTES;
  if (!Number.isInteger(packBytes) || packBytes < MIN_PACK_TARGET || packBytes > MAX_PACK_TARGET) {
    throw new RepriseError("usage", "PACK_SIZE_INVALID", `pack size ${packBytes} is not between 1 MiB and 64 MiB`);
  }
  if (options.passphrase !== null && options.passphrase.length === 0) {
    throw new RepriseError("usage", "PASSPHRASE_EMPTY", "an empty passphrase protects nothing", {
      hint: "choose a passphrase, or say --no-encryption",
    });
  }
}

async function refuseExisting(backend: Backend, signal: AbortSignal | undefined): Promise<void> {
  try {
    await backend.stat(objectName.config, { signal });
  } catch (error) {
    if (!isOurError(error, "OBJECT_NOT_FOUND")) throw error;
    return refuseRemains(backend, signal);
  }
  throw alreadyExists(backend);
}

/** A repository that has lost its config must not get a new key over its old data. Keys alone are a killed init's. */
async function refuseRemains(backend: Backend, signal: AbortSignal | undefined): Promise<void> {
  if (!(await hasRemains(backend, { signal }))) return;
  throw new RepriseError(
    "conflict",
    "REPOSITORY_REMAINS",
    `${backend.location}: there are packs or snapshots, but no config`,
    {
      data: { object: objectName.config },
      hint: "restore the config object from a copy, or read the snapshots with rescue.mjs; init would lock the old data away",
    },
  );
}

function makeConfig(keyring: Keyring | null, options: InitOptions): RepositoryConfig {
  const { environment } = options;
  const { minBytes, averageBytes, maxBytes, segmentBytes } = options.chunker;
  const config: RepositoryConfig = {
    repositoryId: makeId(environment.random(16)),
    createdAt: new Date(environment.now()).toISOString(),
    encryption: keyring ? "aes-256-gcm" : "none",
    keyId: keyring?.keyIdHex ?? null,
    chunker: { minBytes, averageBytes, maxBytes, segmentBytes },
    packBytes: options.packBytes ?? DEFAULT_PACK_BYTES,
    keeper: options.keeperKey?.publicKey ?? null,
    mac: null,
  };
  return keyring ? { ...config, mac: keyring.configMac(config) } : config;
}

/** The passphrase's slot and the recovery key's slot. */
async function storeSlots(
  backend: Backend,
  config: RepositoryConfig,
  keyring: Keyring,
  options: InitOptions,
): Promise<{ recoveryKey: string; slotNames: string[] }> {
  const { environment, cost } = options;
  const recoveryBytes = environment.random(32);
  const secrets = [
    { secret: { passphrase: options.passphrase as string }, label: "initial passphrase" },
    { secret: { recoveryKey: recoveryBytes }, label: "recovery key" },
  ];
  const slotNames: string[] = [];
  for (const { secret, label } of secrets) {
    const slotId = makeId(environment.random(16));
    const { repositoryId, createdAt } = config;
    const slot = await wrapMasterKey(keyring, secret, { slotId, repositoryId, label, createdAt, cost });
    const name = objectName.keySlot(slotId);
    await storeSlot(backend, slot, (bytes) => sealEnvelope(name, "keySlot", bytes, null));
    slotNames.push(name);
  }
  return { recoveryKey: formatRecoveryKey(recoveryBytes), slotNames };
}

function alreadyExists(backend: Backend): RepriseError {
  return new RepriseError("conflict", "REPOSITORY_EXISTS", `${backend.location}: there is a repository already`, {
    hint: "use it as it is, or choose another location; init never overwrites",
  });
}
