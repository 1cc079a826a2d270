// Giving up sessions that have not been heard of: the only way in which time enters the protocol, and only for liveness.
// Fencing a writer that lives costs it a repetition, never data.

import { isOurError } from "../errors.js";
import { baseName, bytesToHex, folder, isSid, objectName, type PackName, packSid, type Sid } from "../format/ids.js";
import { decodeManifest, encodeManifest } from "../format/manifest.js";
import type { Repository } from "../repository/repository.js";
import { isForgotten } from "../repository/verdicts.js";
import type { ObjectInfo } from "../storage/backend.js";

export interface OpenSession {
  sid: Sid;
  /** Since the last heartbeat, by the storage's own clock. */
  silentMs: number;
}

export interface FencingOptions {
  signal?: AbortSignal;
}

/** The storage's clock: the time it gives to an object written now. */
export async function storageNow(repository: Repository, options: FencingOptions): Promise<number> {
  const key = `probe/${bytesToHex(repository.environment.random(16))}-clock`;
  await repository.backend.put(key, new Uint8Array(1), options);
  try {
    return (await repository.backend.stat(key, options)).modifiedAtMs;
  } finally {
    await repository.backend.delete(key);
  }
}

/** G3: every announced session. */
export async function listSessions(repository: Repository, options: FencingOptions): Promise<Map<Sid, ObjectInfo>> {
  const sessions = new Map<Sid, ObjectInfo>();
  for await (const info of repository.backend.list(folder.sessions, options)) {
    const sid = baseName(info.key);
    if (isSid(sid)) sessions.set(sid, info);
  }
  return sessions;
}

/** Whether the session has been decided either way; asks the storage, never a cache. */
export async function isDecided(repository: Repository, sid: Sid, options: FencingOptions): Promise<boolean> {
  if (await exists(repository, objectName.snapshot(sid), options)) return true;
  if (!(await exists(repository, objectName.forgotten(sid), options))) return false;
  // Else a runner could make a collector believe that a backup which still runs has ended.
  return repository.config.keeper === null || (await isForgotten(repository, sid, options));
}

async function exists(repository: Repository, key: string, options: FencingOptions): Promise<boolean> {
  try {
    await repository.backend.stat(key, options);
    return true;
  } catch (error) {
    if (!isOurError(error, "OBJECT_NOT_FOUND")) throw error;
    return false;
  }
}

/** VOID by put-if-absent. When it loses, the session has committed meanwhile, which is just as good a decision. */
export async function fence(repository: Repository, sid: Sid, reason: string): Promise<"fenced" | "committed"> {
  const decision = { type: "void" as const, sid, at: repository.nowIso(), by: repository.author, reason };
  const name = objectName.snapshot(sid);
  if ((await repository.objects.writeOnce(name, "snapshot", encodeManifest(decision))) === "created") return "fenced";
  const stored = await repository.objects.read(name, "snapshot");
  return decodeManifest(stored, name).type === "void" ? "fenced" : "committed";
}

/** When each session was last heard of: announced ones by their heartbeat, creators of packs by their youngest pack. */
export async function lastSigns(
  repository: Repository,
  packs: ReadonlyMap<PackName, ObjectInfo>,
  options: FencingOptions,
): Promise<Map<Sid, number>> {
  const lastSeen = new Map<Sid, number>();
  for (const [name, { modifiedAtMs }] of packs) {
    const sid = packSid(name);
    lastSeen.set(sid, Math.max(lastSeen.get(sid) ?? 0, modifiedAtMs));
  }
  for (const [sid, { modifiedAtMs }] of await listSessions(repository, options)) lastSeen.set(sid, modifiedAtMs);
  return lastSeen;
}

/**
 * Fences every undecided session that has been silent for `fenceAfterMs` since it was last seen. Answers who was fenced and
 * who is still open; everybody else is decided.
 */
export async function fenceSilent(
  repository: Repository,
  lastSeen: ReadonlyMap<Sid, number>,
  options: FencingOptions & { fenceAfterMs: number },
): Promise<{ fenced: Sid[]; open: OpenSession[] }> {
  const result = { fenced: [] as Sid[], open: [] as OpenSession[] };
  let now: number | undefined;
  for (const [sid, seenAtMs] of lastSeen) {
    if (await isDecided(repository, sid, options)) continue;
    now ??= await storageNow(repository, options);
    const silentMs = Math.max(0, now - seenAtMs);
    if (silentMs < options.fenceAfterMs) result.open.push({ sid, silentMs });
    else if ((await fence(repository, sid, `silent for ${Math.round(silentMs / 1000)} s`)) === "fenced")
      result.fenced.push(sid);
  }
  return result;
}
