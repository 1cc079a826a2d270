// What follows from the facts of a repository: how it has grown, where that leads, which backups are out of the ordinary. Pure.

import type { BackupPoint, MachineProof, OverviewData } from "../service/overviewProtocol.js";

const DAY_MS = 86_400_000;

export interface CapacityPoint {
  /** The end of a day (UTC). */
  atMs: number;
  /** What is stored now, less what was added after this day. */
  storedBytes: number;
  /** All disks of the snapshots made until then, each counted in full. */
  logicalBytes: number;
}

/**
 * One point for each day with a backup. It ends at what is stored now. What gc has freed since is in no point: of a past that is
 * not recorded nothing is claimed.
 */
export function capacityOverTime({ backups, totals }: Pick<OverviewData, "backups" | "totals">): CapacityPoint[] {
  const days = [...Map.groupBy(backups, ({ atMs }) => dayOf(atMs))].sort(([a], [b]) => a - b);
  let after = backups.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
  let logicalBytes = 0;
  return days.map(([day, made]) => {
    for (const { storedBytes, sizeBytes } of made) {
      after -= storedBytes;
      logicalBytes += sizeBytes;
    }
    return { atMs: (day + 1) * DAY_MS, storedBytes: Math.max(0, totals.storedBytes - after), logicalBytes };
  });
}

/** How many times over the data is there: 1 for nothing saved. */
export function dedupRatio({ logicalBytes, storedBytes }: CapacityPoint): number {
  return storedBytes > 0 ? logicalBytes / storedBytes : 1;
}

export interface GrowthForecast {
  kind: "forecast";
  /** Days that were looked at. */
  days: number;
  bytesPerDay: number;
  /** 95 of 100 means of such days lie within so many bytes a day. */
  marginPerDay: number;
  /** Only as far as three times what was looked at. */
  horizons: readonly { days: number; bytes: number; lowBytes: number; highBytes: number }[];
}

export interface NoForecast {
  kind: "none";
  /** What there is of what is needed. */
  days: number;
  backups: number;
}

/** A mean of fewer days, or of fewer backups, says nothing. */
export const FORECAST_MIN_DAYS = 7;
export const FORECAST_MIN_BACKUPS = 7;
const FORECAST_WINDOW_DAYS = 90;
const HORIZONS = [30, 90, 365];

/**
 * The mean of what backups added on each whole day of the last 90 (days without a backup count as 0), without the first snapshot of
 * each machine, which is no growth. Retention and gc are not in it.
 */
export function forecastGrowth({
  backups,
  atMs,
  totals,
}: Pick<OverviewData, "backups" | "atMs" | "totals">): GrowthForecast | NoForecast {
  const today = dayOf(atMs);
  const growth = withoutFirsts(backups).filter((backup) => {
    const day = dayOf(backup.atMs);
    return day < today && day >= today - FORECAST_WINDOW_DAYS;
  });
  const first = backups.reduce((least, backup) => Math.min(least, dayOf(backup.atMs)), Number.POSITIVE_INFINITY);
  const days = Number.isFinite(first) ? Math.max(0, Math.min(today - first - 1, FORECAST_WINDOW_DAYS)) : 0;
  if (days < FORECAST_MIN_DAYS || growth.length < FORECAST_MIN_BACKUPS)
    return { kind: "none", days, backups: growth.length };
  const byDay = new Map<number, number>();
  for (const backup of growth) {
    const day = dayOf(backup.atMs);
    byDay.set(day, (byDay.get(day) ?? 0) + backup.storedBytes);
  }
  const added = Array.from({ length: days }, (_, i) => byDay.get(today - 1 - i) ?? 0);
  const mean = added.reduce((sum, bytes) => sum + bytes, 0) / days;
  const variance = added.reduce((sum, bytes) => sum + (bytes - mean) ** 2, 0) / (days - 1);
  const margin = 1.96 * Math.sqrt(variance / days);
  const at = (perDay: number, ahead: number) => totals.storedBytes + Math.max(0, perDay) * ahead;
  const horizons = HORIZONS.filter((ahead) => ahead <= 3 * days || ahead === HORIZONS[0]).map((ahead) => {
    const [lowBytes, bytes, highBytes] = [mean - margin, mean, mean + margin].map((each) => at(each, ahead));
    return { days: ahead, bytes: bytes ?? 0, lowBytes: lowBytes ?? 0, highBytes: highBytes ?? 0 };
  });
  return { kind: "forecast", days, bytesPerDay: mean, marginPerDay: margin, horizons };
}

