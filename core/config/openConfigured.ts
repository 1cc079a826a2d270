// Repositories of a configuration, opened with the secrets that it names, or else with the usual variables. Nobody is asked for a
// passphrase here.

import { isAbsolute, resolve } from "node:path";
import { KeeperKey } from "../crypto/keeperKey.js";
import { RepriseError } from "../errors.js";
import { SigningKey } from "../evidence/signingKey.js";
import { defaultStateFolder, type KeeperTrust } from "../repository/keeperTrust.js";
import type { GivenSecret } from "../repository/keys.js";
import { defaultCacheFolder } from "../repository/objectCache.js";
import { openRepository } from "../repository/openRepository.js";
import type { Environment, Repository } from "../repository/repository.js";
import type { OnWarning } from "../repository/warnings.js";
import type { StorageRetry } from "../storage/backend.js";
import { openBackend } from "../storage/openBackend.js";
import { throttleBackend } from "../storage/throttledBackend.js";
import { locationVariable } from "./buildRepositories.js";
import type { RepositoryConfig, RepriseConfig } from "./repriseConfig.js";
import { folderOfConfig, resolveSecret, type SecretSurroundings } from "./resolveSecret.js";
import {
  asGivenSecret,
  keeperKeyFromVariables,
  passphraseFromVariables,
  signingKeyFromVariables,
  type Variables,
} from "./usualVariables.js";

/** Shorter locations say nothing that would be worth hiding, and would be found within words. */
const SHORTEST_HIDDEN = 6;

export interface OpenConfiguredOptions {
  env: Variables;
  environment: Environment;
  /** Where relative paths of the configuration start; default: the folder of its file. */
  folder?: string;
  /** Folder of all caches; null: none; default: as REPRISE_CACHE_DIR and XDG_CACHE_HOME say. */
  cacheFolder?: string | null;
  /** Folder of the keepers that were met; default: as REPRISE_STATE_DIR and XDG_STATE_HOME say. */
  stateFolder?: string | null;
  /** Instead of what the configuration and the environment say; relative to the present folder. */
  location?: string;
  /** The same for the passphrase, */
  secret?: (location: string) => Promise<GivenSecret>;
  /** and when neither of them has one: somebody who can be asked. */
  lastSecret?: (location: string) => Promise<GivenSecret>;
  /** The same for the keeper's key, and for the keeper that is trusted. */
  keeperKey?: KeeperKey;
  trustKeeper?: string;
  signal: AbortSignal;
  onWarning: OnWarning;
  onRetry?: (retry: StorageRetry) => void;
  onFirstMeeting?: (fingerprint: string) => void;
}

/**
 * Opens a repository by its name in the configuration. Whoever calls closes its backend; after an error nothing is open.
 * REPOSITORY_UNKNOWN, REPOSITORY_ID_DIFFERS, REPOSITORY_LOCATION_MISSING, SECRET_MISSING, SECRET_UNREADABLE, PASSPHRASE_MISSING, KEEPER_KEY_INVALID, and what
 * openBackend and openRepository throw.
 */
export async function openConfiguredRepository(
  config: RepriseConfig,
  name: string,
  options: OpenConfiguredOptions,
): Promise<Repository> {
  const repository = config.repositories.find((each) => each.name === name);
  if (repository === undefined) throw unknownRepository(config, name);
  const { env, signal, onWarning, environment, onRetry } = options;
  const surroundings = { env, signal, folder: options.folder ?? folderOfConfig(config) };
  const location = options.location ?? locationOf(repository, surroundings);
  const keeperKey = options.keeperKey ?? (await keeperKeyOf(repository, surroundings));
  const plain = await openBackend(location, { signal, onRetry });
  const limit = repository.bandwidthLimit;
  const backend = limit === null ? plain : throttleBackend(plain, { bytesPerSecond: limit });
  try {
    const opened = await openRepository(backend, {
      secret: () =>
        options.secret?.(backend.location) ??
        secretOf(repository, surroundings, options.lastSecret?.bind(null, backend.location)),
      environment,
      cacheFolder: options.cacheFolder === undefined ? defaultCacheFolder({ ...env }) : options.cacheFolder,
      shownLocation: options.location === undefined ? shownLocation(repository, env) : undefined,
      keeperKey,
      trust: trustIn(repository, options),
      signal,
      onWarning,
    });
    if (options.location === undefined) checkId(repository, opened);
    return opened;
  } catch (error) {
    await backend.close();
    throw error;
  }
}

/** Opens repositories of a configuration as they are asked for, each once, and closes them together. */
export class ConfiguredRepositories {
  readonly #config: RepriseConfig;
  readonly #options: OpenConfiguredOptions;
  readonly #opened = new Map<string, Promise<Repository>>();

  constructor(config: RepriseConfig, options: OpenConfiguredOptions) {
    this.#config = config;
    this.#options = options;
  }

  /** As openConfiguredRepository. One that could not be opened is tried again the next time. */
  async open(name: string): Promise<Repository> {
    const known = this.#opened.get(name);
    if (known !== undefined) return await known;
    const opening = openConfiguredRepository(this.#config, name, this.#options);
    this.#opened.set(name, opening);
    opening.catch(() => this.#opened.delete(name));
    return await opening;
  }

  /** The text with the names of variables in the place of the locations that they hold. */
  withoutLocations(text: string): string {
    const { env } = this.#options;
    return this.#config.repositories.reduce((shown, repository) => {
      const variable = locationInEnvironment(repository, env);
      const value = variable === null ? "" : (env[variable] ?? "");
      return value.length < SHORTEST_HIDDEN ? shown : shown.replaceAll(value, `env:${variable}`);
    }, text);
  }

