// Opening a repository that exists: config, key, cache.

import { openEnvelope } from "../crypto/envelopeSeal.js";
import type { KeeperKey } from "../crypto/keeperKey.js";
import type { Keyring } from "../crypto/keyring.js";
import { isOurError, RepriseError } from "../errors.js";
import { decodeConfig, type RepositoryConfig } from "../format/config.js";
import { folder, objectName } from "../format/ids.js";
import { loadChecksum } from "../hash/checksum.js";
import type { Backend } from "../storage/backend.js";
import { checkKeeper, type KeeperTrust } from "./keeperTrust.js";
import { type GivenSecret, refuseDowngrade, unlock } from "./keys.js";
import { FolderCache, NO_CACHE } from "./objectCache.js";
import { type Environment, Repository } from "./repository.js";
import type { OnWarning } from "./warnings.js";

export interface OpenOptions {
  /** Asked only when the repository is encrypted. */
  secret: () => Promise<GivenSecret>;
  environment: Environment;
  /** Folder of all caches; null: no cache. */
  cacheFolder: string | null;
  /** The keeper's key, for whoever forgets or collects in a repository with two roles. */
  keeperKey?: KeeperKey;
  /** Absent: any keeper is taken as it comes. */
  trust?: KeeperTrust;
  signal?: AbortSignal;
  onWarning: OnWarning;
}

export async function openRepository(backend: Backend, options: OpenOptions): Promise<Repository> {
  await loadChecksum();
  const config = await readConfig(backend, options);
  const keyring = config.encryption === "none" ? null : await unlock(backend, config, await options.secret(), options);
  if (keyring === null) await refuseDowngrade(backend, config, options);
  const repository = openWithKeyring(backend, config, keyring, options);
  const met = { location: backend.location, config, keeperKey: repository.keeperKey };
  await checkKeeper(met, options.trust ?? { stateFolder: null }, options.onWarning);
  return repository;
}

/** For callers that have the key already (init, worker threads). */
export function openWithKeyring(
  backend: Backend,
  config: RepositoryConfig,
  keyring: Keyring | null,
  options: Pick<OpenOptions, "environment" | "cacheFolder" | "keeperKey">,
): Repository {
  if (keyring && !keyring.isConfigMacRight(config)) {
    throw new RepriseError(
      "corrupt",
      "CONFIG_FORGED",
      `${backend.location}: the config was changed by somebody without the key`,
      {
        data: { object: objectName.config },
        hint: "restore the config object from a copy of the storage; do not back up into this repository",
      },
    );
  }
  const cache = options.cacheFolder === null ? NO_CACHE : new FolderCache(options.cacheFolder, config.repositoryId);
  return new Repository(backend, config, keyring, options.environment, cache, options.keeperKey);
}

/** REPOSITORY_NOT_FOUND or CONFIG_MISSING when there is no config, CONFIG_DAMAGED when it cannot be read. */
export async function readConfig(backend: Backend, options: { signal?: AbortSignal } = {}): Promise<RepositoryConfig> {
  let stored: Uint8Array;
  try {
    stored = await backend.get(objectName.config, options);
  } catch (cause) {
    if (!isOurError(cause, "OBJECT_NOT_FOUND")) throw cause;
    throw await noConfig(backend, options, cause);
  }
  try {
    return decodeConfig(openEnvelope(objectName.config, "config", stored, null));
  } catch (cause) {
    if (!isOurError(cause) || cause.family === "unsupported") throw cause;
    throw new RepriseError("corrupt", "CONFIG_DAMAGED", `${backend.location}: ${cause.message}`, {
      data: { ...cause.data, object: objectName.config },
      hint: `restore the config object from a copy; until then rescue.mjs in ${backend.location} can read the snapshots`,
      cause,
    });
  }
}

/** True when the place holds what only a repository has. */
export async function hasRemains(backend: Backend, options: { signal?: AbortSignal }): Promise<boolean> {
  for (const part of [folder.snapshots, folder.packs]) {
    for await (const _ of backend.list(part, options)) return true;
  }
  return false;
}

async function noConfig(backend: Backend, options: { signal?: AbortSignal }, cause: unknown): Promise<RepriseError> {
  const { location } = backend;
  if (await hasRemains(backend, options)) {
    return new RepriseError("corrupt", "CONFIG_MISSING", `${location}: the config of this repository is missing`, {
      data: { object: objectName.config },
      hint: `restore the config object from a copy; until then rescue.mjs in ${location} can read the snapshots`,
      cause,
    });
  }
  return new RepriseError("not-found", "REPOSITORY_NOT_FOUND", `${location}: there is no repository here`, {
    hint: "check the location, or make one with reprise init",
    cause,
  });
}
