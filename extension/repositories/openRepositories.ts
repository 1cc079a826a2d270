// The repositories that are open in this window: opened at the first need, once, and again after the service has died.

import { type Event, EventEmitter, type Memento } from "vscode";
import { expandLocation } from "../model/location.js";
import type { Passphrases } from "../secrets/passphrases.js";
import { type ServiceClient, ServiceError } from "../service/client.js";
import type { EntryData, RepositoryInfo } from "../service/protocol.js";
import { type ConfiguredRepository, configuredRepositories } from "./configured.js";

/** Which location had which repository: URIs name the repository, settings the location. */
const KNOWN_IDS = "repositoryIds";

const LOCKED = ["PASSPHRASE_MISSING", "PASSPHRASE_WRONG", "RECOVERY_KEY_INVALID"];

/** It needs another passphrase than the one that is known. */
export function isLocked(error: unknown): error is ServiceError {
  return error instanceof ServiceError && LOCKED.includes(error.code);
}

export interface OpenedRepository extends RepositoryInfo {
  configured: ConfiguredRepository;
}

export class OpenRepositories {
  readonly #client: ServiceClient;
  readonly #passphrases: Passphrases;
  readonly #memory: Memento;
  readonly #open = new Map<string, Promise<OpenedRepository>>();
  readonly #changed = new EventEmitter<void>();
  /** One was opened or closed. */
  readonly onDidChange: Event<void> = this.#changed.event;
  readonly #contents = new EventEmitter<string>();
  /** What is stored in the repository of this location has changed, or was read again, by something that was done here. */
  readonly onDidChangeContents: Event<string> = this.#contents.event;

  constructor(client: ServiceClient, passphrases: Passphrases, memory: Memento) {
    this.#client = client;
    this.#passphrases = passphrases;
    this.#memory = memory;
  }

  /** With the passphrase that is kept. PASSPHRASE_MISSING, PASSPHRASE_WRONG and whatever the storage says. */
  open(configured: ConfiguredRepository): Promise<OpenedRepository> {
    const { location } = configured;
    const known = this.#open.get(location);
    if (known !== undefined) return known;
    const opening = this.#passphrases.get(location).then((secret) => this.#openWith(configured, secret ?? null));
    this.#remember(location, opening);
    return opening;
  }

  /** With a passphrase that was just typed; it is kept when it is right. */
  async unlock(configured: ConfiguredRepository, passphrase: string | null): Promise<OpenedRepository> {
    const opened = await this.#openWith(configured, passphrase, { readAhead: true });
    await this.close(configured.location);
    // whoever shows the repository need not wait until the passphrase is stored
    this.#remember(configured.location, Promise.resolve(opened));
    if (passphrase !== null) await this.#passphrases.keep(configured.location, passphrase);
    return opened;
  }

