// Small real repositories for tests: made, filled, changed and read through the core, on any backend. Everything runs on
// this thread unless a test asks for lanes.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type BackupRequest, backUp } from "../../core/backup/backup.js";
import type { KeeperKey } from "../../core/crypto/keeperKey.js";
import { forgetSnapshots } from "../../core/forget/forget.js";
import { concatBytes } from "../../core/format/bytes.js";
import type { ChunkerConfig } from "../../core/format/config.js";
import type { Sid } from "../../core/format/ids.js";
import type { Archive, Manifest } from "../../core/format/manifest.js";
import { collectGarbage, type GcReport, type GcRequest } from "../../core/gc/collect.js";
import { loadChecksum } from "../../core/hash/checksum.js";
import { type Catalog, loadCatalog } from "../../core/repository/catalog.js";
import { initRepository } from "../../core/repository/initRepository.js";
import { type OpenOptions, openRepository } from "../../core/repository/openRepository.js";
import { loadPresenceForReading } from "../../core/repository/presence.js";
import type { Environment, Repository } from "../../core/repository/repository.js";
import type { Warning } from "../../core/repository/warnings.js";
import { restoreStream } from "../../core/restore/restoreStream.js";
import type { Backend } from "../../core/storage/backend.js";
import { MemoryBackend } from "../../core/storage/memoryBackend.js";
import { verifyRepository } from "../../core/verify/verify.js";
import type { VerifyReport, VerifyRequest } from "../../core/verify/verifyReport.js";
import { noise } from "./sampleBytes.js";

/** The smallest chunks that a test repository may have: pages of 256 KiB, chunks of about 16 KiB. */
export const SMALL_CHUNKS: ChunkerConfig = {
  minBytes: 4096,
  averageBytes: 16384,
  maxBytes: 32768,
  segmentBytes: 65536,
};

export const TEST_PASSPHRASE = "correct horse battery staple";

export interface TestRepositoryOptions {
  /** Default: true. */
  encrypted?: boolean;
  /** Default: a fresh MemoryBackend. */
  backend?: Backend;
  cacheFolder?: string;
  /** Decides ids; contents of packs still differ in their salts. */
  seed?: number;
  chunker?: ChunkerConfig;
  /** With one, the repository has two roles, and the answer is opened as the keeper. */
  keeperKey?: KeeperKey;
}

/** A line as `rescue.mjs` and `RESCUE.md` must end with it, after a few bytes. */
function rescueFile(body: string, prefix: string, suffix: string): Uint8Array {
  const digest = createHash("sha256").update(body).digest("hex");
  return new TextEncoder().encode(`${body}${prefix} sha256:${digest}${suffix}\n`);
}

/** A clock that stands still unless told, ids from a seed. */
export class TestEnvironment implements Environment {
  nowMs = Date.UTC(2026, 10, 21, 2);
  readonly host = "test-host";
  readonly tool = { name: "reprise", version: "0.0.1" };
  readonly heartbeatMs = 0;
  #calls: number;

  constructor(seed: number) {
    this.#calls = seed * 1_000_000;
  }

  readonly now = (): number => this.nowMs;

  readonly random = (count: number): Uint8Array => noise(++this.#calls, count);
}

export class TestRepository {
  readonly backend: Backend;
  readonly repository: Repository;
  readonly environment: TestEnvironment;
  /** Null without encryption. */
  readonly recoveryKey: string | null;
  /** What the core warned of, since the last takeWarnings. */
  readonly warnings: Warning[] = [];
  readonly onWarning = (warning: Warning) => void this.warnings.push(warning);

  constructor(repository: Repository, environment: TestEnvironment, recoveryKey: string | null) {
    this.backend = repository.backend;
    this.repository = repository;
    this.environment = environment;
    this.recoveryKey = recoveryKey;
  }

