// Backing up a machine: disks and configuration files into one snapshot. The order of everything that touches the
// repository is the writer's side of docs/protocol.md.

import { RepriseError } from "../errors.js";
import { formatTime } from "../format/fields.js";
import { type BlobIdHex, bytesToHex, isSafeId } from "../format/ids.js";
import { MAX_ARCHIVES, MAX_BLOB_PLAIN } from "../format/limits.js";
import {
  type Archive,
  encodeManifest,
  isGroup,
  isNamespace,
  type Manifest,
  type SnapshotStatistics,
} from "../format/manifest.js";
import { sha256 } from "../hash/digest.js";
import { BlobReader } from "../repository/blobReader.js";
import { type BlobSink, DryRunSink, SessionSink } from "../repository/blobSink.js";
import { loadCatalog } from "../repository/catalog.js";
import { DEFAULT_SAMPLE_READS } from "../repository/foreignPacks.js";
import type { CodecChoice } from "../repository/packBuilder.js";
import type { Repository } from "../repository/repository.js";
import type { WriterSession } from "../repository/session.js";
import { MAX_FENCED, writeSnapshot } from "../repository/writeSnapshot.js";
import { backUpImage } from "./backupImage.js";
import { BackupLanes } from "./backupLanes.js";
import type { BackupOptions } from "./backupOptions.js";
import { backUpTree, type PreviousTree } from "./backupTree.js";
import type { DiskInput } from "./diskInput.js";
import type { TreeCounts, TreeInput } from "./treeInput.js";

export interface FileInput {
  name: string;
  bytes: Uint8Array;
}

export interface BackupRequest {
  /** `vm/web1`, `ct/…`, `host/…`. */
  group: string;
  /** Empty for the root. */
  namespace: string;
  disks: readonly DiskInput[];
  /** Machine configuration and the like, at most 4 MiB each. */
  files: readonly FileInput[];
  /** Folders with everything below them. Default: none. */
  trees?: readonly TreeInput[];
  notes: string;
  tags: readonly string[];
  protected: boolean;
  codec: CodecChoice;
  /** Reads, cuts and compares, stores nothing. */
  dryRun: boolean;
  /** Reads to spend on looking into packs of others; default: 8 in a repository with two roles, else none. */
  sampleReads?: number;
  /** How many worker threads; default: cores, at most 8. */
  lanes?: number;
}

export interface BackupResult {
  /** Null after a dry run. */
  manifest: Manifest | null;
  /** SHA-256 of the manifest, hex; null after a dry run. */
  digest: string | null;
  statistics: SnapshotStatistics;
  /** One for each of the request's trees. */
  trees: (TreeCounts & { name: string })[];
}

/**
 * Makes one snapshot. Nothing is visible before its single commit. Errors of the source and the storage end it; what was
 * uploaded stays re-usable until the next collection. An abort ends it the same way.
 */
export async function backUp(
  repository: Repository,
  request: BackupRequest,
  options: BackupOptions,
): Promise<BackupResult> {
  checkRequest(request);
  const started = performance.now();
  const time = formatTime(repository.environment.now());
  if (request.dryRun) {
    const sink = await DryRunSink.open(repository, options);
    const { statistics, trees } = await storeArchives(repository, request, sink, options);
    return { manifest: null, digest: null, statistics: { ...statistics, durationMs: elapsedMs(started) }, trees };
  }
  for (let fenced = 0; fenced < MAX_FENCED; fenced++) {
    const result = await backUpOnce(repository, request, options, time, started);
    if (result !== "fenced") return result;
    if (request.disks.some(({ kind }) => kind === "stream")) throw fencedStream();
    options.onWarning({
      code: "SESSION_FENCED",
      message:
        "a collector gave this backup up because it had not been heard of for longer than gc --fence-after; storing what is missing again",
    });
  }
  throw new RepriseError("conflict", "SESSION_FENCED", `this backup was given up by collectors ${MAX_FENCED} times`, {
    retry: "later",
    hint: "check that gc --fence-after is longer than the pauses of this machine (suspend, lost network)",
  });
}

async function backUpOnce(
  repository: Repository,
  request: BackupRequest,
  options: BackupOptions,
  time: string,
  started: number,
): Promise<BackupResult | "fenced"> {
  const { signal, onWarning } = options;
  const sampleReads = request.sampleReads ?? (repository.config.keeper === null ? 0 : DEFAULT_SAMPLE_READS);
  const session = { purpose: "backup", group: request.group, sampleReads, signal, onWarning };
  let trees: BackupResult["trees"] = [];
  const manifest = await writeSnapshot(repository, session, async (opened) => {
    const sink = new SessionSink(repository, opened);
    const { archives, statistics, ...stored } = await storeArchives(repository, request, sink, options);
    trees = stored.trees;
    await opened.writeIndex();
    const total = { ...statistics, durationMs: elapsedMs(started) };
    return makeManifest(repository, request, opened, time, archives, total);
  });
  if (manifest === "fenced") return "fenced";
  const digest = bytesToHex(sha256(encodeManifest(manifest)));
  return { manifest, digest, statistics: manifest.statistics, trees };
}