  /** With the keeper's key, which is kept when it is the right one. KEEPER_KEY_INVALID, KEEPER_KEY_WRONG. */
  async becomeKeeper(configured: ConfiguredRepository, keeperKey: string): Promise<OpenedRepository> {
    const { location } = configured;
    const opened = await this.#openWith(configured, (await this.#passphrases.get(location)) ?? null, {
      given: keeperKey,
    });
    await this.#passphrases.keepKeeperKey(location, keeperKey);
    await this.close(location);
    this.#remember(location, Promise.resolve(opened));
    return opened;
  }

  async forgetKeeper({ location }: ConfiguredRepository): Promise<void> {
    await this.#passphrases.forgetKeeperKey(location);
    await this.close(location);
  }

  /** It is open, or being opened. */
  isOpen(location: string): boolean {
    return this.#open.has(location);
  }

  /** The repository of a URI. REPOSITORY_UNKNOWN when no configured one has this id. */
  async byId(repositoryId: string): Promise<OpenedRepository> {
    const ids = this.#memory.get<Record<string, string>>(KNOWN_IDS, {});
    const configured = configuredRepositories();
    const likely = configured.filter(({ location }) => ids[location] === repositoryId);
    const unknown = configured.filter(({ location }) => ids[location] === undefined);
    let failure: unknown;
    for (const candidate of [...likely, ...unknown]) {
      try {
        const opened = await this.open(candidate);
        if (opened.repositoryId === repositoryId) return opened;
      } catch (error) {
        failure ??= error;
      }
    }
    throw failure ?? unknownRepository(repositoryId);
  }

  /** What the settings have under another location and is the same repository. What cannot be looked at now is another one. */
  async sameAs({ repositoryId, configured }: OpenedRepository): Promise<ConfiguredRepository | undefined> {
    const ids = this.#memory.get<Record<string, string>>(KNOWN_IDS, {});
    const likely = configuredRepositories().filter(
      ({ location }) => location !== configured.location && ids[location] === repositoryId,
    );
    for (const candidate of likely) {
      try {
        if ((await this.open(candidate)).repositoryId === repositoryId) return candidate;
      } catch (error) {
        if (isLocked(error)) return candidate;
      }
    }
    return undefined;
  }

  /** Passphrases that are known here, with the places that they are for: nothing is asked, and nothing opened. */
  async keptSecrets(): Promise<{ location: string; secret: string }[]> {
    const found = configuredRepositories().map(async ({ location }) => {
      const secret = await this.#passphrases.get(location);
      return secret === undefined ? [] : [{ location: expandLocation(location), secret }];
    });
    return (await Promise.all(found)).flat();
  }

  /** Those that are open already, or being opened, at locations of the settings; what could not be opened is left out. */
  async openNow(isWanted: (location: string) => boolean): Promise<OpenedRepository[]> {
    const wanted = [...this.#open].filter(([location]) => isWanted(location)).map(([, opening]) => opening);
    const settled = await Promise.allSettled(wanted);
    return settled.flatMap((opened) => (opened.status === "fulfilled" ? [opened.value] : []));
  }

  /** A call about an open repository; when the service has died, or another one is there now, it is opened again, once. */
  async use<T>(configured: ConfiguredRepository, call: (opened: OpenedRepository) => Promise<T>): Promise<T> {
    const opened = await this.open(configured);
    try {
      return await call(opened);
    } catch (error) {
      const isReplaced = error instanceof ServiceError && error.code === "REPOSITORY_ID_DIFFERS";
      const isClosed = error instanceof ServiceError && error.code === "SERVICE_HANDLE_CLOSED";
      if (!isReplaced && !isClosed) throw error;
      if (isReplaced) await this.close(configured.location);
      else await this.#forget(opened);
      return await call(await this.open(configured));
    }
  }

  /** What a path of a snapshot leads to, with the one path that names its disk and volume. */
  async locate(configured: ConfiguredRepository, snapshot: string, path: string): Promise<EntryData> {
    return await this.use(configured, ({ handle }) =>
      this.#client.call("stat", { repository: handle, snapshot, path }),
    );
  }

  /** For whoever has written to a repository, or has let it be read again: backup, verify, forget, prune, restore test, refresh. */
  changedContents(location: string): void {
    this.#contents.fire(location);
  }

  async close(location: string): Promise<void> {
    const opening = this.#open.get(location);
    if (opening === undefined) return;
    this.#open.delete(location);
    this.#changed.fire();
    const opened = await opening.catch(() => undefined);
    if (opened !== undefined) await this.#client.call("closeRepository", { repository: opened.handle });
  }

  /** Its handle is void; one that has been opened since stays. */
  async #forget(opened: OpenedRepository): Promise<void> {
    const { location } = opened.configured;
    const opening = this.#open.get(location);
    const isSame = (await opening?.catch(() => undefined))?.handle === opened.handle;
    if (isSame && this.#open.get(location) === opening) this.#open.delete(location);
  }

  /** All handles are void. */
  forgetAll(): void {
    this.#open.clear();
    this.#changed.fire();
  }

  #remember(location: string, opening: Promise<OpenedRepository>): void {
    this.#open.set(location, opening);
    opening.then(
      () => this.#changed.fire(),
      () => {},
    );
    opening.catch(() => {
      if (this.#open.get(location) === opening) this.#open.delete(location);
    });
  }

  async #openWith(
    configured: ConfiguredRepository,
    secret: string | null,
    { given, readAhead = false }: { given?: string; readAhead?: boolean } = {},
  ): Promise<OpenedRepository> {
    const location = expandLocation(configured.location);
    const keeperKey = given ?? (await this.#passphrases.keeperKey(configured.location)) ?? null;
    const info = await this.#client.call("openRepository", { location, secret, keeperKey, readAhead });
    const ids = this.#memory.get<Record<string, string>>(KNOWN_IDS, {});
    // known at once; that it is stored need not be waited for
    if (ids[configured.location] !== info.repositoryId)
      void this.#memory.update(KNOWN_IDS, { ...ids, [configured.location]: info.repositoryId });
    return { ...info, configured };
  }
}

export function unknownRepository(repositoryId: string): ServiceError {
  return new ServiceError({
    name: "ServiceError",
    family: "usage",
    code: "REPOSITORY_UNKNOWN",
    message: `no repository of the settings has the id ${repositoryId}`,
    hint: "add it to the Backups view",
    data: { repositoryId },
  });
}
