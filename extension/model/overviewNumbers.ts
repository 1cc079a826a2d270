// What follows from the facts of a repository: how it has grown, where that leads, which backups are out of the ordinary. Pure.

import type { BackupPoint, MachineProof, OverviewData, RecoveryPoint } from "../service/overviewProtocol.js";

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
  /** Only as far as three times what was looked at. The range is of 95 %, for the mean and for the days to come. */
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
const HORIZONS = [7, 30, 90, 365];

/**
 * The mean of what backups added on each whole day of the last 90 (days without a backup count as 0), without the first snapshot of
 * each machine, which is no growth. What was forgotten since is not known here; retention and gc are not in it.
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
  const times = studentQuantile(days - 1);
  const after = (bytes: number) => totals.storedBytes + Math.max(0, bytes);
  const horizons = HORIZONS.filter((ahead) => ahead <= 3 * days).map((ahead) => {
    // the mean is not known better than this, and the days to come scatter as those before
    const margin = times * Math.sqrt(variance * (ahead ** 2 / days + ahead));
    const bytes = mean * ahead;
    return { days: ahead, bytes: after(bytes), lowBytes: after(bytes - margin), highBytes: after(bytes + margin) };
  });
  return { kind: "forecast", days, bytesPerDay: mean, marginPerDay: times * Math.sqrt(variance / days), horizons };
}

/**
 * So many standard errors to either side hold 95 %: Student's t, which is wider than the normal distribution when there are few
 * values. Cornish-Fisher expansion, Abramowitz and Stegun 26.7.5; from 6 degrees of freedom on, right to three digits.
 */
function studentQuantile(freedom: number): number {
  const z = 1.959964;
  const [z3, z5, z7] = [z ** 3, z ** 5, z ** 7];
  const first = (z3 + z) / 4;
  const second = (5 * z5 + 16 * z3 + 3 * z) / 96;
  const third = (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / 384;
  return z + first / freedom + second / freedom ** 2 + third / freedom ** 3;
}

export interface ChangeAnomaly {
  backup: BackupPoint;
  /** New bytes of the backups before it, the middle one. */
  usualBytes: number;
  /** So many times the usual. */
  factor: number;
}

export const ANOMALY_FACTOR = 5;
/** Robust standard deviations: 1.4826 times the middle of the distances from the middle one. */
export const ANOMALY_DEVIATIONS = 5;
const ROBUST = 1.4826;
/** Backups before it that tell what is usual. */
export const ANOMALY_WINDOW = 20;
export const ANOMALY_MIN_BEFORE = 5;
/** Less than this is never out of the ordinary. */
export const ANOMALY_MIN_BYTES = 1024 * 1024;

/**
 * Backups with many times the usual new bytes of their machine, and far outside of their scatter, newest first: a new application, or
 * an attacker who encrypts.
 */
export function changeAnomalies(backups: readonly BackupPoint[]): ChangeAnomaly[] {
  const found: ChangeAnomaly[] = [];
  for (const own of Map.groupBy(backups, ({ machine }) => machine).values()) {
    const ordered = own.toSorted((a, b) => a.atMs - b.atMs);
    // the first one is a full one
    for (let i = ANOMALY_MIN_BEFORE + 1; i < ordered.length; i++) {
      const backup = ordered[i] as BackupPoint;
      const before = ordered.slice(Math.max(1, i - ANOMALY_WINDOW), i).map(({ newBytes }) => newBytes);
      // most are not: no need to sort what came before them
      const within = backup.newBytes / ANOMALY_FACTOR;
      if (backup.newBytes < ANOMALY_MIN_BYTES || 2 * before.filter((each) => each <= within).length < before.length)
        continue;
      const usualBytes = median(before);
      const scatter = ROBUST * median(before.map((each) => Math.abs(each - usualBytes)));
      const factor = backup.newBytes / Math.max(usualBytes, 1);
      const isFar = backup.newBytes > usualBytes + ANOMALY_DEVIATIONS * scatter;
      if (isFar && factor >= ANOMALY_FACTOR)
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
  /** It was shown on a snapshot that is not the newest one: of what is there now nothing is proven. */
  isEarlier: boolean;
}

/** The least proven first; what was shown on an earlier snapshot before what was shown on the newest; then the oldest proof. */
export function machineRows(machines: readonly MachineProof[]): MachineRow[] {
  return machines
    .map(machineRow)
    .sort(
      (a, b) =>
        proofRank(a) - proofRank(b) ||
        (a.provenAtMs ?? 0) - (b.provenAtMs ?? 0) ||
        a.proof.newestAtMs - b.proof.newestAtMs,
    );
}

/** Its place in the order of levels. */
export function proofRank({ level, isEarlier }: Pick<MachineRow, "level" | "isEarlier">): number {
  return 2 * PROOF_LEVELS.indexOf(level) + (isEarlier ? 0 : 1);
}

/** How many machines have each level, from the lowest; levels that none has are left out. */
export function levelCounts(rows: readonly MachineRow[]): { level: ProofLevel; machines: number }[] {
  return PROOF_LEVELS.flatMap((level) => {
    const machines = rows.filter((row) => row.level === level).length;
    return machines === 0 ? [] : [{ level, machines }];
  });
}

function machineRow(proof: MachineProof): MachineRow {
  const { test, verification, damaged, damagedAtMs } = proof;
  if (damaged > 0) return { proof, level: "damaged", provenAtMs: damagedAtMs, isEarlier: false };
  const level =
    test !== null && isGood(test.outcome) ? PROOF_LEVELS.find((each) => each === test.provenLevel) : undefined;
  if (test !== null && level !== undefined) return { proof, level, provenAtMs: test.atMs, isEarlier: !test.ofNewest };
  if (verification?.result === "ok")
    return { proof, level: verification.level, provenAtMs: verification.atMs, isEarlier: !verification.ofNewest };
  return { proof, level: "unproven", provenAtMs: null, isEarlier: false };
}

/** A restore test with this outcome has proven something. */
export function isGood(outcome: string): boolean {
  return outcome === "passed" || outcome === "warned";
}

export interface RecoveryTrend {
  machine: string;
  objectiveMs: number | null;
  /** Of tests that passed, with or without warnings; a machine that did not come back has no recovery time. Oldest first. */
  points: readonly RecoveryPoint[];
  /** Tests with another outcome. */
  others: number;
  /** Points within the objective; null: there is none. */
  within: number | null;
}

/** Machines of which at least one test has passed; furthest over their objective first, then by name. */
export function recoveryTrends(recovery: OverviewData["recovery"]): RecoveryTrend[] {
  const trends = recovery.flatMap(({ machine, objectiveMs, points: all }): RecoveryTrend[] => {
    const points = all.filter(({ outcome }) => isGood(outcome));
    if (points.length === 0) return [];
    const within = objectiveMs === null ? null : points.filter(({ totalMs }) => totalMs <= objectiveMs).length;
    return [{ machine, objectiveMs, points, others: all.length - points.length, within }];
  });
  const over = ({ points, objectiveMs }: RecoveryTrend) =>
    objectiveMs === null ? 0 : (points.at(-1)?.totalMs ?? 0) / objectiveMs;
  return trends.sort((a, b) => over(b) - over(a) || (a.machine < b.machine ? -1 : 1));
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
