// Prune and gc: a plan is shown, kept under a name, and applied only while it is still what would be done.

import { createHash } from "node:crypto";
import {
  applyPrune as applyPlannedPrune,
  checkKeepOptions,
  collectGarbage,
  DEFAULT_FENCE_AFTER_MS,
  DEFAULT_MAX_UNUSED,
  DEFAULT_TIME_DISTRUST,
  type GcReport,
  type GroupPrunePlan,
  inertLine,
  loadCatalog,
  openTimeZone,
  type PruneScope,
  planRepositoryPrune,
  qualifiedGroup,
  RepriseError,
  splitNamespace,
} from "../../core/index.js";
import { type GcPlanData, type GcResultData, MAX_GC_LINES, type PrunePlanData } from "./actionsProtocol.js";
import { machineOf } from "./catalogAnswers.js";
import type { ArgumentOf } from "./protocol.js";
import type { CallContext, Session } from "./session.js";

/** Plans of one repository that may still be applied; the oldest ones are forgotten. */
const MAX_PLANS = 16;
/** What was shown longer ago is shown again. */
const MAX_PLAN_AGE_MS = 60 * 60 * 1000;

interface KeptPlan {
  atMs: number;
  /** Null: a gc. */
  scope: PruneScope | null;
  digest: string;
}

const plansOf = new WeakMap<Session, Map<string, KeptPlan>>();

export async function planPrune(
  session: Session,
  { machine, keep: given, timeZone }: ArgumentOf<"planPrune">,
  context: CallContext,
): Promise<PrunePlanData> {
  const { repository } = session;
  const keep = checkKeepOptions(given);
  openTimeZone(timeZone);
  const place = machine === null ? { namespace: null, group: null } : splitNamespace(machine);
  const distrust = repository.config.keeper === null ? undefined : DEFAULT_TIME_DISTRUST;
  const scope = { ...place, keep, timeZone, nowMs: repository.environment.now(), distrust };
  const groups = await plannedGroups(session, scope, context);
  const lines = groups.flatMap(({ namespace, group, decisions }) =>
    decisions.map(({ snapshot, mark, reasons }) => ({
      ...{ machine: qualifiedGroup(namespace, group), snapshotId: snapshot.sid, timeMs: snapshot.timeMs, mark },
      reasons: reasons.map(inertLine),
      newBytes: snapshot.manifest.statistics.bytesNew,
    })),
  );
  const plan = keepPlan(session, scope, pruneDigest(groups));
  return { plan, timeZone, lines, removes: lines.filter(({ mark }) => mark === "remove").length };
}

export async function applyPrune(
  session: Session,
  { plan: name, confirmed }: ArgumentOf<"applyPrune">,
  context: CallContext,
): Promise<{ forgotten: number }> {
  const { scope, digest } = keptPlan(session, name);
  if (scope === null) throw planChanged("it is a plan of another kind");
  const groups = await plannedGroups(session, scope, context);
  if (pruneDigest(groups) !== digest) throw planChanged("snapshots were made, forgotten or protected since");
  plansOf.get(session)?.delete(name);
  try {
    const forgotten = await applyPlannedPrune(session.repository, groups, {
      ...context,
      confirmed: confirmed === true,
    });
    return { forgotten: forgotten.length };
  } finally {
    await session.catalog(context, true).catch(() => {});
  }
}

async function plannedGroups(session: Session, scope: PruneScope, context: CallContext): Promise<GroupPrunePlan[]> {
  return planRepositoryPrune(await loadCatalog(session.repository, { ...context, fresh: true }), scope);
}

function pruneDigest(groups: readonly GroupPrunePlan[]): string {
  return digestOf(
    groups.flatMap(({ decisions }) => decisions.map(({ id, mark, snapshot }) => [machineOf(snapshot), id, mark])),
  );
}

export async function planGc(session: Session, context: CallContext): Promise<GcPlanData> {
  const { plan } = await collect(session, true, false, context);
  const changed = plan.packs.filter(({ action }) => action !== "keep");
  const { totalBytes, freedBytes, repackedBytes, unusedBytes } = plan;
  return {
    plan: keepPlan(session, null, gcDigest(plan)),
    ...{ totalBytes, freedBytes, repackedBytes, unusedBytes },
    packs: changed.slice(0, MAX_GC_LINES).map(({ reason, ...pack }) => ({ ...pack, reason: inertLine(reason) })),
    packsChanged: changed.length,
    packsKept: plan.packs.length - changed.length,
  };
}

export async function applyGc(
  session: Session,
  { plan: name, confirmed }: ArgumentOf<"applyGc">,
  context: CallContext,
): Promise<GcResultData> {
  const { scope, digest } = keptPlan(session, name);
  if (scope !== null) throw planChanged("it is a plan of another kind");
  const { plan } = await collect(session, true, false, context);
  if (gcDigest(plan) !== digest) throw planChanged("other packs would go than were shown");
  plansOf.get(session)?.delete(name);
  const report = await collect(session, false, confirmed === true, context);
  const { deletedPacks, deletedBytes, repackedPacks, waitingFor, durationMs } = report;
  return {
    ...{ deletedPacks, deletedBytes, repackedPacks, durationMs },
    waitingFor: waitingFor.map(({ sid, silentMs }) => ({ snapshotId: sid, silentMs })),
  };
}

async function collect(session: Session, dryRun: boolean, confirmed: boolean, context: CallContext): Promise<GcReport> {
  const request = { dryRun, confirmed, fenceAfterMs: DEFAULT_FENCE_AFTER_MS, maxUnused: DEFAULT_MAX_UNUSED };
  return await collectGarbage(session.repository, request, context);
}

function gcDigest({ packs }: GcReport["plan"]): string {
  const changed = packs.filter(({ action }) => action !== "keep").map(({ name, action }) => `${name} ${action}`);
  return digestOf(changed.sort());
}

function digestOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

function keepPlan(session: Session, scope: PruneScope | null, digest: string): string {
  const plans = plansOf.get(session) ?? new Map<string, KeptPlan>();
  plansOf.set(session, plans);
  const name = session.repository.newId();
  plans.set(name, { atMs: Date.now(), scope, digest });
  for (const oldest of plans.keys()) {
    if (plans.size <= MAX_PLANS) break;
    plans.delete(oldest);
  }
  return name;
}

function keptPlan(session: Session, name: string): KeptPlan {
  const plan = plansOf.get(session)?.get(name);
  if (plan === undefined) throw planChanged("it was applied already, or is not known any more");
  if (Date.now() - plan.atMs > MAX_PLAN_AGE_MS) throw planChanged("it was shown more than an hour ago");
  return plan;
}

function planChanged(why: string): RepriseError {
  return new RepriseError("usage", "SERVICE_PLAN_CHANGED", `the plan that was shown does not hold any more: ${why}`, {
    hint: "nothing was changed; look at a new preview",
  });
}
