// The facts of the overview, from the catalog and the statistics of a repository.

import {
  type Catalog,
  inertLine,
  type JobRecordData,
  repositoryStats,
  type Snapshot,
  type StoredTest,
  testHistory,
} from "../../core/index.js";
import { machineOf } from "./catalogAnswers.js";
import {
  type BackupPoint,
  type JobLine,
  MAX_JOB_LINES,
  MAX_RECOVERY_POINTS,
  type MachineProof,
  type OverviewData,
} from "./overviewProtocol.js";
import type { CallContext, Session } from "./session.js";

export async function readOverview(session: Session, context: CallContext): Promise<OverviewData> {
  const catalog = await session.catalog(context, true);
  const stats = await repositoryStats(session.repository, context);
  const { logicalBytes, uniqueBytes, storedBytes, packs, chunks, compressionRatio, totalRatio } = stats;
  return {
    location: session.repository.backend.location,
    atMs: session.repository.environment.now(),
    backups: catalog.snapshots.map(backupPoint),
    machines: machineProofs(catalog),
    jobs: jobLines(catalog),
    recovery: recoveryTimes(catalog),
    unreadable: catalog.unreadable.length,
    totals: {
      ...{ logicalBytes, uniqueBytes, storedBytes, chunks, compressionRatio, totalRatio },
      ...{ packs: packs.count, unusedBytes: packs.unusedBytes },
    },
  };
}

function backupPoint(snapshot: Snapshot): BackupPoint {
  const { archives, statistics } = snapshot.manifest;
  return {
    machine: machineOf(snapshot),
    snapshotId: snapshot.sid,
    atMs: snapshot.timeMs,
    sizeBytes: archives.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    newBytes: statistics.bytesNew,
    storedBytes: statistics.bytesStored,
  };
}

function machineProofs(catalog: Catalog): MachineProof[] {
  const tests = Map.groupBy(realTests(catalog), ({ record }) => record.asset.machine);
  return [...Map.groupBy(catalog.snapshots, machineOf)].map(([machine, own]): MachineProof => {
    const newest = own.at(-1) as Snapshot;
    const damaged = own.filter(isDamaged);
    const seen = damaged.flatMap(({ verification }) => (verification === null ? [] : [Date.parse(verification.at)]));
    return {
      machine,
      snapshots: own.length,
      newestId: newest.sid,
      newestAtMs: newest.timeMs,
      test: testOf(tests.get(machine)?.at(-1), newest),
      verification: verificationOf(own, newest),
      damaged: damaged.length,
      damagedAtMs: seen.length === 0 ? null : Math.max(...seen),
    };
  });
}

function testOf(test: StoredTest | undefined, { digest, manifest }: Snapshot): MachineProof["test"] {
  if (test === undefined) return null;
  const { result, times, backup } = test.record;
  return {
    outcome: result.outcome,
    provenLevel: result.provenLevel,
    atMs: Date.parse(times.finishedAt),
    ofNewest: [digest, manifest.origin?.digest].includes(backup.manifestDigest),
  };
}

function verificationOf(own: readonly Snapshot[], newest: Snapshot): MachineProof["verification"] {
  const found = own.flatMap(({ sid, verification }) => {
    if (verification === null) return [];
    const { result, level, at } = verification;
    return [{ result, level, atMs: Date.parse(at), ofNewest: sid === newest.sid }];
  });
  return found.find(({ ofNewest }) => ofNewest) ?? latest(found);
}

/** Oldest first. */
function realTests(catalog: Catalog): StoredTest[] {
  return testHistory(catalog).tests.filter(({ record }) => !record.simulated);
}

function isDamaged({ verification, manifest }: Snapshot): boolean {
  return verification?.result === "damaged" || manifest.archives.some(({ lost }) => lost.length > 0);
}

function latest<T extends { atMs: number }>(all: readonly T[]): T | null {
  return all.reduce<T | null>((best, each) => (best === null || each.atMs >= best.atMs ? each : best), null);
}

function jobLines({ records }: Catalog): JobLine[] {
  return records
    .flatMap((record) => (record.type === "job" ? [jobLine(record.data)] : []))
    .sort((a, b) => b.startedAtMs - a.startedAtMs)
    .slice(0, MAX_JOB_LINES);
}

function jobLine({ job, command, outcome, trigger, host, machines, ...times }: JobRecordData): JobLine {
  return {
    ...{ command, outcome, trigger, job: inertLine(job), host: inertLine(host), machines: machines.length },
    startedAtMs: Date.parse(times.startedAt),
    finishedAtMs: Date.parse(times.finishedAt),
  };
}

/** As the job reports' trends: the fastest way of each test that was no drill. */
function recoveryTimes(catalog: Catalog): OverviewData["recovery"] {
  const tests = Map.groupBy(realTests(catalog), ({ record }) => record.asset.machine);
  return [...tests].flatMap(([machine, own]) => {
    const points = own.flatMap(({ record: { times, result } }) => {
      if (times.rto.length === 0) return [];
      const totalMs = Math.min(...times.rto.map(({ totalMs }) => totalMs));
      return [{ atMs: Date.parse(times.finishedAt), totalMs, outcome: result.outcome }];
    });
    if (points.length === 0) return [];
    const objectiveMs = own.at(-1)?.record.times.objectives.rtoMs ?? null;
    return [{ machine: inertLine(machine), objectiveMs, points: points.slice(-MAX_RECOVERY_POINTS) }];
  });
}
