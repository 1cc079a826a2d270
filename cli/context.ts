// What a verb works with: the repository of this command, the secret that opens it, warnings and progress.

import {
  abortable,
  type Catalog,
  type Environment,
  type GivenSecret,
  isOurError,
  type KeeperKey,
  type KeeperTrust,
  loadCatalog,
  type OnProgress,
  type OnWarning,
  openBackend,
  openConfiguredRepository,
  openRepository,
  type Repository,
  type RepriseConfig,
  resolveSnapshot,
  type Snapshot,
  type StorageRetry,
  systemEnvironment,
  throttleBackend,
  type Warning,
  warmUpLanes,
} from "../core/index.js";
import { usageError } from "./given/given.js";
import type { GlobalSettings } from "./globalOptions.js";
import type { CliIo } from "./io.js";
import type { Line } from "./output/text.js";
import type { Printer } from "./printer.js";
import { keeperTrust, readKeeperKey } from "./secret/keeperSource.js";
import { SecretSource } from "./secret/secretSource.js";
import { VERSION } from "./version.js";

/** How often a passphrase may be mistyped. */
const PROMPT_TRIES = 3;

export interface ContextOptions {
  io: CliIo;
  settings: GlobalSettings;
  printer: Printer;
  /** The caller's, and aborted when nobody reads our output. */
  signal: AbortSignal;
  onProgress: OnProgress;
}

interface OpeningOptions {
  location: string;
  bytesPerSecond: number | undefined;
  secrets: SecretSource;
  keeperKey: KeeperKey | undefined;
  trust: KeeperTrust;
}

export class Context {
  readonly io: CliIo;
  readonly settings: GlobalSettings;
  readonly signal: AbortSignal;
  readonly environment: Environment = systemEnvironment(VERSION);
  readonly warnings: Warning[] = [];
  readonly onProgress: OnProgress;
  readonly secrets: SecretSource;
  readonly #printer: Printer;
  #configured: { config: RepriseConfig; name: string } | undefined;
  readonly #toClose: { close(): Promise<void> }[] = [];

  constructor({ io, settings, printer, signal, onProgress }: ContextOptions) {
    this.io = io;
    this.settings = settings;
    this.signal = signal;
    this.onProgress = onProgress;
    this.#printer = printer;
    const write = (text: string) => void io.stderr.write(text);
    this.secrets = new SecretSource({ io, signal, passphraseFile: settings.passphraseFile, write });
  }

  readonly onWarning: OnWarning = (warning) => {
    const same = this.warnings.find((earlier) => isSameWarning(earlier, warning));
    if (same !== undefined) {
      same.count = (same.count ?? 1) + 1;
      return;
    }
    this.warnings.push({ ...warning });
    this.#printer.warning(warning);
  };

  /** For people, on standard error, at once. Not with --quiet. */
  note(line: Line): void {
    if (!this.settings.quiet) this.#printer.note(line);
  }

  /** Something that has happened: a line for people, an event for --progress json. */
  event(line: Line | undefined, event: object): void {
    if (line !== undefined && !this.settings.quiet) this.#printer.note(line, event);
    else if (this.settings.progress === "json") this.#printer.event(event);
  }

  /** Lines for people to standard output, before the answer is complete. Not with --json. */
  async writeLines(lines: readonly Line[]): Promise<void> {
    await abortable(this.#printer.lines(lines), this.signal);
  }

  /** Raw bytes to standard output. A reader that does not read cannot hold up an abort. */
  async writeData(bytes: Uint8Array): Promise<void> {
    await abortable(this.#printer.data(bytes), this.signal);
  }

  get location(): string {
    const { location } = this.settings;
    if (location !== undefined) return location;
    throw usageError("no repository is named", "give --repo LOCATION or set REPRISE_REPOSITORY");
  }

  /** For verbs that were given a configuration: unless --repo names a repository, the only one of it is meant. */
  useConfigured(config: RepriseConfig): void {
    const [only, ...others] = config.repositories;
    if (this.settings.location !== undefined || only === undefined) return;
    if (others.length > 0 || (this.#configured !== undefined && this.#configured.config !== config)) {
      const names = config.repositories.map(({ name }) => name).join(", ");
      throw usageError(`it is not clear which repository is meant (${names})`, "give --repo LOCATION");
    }
    this.#configured = { config, name: only.name };
  }

  /** Options for a core call that reports. */
  get options(): { signal: AbortSignal; onProgress: OnProgress; onWarning: OnWarning } {
    return { signal: this.signal, onProgress: this.onProgress, onWarning: this.onWarning };
  }

  /** For opening a storage: an interrupt ends the connecting, and what is tried again is said at once. */
  get connecting(): { signal: AbortSignal; onRetry: (retry: StorageRetry) => void } {
    return {
      signal: this.signal,
      onRetry: ({ storage, reason, patienceMs }) =>
        this.note(`${storage} gives no answer (${reason}); trying again for up to ${Math.round(patienceMs / 1000)} s`),
    };
  }

  /** Something that `close` has to close after the verb, whatever happens. The last one is closed first. */
  closeLater<T extends { close(): Promise<void> }>(resource: T): T {
    this.#toClose.push(resource);
    return resource;
  }

  /** For verbs that will need the worker threads: they load their code while the repository is opened. */
  warmUp(): void {
    this.closeLater(warmUpLanes());
  }

  /** Opens the repository (or the one at `location`); asks for the passphrase again when it was mistyped. */
  async openRepository(options: { bytesPerSecond?: number; location?: string } = {}): Promise<Repository> {
    if (options.location === undefined && this.#configured !== undefined) return await this.#openConfigured();
    const { bytesPerSecond, location = this.location } = options;
    const keeperKey = await readKeeperKey(this.settings, this.io);
    return this.#open({
      location,
      bytesPerSecond,
      secrets: this.secrets,
      keeperKey,
      trust: this.keeperTrust(location),
    });
  }

  async #openConfigured(): Promise<Repository> {
    const { config, name } = this.#configured!;
    const { passphraseFile, keeperKeyFile, trustKeeper } = this.settings;
    const asked = (location: string) => this.secrets.toOpen(location);
    const repository = await openConfiguredRepository(config, name, {
      env: this.io.env,
      environment: this.environment,
      cacheFolder: this.settings.cacheFolder,
      secret: passphraseFile === undefined ? undefined : asked,
      lastSecret: asked,
      keeperKey: keeperKeyFile === undefined ? undefined : await readKeeperKey(this.settings, this.io),
      trustKeeper,
      ...this.connecting,
      onWarning: this.onWarning,
      onFirstMeeting: (fingerprint) => this.#noteMeeting(fingerprint, name),
    });
    this.closeLater(repository.backend);
    return repository;
  }

  #noteMeeting(fingerprint: string, place: string): void {
    this.note(`met the keeper ${fingerprint} of ${place} for the first time; it is remembered`);
  }

