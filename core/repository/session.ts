// One writer's session: steps W1–W8 of docs/protocol.md. Every backend operation is one step; the process may stop for ever
// after any of them, and nothing that was finished is lost.

import { isOurError, RepriseError } from "../errors.js";
import { equalBytes } from "../format/bytes.js";
import { objectName, type PackName, packName, type Sid } from "../format/ids.js";
import { decodeManifest, encodeManifest, type Manifest } from "../format/manifest.js";
import { encodePackIndex, type PackContents } from "../format/packIndex.js";
import { encodeSession } from "../format/session.js";
import { loadPresenceForWriting, type Presence } from "./presence.js";
import type { Repository } from "./repository.js";
import type { OnWarning } from "./warnings.js";

export interface SessionOptions {
  /** "backup", "repair", "gc": shown to people who wonder what runs. */
  purpose: string;
  group: string | null;
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

/** Packs described by one index object; about 2 GiB of data at the default pack size. */
const PACKS_PER_INDEX = 64;
/** How often an unanswered commit is asked again before the error is reported. */
const COMMIT_TRIES = 5;

export class WriterSession {
  readonly sid: Sid;
  readonly presence: Presence;
  readonly #repository: Repository;
  readonly #options: SessionOptions;
  readonly #startedAt: string;
  #unindexed: PackContents[] = [];
  #indexNumber = 0;
  #heartbeat: NodeJS.Timeout | undefined;
  #beat = 0;

  private constructor(
    repository: Repository,
    sid: Sid,
    startedAt: string,
    presence: Presence,
    options: SessionOptions,
  ) {
    this.#repository = repository;
    this.sid = sid;
    this.#startedAt = startedAt;
    this.presence = presence;
    this.#options = options;
    this.#unindexed = [...presence.adopted];
  }

  /** W1–W4: announce, then look. */
  static async open(repository: Repository, options: SessionOptions): Promise<WriterSession> {
    const sid = repository.newId();
    const startedAt = repository.nowIso();
    await announce(repository, sid, startedAt, 0, options);
    const presence = await loadPresenceForWriting(repository, options);
    const session = new WriterSession(repository, sid, startedAt, presence, options);
    session.#startHeartbeat();
    return session;
  }

  /** W5: stores a pack and counts its blobs as present. */
  async putPack(pack: NewPack): Promise<void> {
    const { name, blobCount, entries } = pack;
    await this.#repository.backend.put(objectName.pack(name), pack.bytes, this.#options);
    const contents: PackContents = { name, sizeBytes: pack.bytes.length, blobCount, entries };
    this.presence.index.addPack(contents);
    this.#unindexed.push(contents);
    if (this.#unindexed.length >= PACKS_PER_INDEX) await this.writeIndex();
  }

  /** W5: describes what has been stored since the last index object, so that others and a retry can use it. */
  async writeIndex(): Promise<void> {
    while (this.#unindexed.length > 0) {
      const packs = this.#unindexed.splice(0, PACKS_PER_INDEX);
      const name = objectName.index(packName(this.sid, this.#indexNumber++));
      await this.#repository.objects.write(name, "packIndex", encodePackIndex(packs), this.#options);
    }
  }

  /**
   * W6: the one-shot decision. "fenced": a collector has given this session up; open a new one, store again what is no
   * longer present, and commit there. After a thrown error the outcome is unknown, and the snapshot may exist.
   */
  async commit(manifest: Manifest): Promise<"committed" | "fenced"> {
    const plain = encodeManifest(manifest);
    const name = objectName.snapshot(this.sid);
    const outcome = await this.#decide(name, plain);
    if (outcome === "created") return "committed";
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

  /** Gives the session up for good: what it stored is garbage unless somebody else uses it. Indexes it first for re-use. */
  async abandon(reason: string): Promise<void> {
    this.#stopHeartbeat();
    await this.writeIndex();
    const decision = {
      type: "void" as const,
      sid: this.sid,
      at: this.#repository.nowIso(),
      by: this.#repository.author,
      reason,
    };
    await this.#repository.objects.writeOnce(objectName.snapshot(this.sid), "snapshot", encodeManifest(decision));
    await this.#endAnnouncement();
  }

  /** W8: only after the session is decided. Without permission to delete, the collector tidies up. */
  async end(): Promise<void> {
    this.#stopHeartbeat();
    await this.#endAnnouncement();
  }

  /** Stops the heartbeat and leaves everything as it is: for errors after which nothing may be assumed. */
  drop(): void {
    this.#stopHeartbeat();
  }

  async #decide(name: string, plain: Uint8Array): Promise<"created" | "exists"> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#repository.objects.writeOnce(name, "snapshot", plain);
      } catch (error) {
        if (attempt === COMMIT_TRIES || !isOurError(error) || error.retry !== "later") throw error;
      }
    }
  }

  async #endAnnouncement(): Promise<void> {
    try {
      await this.#repository.backend.delete(objectName.session(this.sid));
    } catch (error) {
      if (!isOurError(error)) throw error;
    }
  }

  #startHeartbeat(): void {
    const { heartbeatMs } = this.#repository.environment;
    if (heartbeatMs === 0) return;
    this.#heartbeat = setInterval(() => void this.#sendHeartbeat(), heartbeatMs);
    this.#heartbeat.unref();
  }

  /** A missed heartbeat costs at most a fencing, so its errors are only warnings. */
  async #sendHeartbeat(): Promise<void> {
    try {
      await announce(this.#repository, this.sid, this.#startedAt, ++this.#beat, {
        ...this.#options,
        signal: undefined,
      });
    } catch (error) {
      this.#options.onWarning({ code: "HEARTBEAT_FAILED", message: (error as Error).message });
    }
  }

  #stopHeartbeat(): void {
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
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