export interface ChangeAnomaly {
  backup: BackupPoint;
  /** New bytes of the backups before it, the middle one. */
  usualBytes: number;
  /** So many times the usual. */
  factor: number;
}

const ANOMALY_FACTOR = 5;
/** Backups before it that tell what is usual. */
const ANOMALY_WINDOW = 20;
const ANOMALY_MIN_BEFORE = 5;
/** Less than this is never out of the ordinary. */
const ANOMALY_MIN_BYTES = 1024 * 1024;

/** Backups with many times the usual new bytes of their machine, newest first: a new application, or an attacker who encrypts. */
export function changeAnomalies(backups: readonly BackupPoint[]): ChangeAnomaly[] {
  const found: ChangeAnomaly[] = [];
  for (const own of Map.groupBy(backups, ({ machine }) => machine).values()) {
    const ordered = own.toSorted((a, b) => a.atMs - b.atMs);
    // the first one is a full one
    for (let i = ANOMALY_MIN_BEFORE + 1; i < ordered.length; i++) {
      const backup = ordered[i] as BackupPoint;
      const before = ordered.slice(Math.max(1, i - ANOMALY_WINDOW), i).map(({ newBytes }) => newBytes);
      const usualBytes = median(before);
      const factor = backup.newBytes / Math.max(usualBytes, 1);
      if (factor >= ANOMALY_FACTOR && backup.newBytes >= ANOMALY_MIN_BYTES)
        found.push({ backup, usualBytes, factor: usualBytes === 0 ? Number.POSITIVE_INFINITY : factor });
    }
  }
  return found.sort((a, b) => b.backup.atMs - a.backup.atMs);
}

/** From nothing to a service that answered; higher is better. Damage counts below all. */
export type ProofLevel = "damaged" | "unproven" | "structure" | "data" | "intact" | "readable" | "boots" | "serves";
export const PROOF_LEVELS: readonly ProofLevel[] = [
  ...(["damaged", "unproven", "structure", "data"] as const),
  ...(["intact", "readable", "boots", "serves"] as const),
];

export interface MachineRow {
  proof: MachineProof;
  level: ProofLevel;
  /** When that was shown; null: never. */
  provenAtMs: number | null;
}

/** The least proven first, then by age of the newest backup. */
export function machineRows(machines: readonly MachineProof[]): MachineRow[] {
  const rank = ({ level }: MachineRow) => PROOF_LEVELS.indexOf(level);
  return machines.map(machineRow).sort((a, b) => rank(a) - rank(b) || a.proof.newestAtMs - b.proof.newestAtMs);
}

function machineRow(proof: MachineProof): MachineRow {
  const { test, verification, damaged } = proof;
  if (damaged > 0) return { proof, level: "damaged", provenAtMs: verification?.atMs ?? null };
  if (test !== null && ["passed", "warned"].includes(test.outcome)) {
    const level = PROOF_LEVELS.find((each) => each === test.provenLevel) ?? "intact";
    return { proof, level, provenAtMs: test.atMs };
  }
  if (verification?.result === "ok") return { proof, level: verification.level, provenAtMs: verification.atMs };
  return { proof, level: "unproven", provenAtMs: null };
}

function withoutFirsts(backups: readonly BackupPoint[]): BackupPoint[] {
  const first = new Map<string, BackupPoint>();
  for (const backup of backups) {
    const known = first.get(backup.machine);
    if (known === undefined || backup.atMs < known.atMs) first.set(backup.machine, backup);
  }
  return backups.filter((backup) => first.get(backup.machine) !== backup);
}

function median(values: readonly number[]): number {
  const ordered = values.toSorted((a, b) => a - b);
  const [low, high] = [ordered[(ordered.length - 1) >> 1], ordered[ordered.length >> 1]];
  return ((low ?? 0) + (high ?? 0)) / 2;
}

function dayOf(atMs: number): number {
  return Math.floor(atMs / DAY_MS);
}