  async close(): Promise<void> {
    const opened = [...this.#opened.values()];
    this.#opened.clear();
    for (const repository of await Promise.allSettled(opened)) {
      if (repository.status === "fulfilled") await repository.value.backend.close();
    }
  }
}

/** The key that signs evidence: as the configuration names it, else REPRISE_SIGNING_KEY or REPRISE_SIGNING_KEY_FILE; undefined: none.
 * A key that is named and is not there is SECRET_MISSING or SECRET_UNREADABLE; SIGNING_KEY_INVALID. */
export async function signingKeyOf(
  config: Pick<RepriseConfig, "evidence" | "fileName">,
  { env, signal, folder }: Omit<SecretSurroundings, "folder"> & { folder?: string },
): Promise<SigningKey | undefined> {
  const { signingKey } = config.evidence;
  if (signingKey === null) return await signingKeyFromVariables(env, signal);
  return SigningKey.fromPem(await resolveSecret(signingKey, { env, signal, folder: folder ?? folderOfConfig(config) }));
}

/**
 * Where a repository is: REPRISE_REPOSITORY_NAME decides, whatever the file says; a relative folder of the file is beside it.
 * REPOSITORY_LOCATION_MISSING.
 */
export function locationOf(
  { name, location }: Pick<RepositoryConfig, "name" | "location">,
  { env, folder }: Pick<SecretSurroundings, "env" | "folder">,
): string {
  const variable = locationInEnvironment({ name, location }, env);
  if (variable !== null) return env[variable] as string;
  if (location.kind === "text") return isFolder(location.text) ? resolve(folder, location.text) : location.text;
  throw new RepriseError("usage", "REPOSITORY_LOCATION_MISSING", `nothing says where the repository ${name} is`, {
    data: { repository: name, variable: location.name },
    hint: `set ${location.name}, which the configuration names, or ${locationVariable(name)}`,
  });
}

/** The variable that says where a repository is; null: the file does, or nothing. */
export function locationInEnvironment(
  { name, location }: Pick<RepositoryConfig, "name" | "location">,
  env: Variables,
): string | null {
  const override = locationVariable(name);
  if (env[override]) return override;
  return location.kind === "env" && env[location.name] ? location.name : null;
}

/** A location of the environment may be one that not everybody shall read: its variable stands for it. */
function shownLocation(repository: RepositoryConfig, env: Variables): string | undefined {
  const variable = locationInEnvironment(repository, env);
  return variable === null ? undefined : `env:${variable}`;
}

function isFolder(location: string): boolean {
  return !isAbsolute(location) && !/^[A-Za-z][A-Za-z0-9+.-]+:/.test(location);
}

async function secretOf(
  { name, passphrase }: RepositoryConfig,
  surroundings: SecretSurroundings,
  ask?: () => Promise<GivenSecret>,
): Promise<GivenSecret> {
  const { env, signal } = surroundings;
  const text =
    passphrase === null ? await passphraseFromVariables(env, signal) : await resolveSecret(passphrase, surroundings);
  if (text !== undefined) return asGivenSecret(text);
  if (ask !== undefined) return await ask();
  throw new RepriseError(
    "key",
    "PASSPHRASE_MISSING",
    `the repository ${name} is encrypted, and no passphrase was given`,
    {
      data: { repository: name },
      hint: "name one in the configuration (passphrase: env:NAME), or set REPRISE_PASSPHRASE or REPRISE_PASSPHRASE_FILE",
    },
  );
}

async function keeperKeyOf(
  { keeperKey }: RepositoryConfig,
  surroundings: SecretSurroundings,
): Promise<KeeperKey | undefined> {
  if (keeperKey === null) return await keeperKeyFromVariables(surroundings.env, surroundings.signal);
  return KeeperKey.fromPem(await resolveSecret(keeperKey, surroundings));
}

function trustIn({ trustKeeper }: RepositoryConfig, options: OpenConfiguredOptions): KeeperTrust {
  const { env, stateFolder, onFirstMeeting } = options;
  const expected = options.trustKeeper ?? trustKeeper ?? (env.REPRISE_TRUST_KEEPER || undefined);
  if (expected !== undefined && !/^([0-9a-f]{32}|none)$/.test(expected)) {
    throw new RepriseError("usage", "KEEPER_TRUST_INVALID", "REPRISE_TRUST_KEEPER is no fingerprint of a keeper", {
      hint: "32 hex digits, as reprise key keeper prints them; or none",
    });
  }
  return {
    stateFolder: stateFolder === undefined ? defaultStateFolder({ ...env }) : stateFolder,
    expected,
    onFirstMeeting,
  };
}

function checkId({ name, id }: RepositoryConfig, { config: { repositoryId } }: Repository): void {
  if (id === null || id === repositoryId) return;
  const message = `the repository at the place of ${name} is another one: its id is ${repositoryId}, and the configuration says ${id}`;
  throw new RepriseError("conflict", "REPOSITORY_ID_DIFFERS", message, {
    data: { repository: name, expected: id, actual: repositoryId },
    hint: "check the location; if a new repository has taken its place, write down the new id",
  });
}

function unknownRepository({ repositories, fileName }: RepriseConfig, name: string): RepriseError {
  return new RepriseError("usage", "REPOSITORY_UNKNOWN", `${fileName} has no repository ${name}`, {
    data: { repository: name },
    hint: repositories.length === 0 ? "it has none" : `there are: ${repositories.map((each) => each.name).join(", ")}`,
  });
}
