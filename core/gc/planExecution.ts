// From a plan to deleted packs: steps G2–G9 of docs/protocol.md. Any process may take over anybody's plan at any point.

import { isOurError } from "../errors.js";
import { decodeGcFinal, decodeGcPlan, encodeGcFinal, encodeGcPlan, type GcPlan } from "../format/gcPlan.js";
import { baseName, bytesToHex, folder, isSid, objectName, type PackName, type Sid } from "../format/ids.js";
import { mapConcurrent } from "../platform/concurrency.js";
import { Lifetime } from "../repository/lifetime.js";
import { listCondemned, listPacks, loadQuarantine } from "../repository/presence.js";
import type { Repository } from "../repository/repository.js";
import { checkVerdict, signVerdict } from "../repository/verdicts.js";
import type { OnWarning } from "../repository/warnings.js";
import { deleteAll } from "../storage/deleteAll.js";
import { fenceSilent, listSessions, type OpenSession } from "./fencing.js";
import { loadNeeds, type MarkOptions } from "./marks.js";
import { provenDeletable } from "./proof.js";

export interface ExecutionOptions extends MarkOptions {
  fenceAfterMs: number;
  onWarning: OnWarning;
}

export type Execution =
  | { outcome: "done"; gid: Sid; deleted: PackName[]; fenced: Sid[] }
  /** Sessions that were open when the plan was made have not been decided; a later run goes on from here. */
  | { outcome: "waiting"; gid: Sid; victims: readonly PackName[]; waitingFor: OpenSession[]; fenced: Sid[] }
  /** What was decided cannot be read: nothing is deleted, and nobody relies on the plan's packs. */
  | { outcome: "stuck"; gid: Sid };

/** G2: the announcement that these packs will go. From here on no writer relies on them. */
export async function writePlan(repository: Repository, victims: readonly PackName[]): Promise<GcPlan> {
  const said: GcPlan = { gid: repository.newId(), at: repository.nowIso(), by: repository.author, victims };
  const name = objectName.plan(said.gid);
  const plan = signVerdict(repository, name, said);
  await repository.objects.write(name, "gcPlan", encodeGcPlan(plan));
  return plan;
}

/** Plans in the repository, of this and of earlier, perhaps crashed, collectors. */
export async function listPlans(repository: Repository, options: { signal?: AbortSignal }): Promise<Sid[]> {
  const gids: Sid[] = [];
  for await (const { key } of repository.backend.list(folder.gc, options)) {
    const gid = baseName(key).replace(/\.plan$/, "");
    if (key.endsWith(".plan") && isSid(gid)) gids.push(gid);
  }
  return gids;
}

/** G3–G9 for one plan. SESSION_TOO_OLD when that takes more than 30 days. */
export async function executePlan(repository: Repository, gid: Sid, options: ExecutionOptions): Promise<Execution> {
  const lifetime = new Lifetime(repository.environment);
  const plan = await readPlan(repository, gid, options);
  if (plan === "gone") return { outcome: "done", gid, deleted: [], fenced: [] };
  let final = await readFinalOrWarn(repository, gid, options);
  if (final === "unreadable") return { outcome: "stuck", gid };
  let fenced: Sid[] = [];
  if (final === null && plan === "unreadable") final = await decide(repository, gid, [], lifetime);
  if (final === null) {
    const { victims } = plan as GcPlan;
    const barrier = await passBarrier(repository, options);
    if (barrier.waitingFor.length > 0) return { outcome: "waiting", gid, victims, ...barrier };
    fenced = barrier.fenced;
    final = await decide(repository, gid, await stillDeletable(repository, plan as GcPlan, options), lifetime);
  }
  await deletePacks(repository, final, lifetime, options);
  await repository.backend.delete(objectName.plan(gid), options);
  return { outcome: "done", gid, deleted: final, fenced };
}

/** G3 and G4: every session announced by now must be decided. A larger barrier than the first one is always safe. */
async function passBarrier(
  repository: Repository,
  options: ExecutionOptions,
): Promise<{ waitingFor: OpenSession[]; fenced: Sid[] }> {
  const lastSeen = new Map<Sid, number>();
  for (const [sid, { modifiedAtMs }] of await listSessions(repository, options)) lastSeen.set(sid, modifiedAtMs);
  const { open, fenced } = await fenceSilent(repository, lastSeen, options);
  return { waitingFor: open, fenced };
}

/**
 * G5–G7, fresh and in this order: other plans, snapshots, packs. A victim may go only if everything live in it has a copy in
 * a listed pack that neither this nor any other plan or final names, and that is not known to be damaged. A pack of which
 * nobody can tell what is in it stays, and with two roles also one that only writers' words let go.
 */
