// The repositories that are open now, by handle. Every open call makes a session of its own: two windows, or two entries with one
// location, do not depend on each other.

import {
  defaultCacheFolder,
  defaultStateFolder,
  type GivenSecret,
  KeeperKey,
  looksLikeRecoveryKey,
  openBackend,
  openRepository,
  RepriseError,
  systemEnvironment,
} from "../../core/index.js";
import type { ArgumentOf, Handle, RepositoryInfo } from "./protocol.js";
import { type CallContext, Session } from "./session.js";
import { VERSION } from "./version.js";

/** Far more than anybody configures; a leak ends here. */
const MAX_OPEN = 64;

export class OpenRepositories {
  readonly #sessions = new Map<Handle, Session>();
  /** Not from 1: a handle of a service that has died must mean nothing in the next one. */
  #next = Math.floor(Math.random() * 2 ** 44);

  /** What openBackend and openRepository throw; PASSPHRASE_MISSING. */
  async open(argument: ArgumentOf<"openRepository">, context: CallContext): Promise<RepositoryInfo> {
    const { location, secret, cacheFolder, stateFolder } = argument;
    if (this.#sessions.size >= MAX_OPEN)
      throw new RepriseError("usage", "SERVICE_TOO_MANY_OPEN", `${MAX_OPEN} repositories are open already`);
    const { signal, onWarning } = context;
    const keeperKey = argument.keeperKey ? KeeperKey.fromPem(argument.keeperKey) : undefined;
    const backend = await openBackend(location, { signal });
    try {
      const repository = await openRepository(backend, {
        secret: async () => givenSecret(secret ?? passphraseMissing(location)),
        environment: systemEnvironment(VERSION),
        cacheFolder: cacheFolder === undefined ? defaultCacheFolder() : cacheFolder,
        trust: { stateFolder: stateFolder === undefined ? defaultStateFolder() : stateFolder },
        ...{ keeperKey, signal, onWarning },
      });
      const handle = this.#next++ as Handle;
      const session = new Session(repository);
      this.#sessions.set(handle, session);
      // what goes wrong is told to whoever asks for it
      if (argument.readAhead) session.catalog({ ...context, signal: new AbortController().signal }).catch(() => {});
      const { repositoryId, encryption, keeper } = repository.config;
      const role = keeper === null ? "none" : repository.keeperKey === null ? "elsewhere" : "here";
      return { handle, repositoryId, location, encrypted: encryption !== "none", keeper: role };
    } catch (error) {
      await backend.close();
      throw error;
    }
  }

  get(handle: Handle): Session {
    const session = this.#sessions.get(handle);
    if (session !== undefined) return session;
    throw new RepriseError("usage", "SERVICE_HANDLE_CLOSED", "this repository is not open any more", {
      hint: "open it again",
    });
  }

  /** May be called twice. */
  async close(handle: Handle): Promise<void> {
    const session = this.#sessions.get(handle);
    this.#sessions.delete(handle);
    await session?.close();
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#sessions.keys()].map((handle) => this.close(handle)));
  }
}

/** No passphrase can look like a recovery key. */
function givenSecret(text: string): GivenSecret {
  return looksLikeRecoveryKey(text) ? { recoveryKey: text } : { passphrase: text };
}

function passphraseMissing(location: string): never {
  throw new RepriseError("key", "PASSPHRASE_MISSING", `${location} is encrypted: a passphrase is needed`);
}
