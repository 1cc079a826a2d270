// One writer's session: steps W1–W8 of docs/protocol.md. Every backend operation is one step; the process may stop for ever
// after any of them, and nothing that was finished is lost.

import { setTimeout as wait } from "node:timers/promises";
import { isAbort, isOurError, RepriseError } from "../errors.js";
import { equalBytes } from "../format/bytes.js";
import { objectName, type PackName, packName, type Sid } from "../format/ids.js";
import { decodeManifest, encodeManifest, type Manifest } from "../format/manifest.js";
import { encodePackIndex, type PackContents } from "../format/packIndex.js";
import { encodeSession } from "../format/session.js";
import { findFalsePacks } from "./foreignPacks.js";
import { splitForIndex } from "./indexParts.js";
import { Lifetime } from "./lifetime.js";
import { loadPresenceForWriting, type Presence } from "./presence.js";
import type { Repository } from "./repository.js";
import type { OnWarning } from "./warnings.js";

export interface SessionOptions {
  /** "backup", "repair", "gc": shown to people who wonder what runs. */
  purpose: string;
  group: string | null;
  /** How many reads to spend on looking into packs that this machine has not met; 0 or absent: none. */
  sampleReads?: number;
  signal?: AbortSignal;
  onWarning: OnWarning;
}

/** A pack ready to be stored. */
export interface NewPack {
  name: PackName;
  bytes: Uint8Array;
  blobCount: number;
  entries: Uint8Array;
}

/** How often an unanswered commit is asked again before the error is reported; after 1, 4, 16 and 64 s. */
const COMMIT_TRIES = 5;
const COMMIT_PAUSE_MS = 1000;

export class WriterSession {
  readonly sid: Sid;
  readonly presence: Presence;
  readonly #repository: Repository;
  readonly #options: SessionOptions;
  readonly #startedAt: string;
  readonly #lifetime: Lifetime;
  #unindexed: PackContents[] = [];
  #indexNumber = 0;
  #heartbeat: NodeJS.Timeout | undefined;
  #beat = 0;
  #beating: Promise<void> = Promise.resolve();

  private constructor(
    repository: Repository,
    sid: Sid,
    startedAt: string,
    lifetime: Lifetime,
    presence: Presence,
    options: SessionOptions,
  ) {
    this.#repository = repository;
    this.sid = sid;
    this.#startedAt = startedAt;
    this.#lifetime = lifetime;
    this.presence = presence;
    this.#options = options;
    this.#unindexed = [...presence.adopted];
  }

  /** W1–W4: announce, then look. An error ends the announcement, so that no collector waits for it. */
  static async open(repository: Repository, options: SessionOptions): Promise<WriterSession> {
    const sid = repository.newId();
    const startedAt = repository.nowIso();
    const lifetime = new Lifetime(repository.environment);
    await announce(repository, sid, startedAt, 0, options);
    try {
      let presence = await loadPresenceForWriting(repository, options);
      const falsePacks = await findFalsePacks(repository, presence, options);
      if (falsePacks.size > 0) presence = await loadPresenceForWriting(repository, options, falsePacks);
      const session = new WriterSession(repository, sid, startedAt, lifetime, presence, options);
      session.#startHeartbeat();
      return session;
    } catch (error) {
      await endUnused(repository, sid);
      throw error;
    }
  }

