// An open repository: its config, its keys and its objects. Made by openRepository and initRepository.

import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { KeeperKey } from "../crypto/keeperKey.js";
import type { Keyring } from "../crypto/keyring.js";
import { PUBLIC_GEAR_SEED } from "../crypto/keyring.js";
import type { RepositoryConfig } from "../format/config.js";
import { makeId, type Sid } from "../format/ids.js";
import { makeChunkHasher } from "../hash/digest.js";
import type { Backend } from "../storage/backend.js";
import type { ObjectCache } from "./objectCache.js";
import { ObjectStore } from "./objectStore.js";
import type { Hasher } from "./packReader.js";

/** Everything that is not decided by the stored bytes; replaced in tests. */
export interface Environment {
  now(): number;
  /** `count` unpredictable bytes. */
  random(count: number): Uint8Array;
  /** Who writes: appears in announcements, manifests and records. */
  host: string;
  tool: { name: string; version: string };
  /** Milliseconds between heartbeats of a session; 0: none (tests that step through operations). */
  heartbeatMs: number;
}

/** docs/protocol.md: announcements are renewed every five minutes, and count as stale after six hours. */
export const HEARTBEAT_MS = 5 * 60 * 1000;

export function systemEnvironment(version: string): Environment {
  return {
    now: () => Date.now(),
    random: (count) => new Uint8Array(randomBytes(count)),
    host: hostname(),
    tool: { name: "reprise", version },
    heartbeatMs: HEARTBEAT_MS,
  };
}

export class Repository {
  readonly backend: Backend;
  /** Where it is, for reports and statements: the backend's location, or `env:NAME` where the environment names it. */
  readonly shownLocation: string;
  readonly config: RepositoryConfig;
  readonly keyring: Keyring | null;
  /** The private half of config.keeper, where it is; null for runners, and in a repository with one role. */
  readonly keeperKey: KeeperKey | null;
  readonly environment: Environment;
  readonly objects: ObjectStore;
  readonly cache: ObjectCache;
  /** Id of a blob from its plain bytes. */
  readonly hash: Hasher;

  constructor(
    backend: Backend,
    config: RepositoryConfig,
    keyring: Keyring | null,
    environment: Environment,
    cache: ObjectCache,
    keeperKey: KeeperKey | null = null,
    shownLocation: string = backend.location,
  ) {
    this.backend = backend;
    this.shownLocation = shownLocation;
    this.config = config;
    this.keyring = keyring;
    this.keeperKey = keeperKey;
    this.environment = environment;
    this.cache = cache;
    this.objects = new ObjectStore(backend, keyring, { refusesOverwriting: config.keeper !== null });
    this.hash = makeChunkHasher(keyring?.chunkIdKey ?? null);
  }

  get gearSeed(): bigint {
    return this.keyring?.gearSeed ?? PUBLIC_GEAR_SEED;
  }

  /** A name never used before. */
  newId(): Sid {
    return makeId(this.environment.random(16));
  }

  nowIso(): string {
    return new Date(this.environment.now()).toISOString();
  }

  /** `host (reprise 0.1.0)`: the "by" of decisions and records. */
  get author(): string {
    const { host, tool } = this.environment;
    return `${host} (${tool.name} ${tool.version})`.slice(0, 300);
  }

  async close(): Promise<void> {
    await this.backend.close();
  }
}