  static async make(options: TestRepositoryOptions = {}): Promise<TestRepository> {
    await loadChecksum();
    const environment = new TestEnvironment(options.seed ?? 1);
    const backend = options.backend ?? new MemoryBackend({ now: () => environment.nowMs });
    const { repository, recoveryKey } = await initRepository(backend, {
      passphrase: options.encrypted === false ? null : TEST_PASSPHRASE,
      chunker: options.chunker ?? SMALL_CHUNKS,
      packBytes: 1024 * 1024,
      cost: "test",
      keeperKey: options.keeperKey,
      environment,
      cacheFolder: options.cacheFolder ?? null,
      rescue: { text: rescueFile("read me\n", "<!--", " -->"), program: rescueFile("run();\n", "//", "") },
    });
    return new TestRepository(repository, environment, recoveryKey);
  }

  /** The same storage opened again, as another process would. */
  async reopen(options: Partial<OpenOptions> & { backend?: Backend } = {}): Promise<TestRepository> {
    const { backend = this.backend, ...rest } = options;
    const repository = await openRepository(backend, {
      secret: async () => ({ passphrase: TEST_PASSPHRASE }),
      environment: this.environment,
      cacheFolder: null,
      onWarning: this.onWarning,
      ...rest,
    });
    return new TestRepository(repository, this.environment, this.recoveryKey);
  }

  get options(): { onWarning: (warning: Warning) => void } {
    return { onWarning: this.onWarning };
  }

  takeWarnings(): string[] {
    return this.warnings.splice(0).map(({ code }) => code);
  }

  /** One snapshot of disks given as bytes; an hour passes. */
  async backUp(
    group: string,
    disks: Record<string, Uint8Array>,
    request: Partial<BackupRequest> = {},
  ): Promise<Manifest> {
    this.environment.nowMs += 3_600_000;
    const result = await backUp(
      this.repository,
      {
        group,
        namespace: "",
        disks: Object.entries(disks).map(([name, bytes]) => ({ kind: "stream", name, stream: inPieces(bytes) })),
        files: [],
        notes: "",
        tags: [],
        protected: false,
        codec: { codec: "zstd", level: 3 },
        dryRun: false,
        lanes: 0,
        ...request,
      },
      this.options,
    );
    assert.ok(result.manifest);
    return result.manifest;
  }

  catalog(): Promise<Catalog> {
    return loadCatalog(this.repository, this.options);
  }

  /** The bytes of a disk, by way of the stream restore. */
  async restore(manifest: Manifest, disk: string, lanes = 0): Promise<Uint8Array> {
    const presence = await loadPresenceForReading(this.repository, this.options);
    const parts: Uint8Array[] = [];
    for await (const part of restoreStream(this.repository, presence, archiveOf(manifest, disk), { lanes })) {
      parts.push(part.slice());
    }
    return concatBytes(parts);
  }

  verify(request: Partial<VerifyRequest> = {}): Promise<VerifyReport> {
    return verifyRepository(
      this.repository,
      {
        snapshots: null,
        readData: true,
        ignoreVerified: false,
        outdatedAfterMs: null,
        subset: null,
        record: false,
        lanes: 0,
        ...request,
      },
      this.options,
    );
  }

  async forget(...sids: Sid[]): Promise<void> {
    await forgetSnapshots(this.repository, sids, "test");
  }

  gc(request: Partial<GcRequest> = {}): Promise<GcReport> {
    return collectGarbage(
      this.repository,
      { dryRun: false, fenceAfterMs: 0, maxUnused: 0, ...request },
      { onWarning: this.onWarning },
    );
  }
}

export function archiveOf(manifest: Manifest, name: string): Archive {
  const archive = manifest.archives.find((candidate) => candidate.name === name);
  assert.ok(archive, `the snapshot has ${name}`);
  return archive;
}

async function* inPieces(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  const piece = 100_000;
  for (let at = 0; at < bytes.length; at += piece) yield bytes.slice(at, at + piece);
}
