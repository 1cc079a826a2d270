// Opening a repository that exists: config, key, cache.

import type { KeeperKey } from "../crypto/keeperKey.js";
import type { Keyring } from "../crypto/keyring.js";
import { RepriseError } from "../errors.js";
import type { RepositoryConfig } from "../format/config.js";
import { objectName } from "../format/ids.js";
import { loadChecksum } from "../hash/checksum.js";
import type { Backend } from "../storage/backend.js";
import { readConfig } from "./configObject.js";
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
  /** What reports and statements say of where it is; default: the backend's location. */
  shownLocation?: string;
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
  options: Pick<OpenOptions, "environment" | "cacheFolder" | "keeperKey" | "shownLocation">,
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
  const { environment, keeperKey, shownLocation } = options;
  return new Repository(backend, config, keyring, environment, cache, keeperKey, shownLocation);
}
