// Which packs to delete and which to repack. A pure decision over what marking has counted; docs/gc.md says it in words.

export interface PackUsage<Name extends string = string> {
  name: Name;
  sizeBytes: number;
  /** Stored bytes (with headers and table) of blobs that snapshots need from this very pack; 0: none. */
  usedBytes: number;
  /** The creator has committed or was given up: only then may the pack go. */
  creatorDecided: boolean;
  /** Some blob in it was found damaged and a good copy is elsewhere. */
  hasQuarantined: boolean;
  /** Why the pack must stay as it is, whatever is in it. */
  held?: string;
}

export interface GcPolicy {
  /** Unused bytes that may stay, as a share of all bytes (0–1). Repacking stops there. */
  maxUnused: number;
  /** Packs below this size count as small. */
  smallPackBytes: number;
  /** So many small packs are merged into larger ones. */
  mergeSmallFrom: number;
}

export interface PlannedPack<Name extends string = string> {
  name: Name;
  sizeBytes: number;
  usedBytes: number;
  action: "delete" | "repack" | "keep";
  reason: string;
}

export interface GcPlanSummary<Name extends string = string> {
  packs: PlannedPack<Name>[];
  totalBytes: number;
  /** Bytes freed by deletions and by repacking. */
  freedBytes: number;
  /** Bytes that repacking reads and writes again. */
  repackedBytes: number;
  /** Unused bytes that stay. */
  unusedBytes: number;
}

export const DEFAULT_GC_POLICY: Omit<GcPolicy, "smallPackBytes"> = { maxUnused: 0.05, mergeSmallFrom: 32 };

/** Every pack gets an action and a reason, in the order given. */
export function planGc<Name extends string>(packs: readonly PackUsage<Name>[], policy: GcPolicy): GcPlanSummary<Name> {
  const totalBytes = packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const repack = choosePacksToRepack(packs, policy, totalBytes);
  const planned = packs.map((pack) => planPack(pack, repack));
  const summary: GcPlanSummary<Name> = { packs: planned, totalBytes, freedBytes: 0, repackedBytes: 0, unusedBytes: 0 };
  for (const { action, sizeBytes, usedBytes } of planned) {
    if (action === "delete") summary.freedBytes += sizeBytes;
    else if (action === "repack") {
      summary.freedBytes += sizeBytes - usedBytes;
      summary.repackedBytes += usedBytes;
    } else summary.unusedBytes += sizeBytes - usedBytes;
  }
  return summary;
}

function planPack<Name extends string>(pack: PackUsage<Name>, repack: ReadonlyMap<Name, string>): PlannedPack<Name> {
  const { name, sizeBytes, usedBytes } = pack;
  const base = { name, sizeBytes, usedBytes };
  if (pack.held !== undefined) return { ...base, action: "keep", reason: pack.held };
  if (!pack.creatorDecided) return { ...base, action: "keep", reason: "its backup is still running" };
  if (usedBytes === 0) return { ...base, action: "delete", reason: "no snapshot needs anything in it" };
  const reason = repack.get(name);
  if (reason !== undefined) return { ...base, action: "repack", reason };
  return { ...base, action: "keep", reason: `${percent(usedBytes, sizeBytes)} in use` };
}

/** Worst packs first, until what stays unused is within the limit; and small packs when there are many. */
function choosePacksToRepack<Name extends string>(
  packs: readonly PackUsage<Name>[],
  policy: GcPolicy,
  totalBytes: number,
): Map<Name, string> {
  const chosen = new Map<Name, string>();
  const candidates = packs.filter(({ creatorDecided, usedBytes, held }) => {
    return creatorDecided && usedBytes > 0 && held === undefined;
  });
  const unused = (pack: PackUsage<Name>) => pack.sizeBytes - pack.usedBytes;
  for (const pack of candidates) if (pack.hasQuarantined) chosen.set(pack.name, "holds a damaged copy");
  let unusedBytes = candidates.reduce((sum, pack) => sum + (chosen.has(pack.name) ? 0 : unused(pack)), 0);
  const worstFirst = candidates
    .filter((pack) => !chosen.has(pack.name) && isWorthRepacking(pack))
    .sort((a, b) => unused(b) / b.sizeBytes - unused(a) / a.sizeBytes || (a.name < b.name ? -1 : 1));
  for (const pack of worstFirst) {
    if (unusedBytes <= policy.maxUnused * totalBytes) break;
    chosen.set(pack.name, `only ${percent(pack.usedBytes, pack.sizeBytes)} in use`);
    unusedBytes -= unused(pack);
  }
  const small = candidates.filter(({ name, sizeBytes }) => sizeBytes < policy.smallPackBytes && !chosen.has(name));
  if (small.length >= policy.mergeSmallFrom)
    for (const { name } of small) chosen.set(name, "small; merged with others");
  return chosen;
}

/** A pack is worth copying only when a real part of it is garbage. */
function isWorthRepacking({ sizeBytes, usedBytes }: PackUsage): boolean {
  return (sizeBytes - usedBytes) / sizeBytes > 0.02;
}

function percent(part: number, whole: number): string {
  return `${Math.round((100 * part) / whole)} %`;
}