  /** W5: stores a pack and counts its blobs as present. SESSION_TOO_OLD after 30 days. */
  async putPack(pack: NewPack): Promise<void> {
    this.#lifetime.check(`this ${this.#options.purpose}`);
    const { name, blobCount, entries } = pack;
    await this.#repository.objects.putNew(objectName.pack(name), pack.bytes, this.#options);
    const contents: PackContents = { name, sizeBytes: pack.bytes.length, blobCount, entries };
    this.presence.index.addPack(contents);
    this.#unindexed.push(contents);
    if (splitForIndex(this.#unindexed).length > 1) await this.#writeIndexObject();
  }

  /** W5: describes what has been stored since the last index object, so that others and a retry can use it. */
  async writeIndex(): Promise<void> {
    while (this.#unindexed.length > 0) await this.#writeIndexObject();
  }

  /**
   * W6: the one-shot decision. "fenced": a collector has given this session up; open a new one, store again what is no
   * longer present, and commit there. COMMIT_UNCERTAIN: no answer came, and the snapshot may exist. SESSION_TOO_OLD.
   */
  async commit(manifest: Manifest): Promise<"committed" | "fenced"> {
    this.#lifetime.check(`this ${this.#options.purpose}`);
    const plain = encodeManifest(manifest);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#tryCommit(plain);
      } catch (error) {
        if (!isOurError(error) || error.family !== "backend") throw error;
        if (attempt === COMMIT_TRIES || error.retry !== "later") throw uncertain(this.sid, error);
      }
      await this.#pause(attempt);
    }
  }

  /** One index object with as many packs as fit. */
  async #writeIndexObject(): Promise<void> {
    const packs = this.#unindexed.splice(0, splitForIndex(this.#unindexed)[0]?.length);
    const name = objectName.index(packName(this.sid, this.#indexNumber++));
    try {
      await this.#repository.objects.writeNew(name, "packIndex", encodePackIndex(packs), this.#options);
    } catch (error) {
      this.#unindexed.unshift(...packs);
      throw error;
    }
  }

  async #tryCommit(plain: Uint8Array): Promise<"committed" | "fenced"> {
    const name = objectName.snapshot(this.sid);
    if ((await this.#repository.objects.writeOnce(name, "snapshot", plain)) === "created") return "committed";
    const stored = await this.#repository.objects.read(name, "snapshot");
    if (equalBytes(stored, plain)) return "committed";
    if (decodeManifest(stored, name).type === "void") return "fenced";
    throw new RepriseError(
      "conflict",
      "SESSION_TAKEN",
      `${name}: another snapshot was committed under this session's name`,
      {
        data: { sid: this.sid },
        hint: "two writers made the same id; check this machine's random numbers, then back up again",
      },
    );
  }

  /** Never longer than a heartbeat takes, and not at all once somebody wants to end. */
  async #pause(attempt: number): Promise<void> {
    const pauseMs = Math.min(this.#repository.environment.heartbeatMs, COMMIT_PAUSE_MS * 4 ** (attempt - 1));
    if (pauseMs === 0) return;
    await wait(pauseMs, undefined, { signal: this.#options.signal }).catch(() => {});
  }

  /**
   * Gives the session up for good: what it stored is garbage unless somebody else uses it. Indexes it first for re-use.
   * "committed": an unanswered commit had been carried out after all, and the snapshot exists.
   */
  async abandon(reason: string): Promise<"abandoned" | "committed"> {
    await this.#stopHeartbeat();
    await this.writeIndex().catch((error: unknown) => {
      if (!isOurError(error) && !isAbort(error)) throw error;
    });
    const outcome = await giveUp(this.#repository, this.sid, reason);
    await endAnnouncement(this.#repository, this.sid);
    return outcome;
  }

  /** W8: only after the session is decided. Without permission to delete, the collector tidies up. */
  async end(): Promise<void> {
    await this.#stopHeartbeat();
    await endAnnouncement(this.#repository, this.sid);
  }

  /** Stops the heartbeat and leaves everything as it is: for errors after which nothing may be assumed. */
  drop(): void {
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
  }

  #startHeartbeat(): void {
    const { heartbeatMs } = this.#repository.environment;
    if (heartbeatMs === 0) return;
    this.#heartbeat = setInterval(() => {
      this.#beating = this.#beating.then(() => this.#sendHeartbeat());
    }, heartbeatMs);
    this.#heartbeat.unref();
  }

  /** A missed heartbeat costs at most a fencing, so its errors are only warnings. Too old to commit: too old to beat. */
  async #sendHeartbeat(): Promise<void> {
    if (this.#heartbeat === undefined || this.#lifetime.isOver) return;
    try {
      await announce(this.#repository, this.sid, this.#startedAt, ++this.#beat, {
        ...this.#options,
        signal: undefined,
      });
    } catch (error) {
      this.#options.onWarning({ code: "HEARTBEAT_FAILED", message: (error as Error).message });
    }
  }

  /** After the last beat has arrived: it must not announce the session again when that is over. */
  async #stopHeartbeat(): Promise<void> {
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
    await this.#beating;
  }
}

/** W1, and again every five minutes. */
async function announce(
  repository: Repository,
  sid: Sid,
  startedAt: string,
  beat: number,
  options: SessionOptions,
): Promise<void> {
  const { purpose, group, signal } = options;
  const { host } = repository.environment;
  const plain = encodeSession({ sid, purpose, host, pid: process.pid, group, startedAt, beat });
  await repository.objects.write(objectName.session(sid), "session", plain, { signal });
}

/** VOID, unless the session has committed. */
async function giveUp(repository: Repository, sid: Sid, reason: string): Promise<"abandoned" | "committed"> {
  const decision = { type: "void" as const, sid, at: repository.nowIso(), by: repository.author, reason };
  const name = objectName.snapshot(sid);
  const outcome = await repository.objects.writeOnce(name, "snapshot", encodeManifest(decision));
  if (outcome === "created") return "abandoned";
  const stored = await repository.objects.read(name, "snapshot");
  return decodeManifest(stored, name).type === "void" ? "abandoned" : "committed";
}

/** Best effort: a collector finds out by itself after some hours. */
async function endUnused(repository: Repository, sid: Sid): Promise<void> {
  try {
    await giveUp(repository, sid, "it could not begin");
    await endAnnouncement(repository, sid);
  } catch (error) {
    if (!isOurError(error)) throw error;
  }
}

/** W8. What cannot be deleted is left to a collector. */
async function endAnnouncement(repository: Repository, sid: Sid): Promise<void> {
  try {
    await repository.backend.delete(objectName.session(sid));
  } catch (error) {
    if (!isOurError(error)) throw error;
  }
}

function uncertain(sid: Sid, cause: RepriseError): RepriseError {
  return new RepriseError(
    "backend",
    "COMMIT_UNCERTAIN",
    `the storage did not answer the commit of ${sid}, so the snapshot may or may not exist: ${cause.message}`,
    {
      data: { sid },
      retry: "later",
      hint: "look with reprise list once the storage answers; when it is not there, back up again: nothing is stored twice",
      cause,
    },
  );
}
