// What is done to single snapshots: verify, protect, describe, forget. After each the catalog is read again.

import {
  checkForgettable,
  forgetSnapshots,
  inertLine,
  loadCatalog,
  MAX_NOTES_LENGTH,
  MAX_TAGS,
  RepriseError,
  type SnapshotVerdict,
  type VerifyReport,
  verifyRepository,
  warmUpLanes,
  writeRecord,
} from "../../core/index.js";
import { type DamageData, MAX_DAMAGE_LINES, type VerifyData } from "./actionsProtocol.js";
import type { ArgumentOf } from "./protocol.js";
import type { CallContext, Session } from "./session.js";

const MAX_TAG_CHARS = 128;
const MAX_FORGOTTEN = 10_000;

export async function verify(
  session: Session,
  { snapshot, readData }: ArgumentOf<"verify">,
  context: CallContext,
): Promise<VerifyData> {
  const warm = readData ? warmUpLanes() : undefined;
  const report = await runVerify(session, { snapshot, readData }, context).finally(() => warm?.close());
  await session.catalog(context, true);
  const { ok, level, packs, objects, durationMs } = report;
  const packProblems = packs.problems.map((problem) => inertLine(`${problem.pack}: ${problem.message}`));
  const objectProblems = objects.problems.map((problem) => inertLine(`${problem.object}: ${problem.message}`));
  return {
    ...{ ok, level, durationMs, snapshots: report.snapshots.length, packsRead: packs.read, bytesRead: packs.bytesRead },
    damaged: report.snapshots.flatMap(damagesOf).slice(0, MAX_DAMAGE_LINES),
    problems: [...objectProblems, ...packProblems].slice(0, MAX_DAMAGE_LINES),
  };
}

async function runVerify(
  session: Session,
  { snapshot, readData }: Pick<ArgumentOf<"verify">, "snapshot" | "readData">,
  context: CallContext,
): Promise<VerifyReport> {
  const snapshots = snapshot === null ? null : [await session.snapshot(snapshot, context)];
  const how = { readData, ignoreVerified: false, outdatedAfterMs: null, subset: null, record: true };
  return await verifyRepository(session.repository, { snapshots, ...how }, context);
}

function damagesOf({ sid, namespace, group, time, damaged }: SnapshotVerdict): DamageData[] {
  const machine = namespace === "" ? group : `${namespace}:${group}`;
  return damaged.map(({ archive, path, offset, length, reason }) => ({
    ...{ machine, snapshotId: sid, timeMs: Date.parse(time), disk: archive, offset, length },
    path: path === undefined ? null : inertLine(path),
    reason: inertLine(reason),
  }));
}

export async function setProtection(
  session: Session,
  { snapshot: id, protected: wanted }: ArgumentOf<"setProtection">,
  context: CallContext,
): Promise<null> {
  await session.catalog(context, true);
  const snapshot = await session.snapshot(id, context);
  if (snapshot.protected === wanted) return null;
  return await describe(session, id, { type: "protection", data: { protected: wanted } }, context);
}

export async function setNotes(
  session: Session,
  { snapshot, notes }: ArgumentOf<"setNotes">,
  context: CallContext,
): Promise<null> {
  if (notes.length > MAX_NOTES_LENGTH) throw invalid(`notes have at most ${MAX_NOTES_LENGTH} characters`);
  await session.catalog(context, true);
  return await describe(session, snapshot, { type: "notes", data: { text: notes } }, context);
}

export async function setTags(
  session: Session,
  { snapshot, tags }: ArgumentOf<"setTags">,
  context: CallContext,
): Promise<null> {
  const distinct = checkedTags(tags);
  await session.catalog(context, true);
  return await describe(session, snapshot, { type: "tags", data: { tags: distinct } }, context);
}

/** Each once, in the order given. SERVICE_VALUE_INVALID. */
export function checkedTags(tags: readonly string[]): string[] {
  const wrong = tags.find(
    (tag) => !/^\S(?:.*\S)?$/u.test(tag) || tag.length > MAX_TAG_CHARS || /[\p{Cc}\p{Cs}]/u.test(tag),
  );
  if (wrong !== undefined) throw invalid(`"${inertLine(wrong).slice(0, 40)}" is no tag`);
  const distinct = [...new Set(tags)];
  if (distinct.length > MAX_TAGS) throw invalid(`a snapshot has at most ${MAX_TAGS} tags`);
  return distinct;
}

async function describe(
  session: Session,
  id: string,
  body: Parameters<typeof writeRecord>[1],
  context: CallContext,
): Promise<null> {
  const snapshot = await session.snapshot(id, context);
  const { records } = await session.catalog(context);
  await writeRecord(session.repository, body, [snapshot.sid], records, context);
  await session.catalog(context, true);
  return null;
}

export async function forget(
  session: Session,
  { snapshots: ids }: ArgumentOf<"forget">,
  context: CallContext,
): Promise<{ forgotten: number }> {
  const wanted = new Set(ids);
  if (wanted.size === 0 || wanted.size > MAX_FORGOTTEN)
    throw invalid(`${wanted.size} snapshots cannot be forgotten at once`);
  const catalog = await loadCatalog(session.repository, { ...context, fresh: true });
  const found = catalog.snapshots.filter(({ sid }) => wanted.has(sid));
  const known = new Set<string>(found.map(({ sid }) => sid));
  const missing = [...wanted].find((id) => !known.has(id));
  if (missing !== undefined) {
    throw new RepriseError("not-found", "SNAPSHOT_NOT_FOUND", `there is no snapshot ${inertLine(missing)}`, {
      data: { snapshotId: missing },
      hint: "nothing was forgotten; refresh the list",
    });
  }
  checkForgettable(found, catalog);
  try {
    await forgetSnapshots(
      session.repository,
      found.map(({ sid }) => sid),
      "forgotten in the editor",
      context,
    );
  } finally {
    await session.catalog(context, true).catch(() => {});
  }
  return { forgotten: found.length };
}

/** What is asked for is impossible. */
export function invalid(message: string): RepriseError {
  return new RepriseError("usage", "SERVICE_VALUE_INVALID", message, { hint: "nothing was changed" });
}