  /**
   * Opens a second repository, which is only read: with a secret of its own (`--from-passphrase-file`, REPRISE_FROM_PASSPHRASE …), or
   * the same when only one is given.
   */
  async openOther(
    location: string,
    options: { passphraseFile: string | undefined; bytesPerSecond?: number },
  ): Promise<Repository> {
    const { io, signal } = this;
    const write = (text: string) => void io.stderr.write(text);
    const names = { variables: "REPRISE_FROM_", fileOption: "--from-passphrase-file" };
    const secrets = new SecretSource({ io, signal, write, passphraseFile: options.passphraseFile, ...names });
    secrets.shareWith(this.secrets);
    // --trust-keeper and REPRISE_TRUST_KEEPER name the keeper of the first one
    const trust = { ...this.keeperTrust(location), expected: undefined };
    return this.#open({ location, bytesPerSecond: options.bytesPerSecond, secrets, keeperKey: undefined, trust });
  }

  async #open(what: OpeningOptions): Promise<Repository> {
    const { location, bytesPerSecond, secrets, keeperKey, trust } = what;
    const opened = await openBackend(location, this.connecting);
    const backend = this.closeLater(
      bytesPerSecond === undefined ? opened : throttleBackend(opened, { bytesPerSecond }),
    );
    for (let attempt = 1; ; attempt++) {
      try {
        return await openRepository(backend, {
          secret: () => secrets.toOpen(backend.location),
          environment: this.environment,
          cacheFolder: this.settings.cacheFolder,
          keeperKey,
          trust,
          signal: this.signal,
          onWarning: this.onWarning,
        });
      } catch (error) {
        const mistyped = isOurError(error, "PASSPHRASE_WRONG") || isOurError(error, "RECOVERY_KEY_INVALID");
        if (!mistyped || !secrets.wasPrompted || attempt >= PROMPT_TRIES) throw error;
        secrets.forget();
        this.#printer.note("that opens no key slot; try again");
      }
    }
  }

  /** What is known about the keeper of the repository. */
  keeperTrust(location: string = this.location): KeeperTrust {
    return keeperTrust(this.settings, this.io, (fingerprint) => this.#noteMeeting(fingerprint, location));
  }

  /** `fresh`: from the storage, not from the local cache; for verbs that decide what may go. */
  async openCatalog({ fresh = false } = {}): Promise<{ repository: Repository; catalog: Catalog }> {
    const repository = await this.openRepository();
    return { repository, catalog: await loadCatalog(repository, { ...this.options, fresh }) };
  }

  /** The secret that opened the repository; undefined when it has none. */
  get usedSecret(): GivenSecret | undefined {
    return this.secrets.used;
  }

  async close(): Promise<void> {
    for (const resource of this.#toClose.splice(0).reverse()) await resource.close();
  }
}

/** About the same object, the first one says enough; without an object the same words are the same warning. */
function isSameWarning(earlier: Warning, later: Warning): boolean {
  if (earlier.code !== later.code) return false;
  const object = later.data?.object;
  return earlier.message === later.message || (object !== undefined && object === earlier.data?.object);
}

/** The snapshots that the names mean, each once, in the order of the names. */
export function resolveSnapshots(names: readonly string[], catalog: Catalog): Snapshot[] {
  return [...new Set(names.map((name) => resolveSnapshot(name, catalog)))];
}