async function stillDeletable(repository: Repository, plan: GcPlan, options: ExecutionOptions): Promise<PackName[]> {
  const victims = new Set(plan.victims);
  const doubtful = await listDoubtful(repository, plan.gid, options);
  const quarantined = await loadQuarantine(repository, options);
  const { presence, marks } = await loadNeeds(repository, options);
  const needed = new Set<PackName>();
  const isSafe = (id: Uint8Array, { pack }: { pack: PackName }) =>
    !victims.has(pack) && !doubtful.has(pack) && !quarantined.has(`${pack}/${bytesToHex(id)}`);
  presence.index.forEach((id, { pack }) => {
    if (!victims.has(pack) || needed.has(pack) || !marks.isLive(id)) return;
    if (!presence.index.copies(id).some((copy) => isSafe(id, copy))) needed.add(pack);
  });
  const isKnown = (pack: PackName) => presence.packs.has(pack) && !presence.opaque.has(pack);
  const deletable = plan.victims.filter((pack) => isKnown(pack) && !needed.has(pack));
  if (repository.config.keeper === null) return deletable;
  return provenDeletable(repository, deletable, { presence, marks, isSafe }, options);
}

/** G5: packs in other plans and in any final. */
async function listDoubtful(repository: Repository, gid: Sid, options: ExecutionOptions): Promise<Set<PackName>> {
  const condemned = await listCondemned(repository, options, { except: objectName.plan(gid) });
  if (!condemned.everything) return condemned.packs;
  return new Set((await listPacks(repository, options)).keys());
}

/** G8: one list for everybody who executes this plan. */
async function decide(
  repository: Repository,
  gid: Sid,
  packs: readonly PackName[],
  lifetime: Lifetime,
): Promise<PackName[]> {
  lifetime.check("this collection");
  const name = objectName.final(gid);
  const final = signVerdict(repository, name, { gid, at: repository.nowIso(), by: repository.author, delete: packs });
  await repository.objects.writeOnce(name, "gcFinal", encodeGcFinal(final));
  return (await readFinal(repository, gid)) ?? [];
}

/** G9, first half; may stop anywhere and be repeated. */
async function deletePacks(
  repository: Repository,
  packs: readonly PackName[],
  lifetime: Lifetime,
  options: ExecutionOptions,
): Promise<void> {
  let done = 0;
  const remove = async (names: readonly PackName[]) => {
    lifetime.check("this collection");
    await deleteAll(repository.backend, names.map(objectName.pack), options);
    done += names.length;
    options.onProgress?.({ operation: "gc", phase: "delete", done, total: packs.length, unit: "objects" });
  };
  const size = repository.backend.deleteMany === undefined ? 1 : PACKS_PER_DELETE;
  const starts = Array.from({ length: Math.ceil(packs.length / size) }, (_, batch) => batch * size);
  await mapConcurrent(starts, (start) => remove(packs.slice(start, start + size)));
}

/** One request for many, where the storage has it, and still a look at the clock now and then. */
const PACKS_PER_DELETE = 500;

async function readPlan(
  repository: Repository,
  gid: Sid,
  options: ExecutionOptions,
): Promise<GcPlan | "gone" | "unreadable"> {
  const name = objectName.plan(gid);
  try {
    return checkVerdict(repository, name, decodeGcPlan(await repository.objects.read(name, "gcPlan", options), name));
  } catch (error) {
    if (isOurError(error, "OBJECT_NOT_FOUND")) return "gone";
    if (!isOurError(error) || error.family === "backend") throw error;
    options.onWarning({ code: error.code, message: `${error.message}; the plan is abandoned`, data: { object: name } });
    return "unreadable";
  }
}

/** What was decided must be known before anything is deleted; another decision under the same name is impossible. */
async function readFinalOrWarn(
  repository: Repository,
  gid: Sid,
  options: ExecutionOptions,
): Promise<PackName[] | null | "unreadable"> {
  try {
    return await readFinal(repository, gid);
  } catch (error) {
    if (!isOurError(error) || error.family === "backend") throw error;
    const message = `${error.message}; this collection stays undone until the object is restored or 90 days old`;
    options.onWarning({ code: error.code, message, data: { object: objectName.final(gid) } });
    return "unreadable";
  }
}

async function readFinal(repository: Repository, gid: Sid): Promise<PackName[] | null> {
  const name = objectName.final(gid);
  try {
    return [
      ...checkVerdict(repository, name, decodeGcFinal(await repository.objects.read(name, "gcFinal"), name)).delete,
    ];
  } catch (error) {
    if (isOurError(error, "OBJECT_NOT_FOUND")) return null;
    throw error;
  }
}