async function storeArchives(
  repository: Repository,
  request: BackupRequest,
  sink: BlobSink,
  options: BackupOptions,
): Promise<{ archives: Archive[]; statistics: SnapshotStatistics; trees: BackupResult["trees"] }> {
  const lanes = new BackupLanes(repository, sink, request);
  const trees: BackupResult["trees"] = [];
  try {
    const archives: Archive[] = [];
    for (const disk of request.disks) archives.push(await backUpImage(repository, disk, lanes, sink, options));
    for (const file of request.files) archives.push(await storeFile(file, sink));
    const previous = await previousTrees(repository, request, sink, options);
    for (const tree of request.trees ?? []) {
      const parts = { repository, lanes, sink, previous: previous(tree.name) };
      const { archive, counts } = await backUpTree(tree, parts, options);
      archives.push(archive);
      trees.push({ name: tree.name, ...counts });
    }
    await lanes.finish();
    await sink.finish();
    return { archives, statistics: { ...sink.statistics, durationMs: 0 }, trees };
  } finally {
    await lanes.close();
  }
}

/** By name: the newest snapshot of the machine that has such a tree. */
async function previousTrees(
  repository: Repository,
  { group, namespace, trees = [] }: BackupRequest,
  sink: BlobSink,
  options: BackupOptions,
): Promise<(name: string) => PreviousTree | null> {
  if (trees.length === 0) return () => null;
  const { snapshots } = await loadCatalog(repository, options);
  const manifests = snapshots
    .map(({ manifest }) => manifest)
    .filter((manifest) => manifest.group === group && manifest.namespace === namespace);
  const blobs = new BlobReader(repository, sink.index);
  return (wanted) => {
    const archives = manifests.flatMap((manifest) => manifest.archives);
    const archive = archives.findLast(({ name, kind }) => name === wanted && kind === "tree");
    return archive === undefined ? null : { archive, blobs };
  };
}

async function storeFile(file: FileInput, sink: BlobSink): Promise<Archive> {
  const id = await sink.storeBlob("file", file.bytes);
  const root = bytesToHex(id) as BlobIdHex;
  return { name: file.name, kind: "file", sizeBytes: file.bytes.length, root, format: "file", lost: [] };
}

function makeManifest(
  repository: Repository,
  request: BackupRequest,
  session: WriterSession,
  time: string,
  archives: Archive[],
  statistics: SnapshotStatistics,
): Manifest {
  const { host, tool, now } = repository.environment;
  const stream = request.disks.some(({ kind }) => kind === "stream");
  const live = (request.trees?.length ?? 0) > 0;
  return {
    type: "snapshot",
    sid: session.sid,
    namespace: request.namespace,
    group: request.group,
    time,
    finishedAt: formatTime(now()),
    host,
    tool,
    mode: live ? "live" : stream ? "stream" : "offline",
    consistency: "unknown",
    archives,
    notes: request.notes,
    tags: [...request.tags],
    protected: request.protected,
    statistics,
    repairedFrom: null,
    origin: null,
  };
}

function checkRequest(request: BackupRequest): void {
  if (!isGroup(request.group) || !isNamespace(request.namespace)) {
    throw new RepriseError(
      "usage",
      "GROUP_INVALID",
      `"${request.group}" in "${request.namespace}" is not a machine's name`,
      {
        hint: "a machine is vm/NAME, ct/NAME or host/NAME; letters, digits, . _ - only",
      },
    );
  }
  const names = [...request.disks, ...request.files, ...(request.trees ?? [])].map(({ name }) => name);
  if (names.length === 0 || names.length > MAX_ARCHIVES) {
    throw new RepriseError(
      "usage",
      "BACKUP_EMPTY",
      `a snapshot holds 1 to ${MAX_ARCHIVES} disks and files, not ${names.length}`,
    );
  }
  for (const name of names) {
    if (!isSafeId(name)) {
      throw new RepriseError("usage", "ARCHIVE_NAME_INVALID", `"${name}" cannot be the name of a disk in a snapshot`, {
        hint: "use letters, digits, . _ - and give --name NAME=PATH",
      });
    }
  }
  if (new Set(names).size !== names.length) {
    throw new RepriseError("usage", "ARCHIVE_NAME_TWICE", "two disks or files have the same name", {
      hint: "give each its own with --name NAME=PATH",
    });
  }
  for (const { name, bytes } of request.files) {
    if (bytes.length <= MAX_BLOB_PLAIN) continue;
    throw new RepriseError(
      "usage",
      "CONFIG_FILE_TOO_LARGE",
      `${name}: ${bytes.length} bytes, at most 4 MiB are stored as a file`,
    );
  }
}

function fencedStream(): RepriseError {
  return new RepriseError(
    "conflict",
    "SESSION_FENCED",
    "a collector gave this backup up, and a stream cannot be read again",
    {
      retry: "later",
      hint: "run the backup again; what was stored already is not stored twice",
    },
  );
}

function elapsedMs(started: number): number {
  return Math.round(performance.now() - started);
}
