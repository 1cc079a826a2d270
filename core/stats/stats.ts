// What the repository holds, in numbers: logical, unique and stored bytes, per machine and over time.

import type { Manifest } from "../format/manifest.js";
import { qualifiedGroup } from "../format/manifest.js";
import { BLOB_HEADER_BYTES } from "../format/pack.js";
import type { OnProgress } from "../platform/progress.js";
import { BlobReader } from "../repository/blobReader.js";
import { loadCatalog } from "../repository/catalog.js";
import { loadPresenceForReading } from "../repository/presence.js";
import { visitReachable } from "../repository/reachability.js";
import type { Repository } from "../repository/repository.js";
import type { OnWarning } from "../repository/warnings.js";

export interface StatsOptions {
  signal?: AbortSignal;
  onProgress?: OnProgress;
  onWarning: OnWarning;
}

export interface GroupStats {
  group: string;
  snapshots: number;
  /** Sum of the disks' sizes over all snapshots. */
  logicalBytes: number;
  /** Stored bytes that its backups have added, as their manifests say. */
  addedBytes: number;
  firstTime: string;
  lastTime: string;
}

export interface RepositoryStats {
  snapshots: number;
  groups: GroupStats[];
  /** Sum of the sizes of all disks of all snapshots, holes included. */
  logicalBytes: number;
  /** Plain bytes of the distinct chunks that snapshots need. */
  uniqueBytes: number;
  /** Bytes of all objects in the storage. */
  storedBytes: number;
  packs: { count: number; bytes: number; neededBytes: number; unusedBytes: number };
  chunks: number;
  /** uniqueBytes / stored bytes of those chunks. */
  compressionRatio: number;
  /** logicalBytes / storedBytes. */
  totalRatio: number;
  /** Stored bytes added per day of the last 30 days (UTC), from the manifests. */
  growth: { day: string; addedBytes: number }[];
}

export async function repositoryStats(repository: Repository, options: StatsOptions): Promise<RepositoryStats> {
  const catalog = await loadCatalog(repository, options);
  const presence = await loadPresenceForReading(repository, options);
  let storedBytes = 0;
  for await (const { sizeBytes } of repository.backend.list("", options)) storedBytes += sizeBytes;
  const counted = { uniqueBytes: 0, neededBytes: 0, chunks: 0, chunkStored: 0 };
  const seen = new Set<string>();
  const bits = new Uint8Array(Math.ceil(presence.index.loadedCount / 8));
  const visitor = {
    onBlob(id: Uint8Array, kind: string, length: number) {
      const position = presence.index.positionOf(id);
      if (position < 0) return;
      const bit = 1 << (position & 7);
      if (((bits[position >>> 3] as number) & bit) !== 0) return;
      bits[position >>> 3] = (bits[position >>> 3] as number) | bit;
      const stored = (presence.index.find(id)?.storedLength ?? 0) + BLOB_HEADER_BYTES;
      counted.neededBytes += stored;
      if (kind !== "chunk") return;
      counted.chunks++;
      counted.uniqueBytes += length;
      counted.chunkStored += stored;
    },
    onUnreadable({ sid, archive, message }: { sid: string; archive: string; message: string }) {
      const key = `${sid}/${archive}`;
      if (seen.has(key)) return;
      seen.add(key);
      options.onWarning({
        code: "MAP_UNREADABLE",
        message: `snapshot ${sid}, ${archive}: ${message}`,
        data: { sid, archive },
      });
    },
    onSnapshot(done: number, total: number) {
      options.onProgress?.({ operation: "stats", phase: "count", done, total, unit: "snapshots" });
    },
  };
  await visitReachable(catalog.snapshots, new BlobReader(repository, presence.index), visitor, options.signal);
  const packBytes = [...presence.packs.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const groups = groupStats(catalog.snapshots);
  const logicalBytes = groups.reduce((sum, group) => sum + group.logicalBytes, 0);
  return {
    snapshots: catalog.snapshots.length,
    groups,
    logicalBytes,
    uniqueBytes: counted.uniqueBytes,
    storedBytes,
    packs: {
      count: presence.packs.size,
      bytes: packBytes,
      neededBytes: counted.neededBytes,
      unusedBytes: Math.max(0, packBytes - counted.neededBytes),
    },
    chunks: counted.chunks,
    compressionRatio: ratio(counted.uniqueBytes, counted.chunkStored),
    totalRatio: ratio(logicalBytes, storedBytes),
    growth: growthOf(catalog.snapshots, repository.environment.now()),
  };
}

type CountedSnapshot = { manifest: Manifest };

function groupStats(snapshots: readonly CountedSnapshot[]): GroupStats[] {
  const groups = new Map<string, GroupStats>();
  for (const { manifest } of snapshots) {
    const name = qualifiedGroup(manifest.namespace, manifest.group);
    const { time } = manifest;
    const group = groups.get(name) ?? {
      group: name,
      snapshots: 0,
      logicalBytes: 0,
      addedBytes: 0,
      firstTime: time,
      lastTime: time,
    };
    groups.set(name, group);
    group.snapshots++;
    group.logicalBytes += manifest.archives.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    group.addedBytes += manifest.statistics.bytesStored;
    if (time < group.firstTime) group.firstTime = time;
    if (time > group.lastTime) group.lastTime = time;
  }
  return [...groups.values()].sort((a, b) => (a.group < b.group ? -1 : 1));
}

const GROWTH_DAYS = 30;
const DAY_MS = 24 * 60 * 60 * 1000;

function growthOf(snapshots: readonly CountedSnapshot[], nowMs: number): { day: string; addedBytes: number }[] {
  const from = new Date(nowMs - GROWTH_DAYS * DAY_MS).toISOString().slice(0, 10);
  const days = new Map<string, number>();
  for (const { manifest } of snapshots) {
    const day = manifest.time.slice(0, 10);
    if (day >= from) days.set(day, (days.get(day) ?? 0) + manifest.statistics.bytesStored);
  }
  return [...days.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([day, addedBytes]) => ({ day, addedBytes }));
}

function ratio(whole: number, part: number): number {
  return part === 0 ? 1 : Math.round((1000 * whole) / part) / 1000;
}
