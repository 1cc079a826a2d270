// Looking into a snapshot through the core's door, with times and backend reads of each step. The repository is opened
// before the clock starts: its key takes as long to derive as its owner wanted.

import {
  diffTrees,
  listFiles,
  loadCatalog,
  openBackend,
  openChunkFetcher,
  openRepository,
  openSnapshotTree,
  parseTreePath,
  type Repository,
  readFile,
  requireFile,
  resolveSnapshot,
  systemEnvironment,
} from "../../core/index.js";
import { countReads, type ReadCount } from "./countingBackend.js";

export interface AccessRequest {
  repository: string;
  passphrase: string;
  /** As `vm/files@latest`. */
  snapshot: string;
  /** The top of the volume, as `/disk/p1`. */
  volume: string;
  /** Null: not listed. */
  folder: string | null;
  /** Null: not read. */
  file: string | null;
  /** Another snapshot that the first one is compared with; null: not compared. */
  before: string | null;
}

export interface AccessStep extends ReadCount {
  seconds: number;
  /** Processor time of all threads. */
  cpuSeconds: number;
  /** Entries listed, bytes of the file, or files that differ. */
  amount: number;
}

export interface AccessCost {
  openRepository: AccessStep;
  /** Catalog, index, disk, partition table, file system, and the entries of its top. */
  listTop: AccessStep;
  listFolder: AccessStep | null;
  readFile: AccessStep | null;
  diff: AccessStep | null;
}

const onWarning = ({ message }: { message: string }) => console.error(message);

export async function measureAccess(request: AccessRequest): Promise<AccessCost> {
  const count: ReadCount = { reads: 0, bytes: 0 };
  const step = async <T>(work: () => Promise<[T, number]>): Promise<[T, AccessStep]> => {
    const before = { ...count };
    const cpuBefore = process.cpuUsage();
    const started = performance.now();
    const [result, amount] = await work();
    const seconds = (performance.now() - started) / 1000;
    const { user, system } = process.cpuUsage(cpuBefore);
    const cpuSeconds = (user + system) / 1e6;
    return [
      result,
      { seconds, cpuSeconds, amount, reads: count.reads - before.reads, bytes: count.bytes - before.bytes },
    ];
  };
  const backend = countReads(await openBackend(request.repository), count);
  const [repository, opened] = await step(async () => [await open(backend, request.passphrase), 0]);
  try {
    const [access, listTop] = await step(async () => {
      const { snapshots, unreadable } = await loadCatalog(repository, { onWarning });
      const fetcher = await openChunkFetcher(repository, { onWarning });
      const openTree = (name: string) => openSnapshotTree(resolveSnapshot(name, { snapshots, unreadable }), fetcher);
      const tree = await openTree(request.snapshot);
      const list = async (path: string) => {
        let entries = 0;
        for await (const _ of listFiles(tree, await tree.resolve(parseTreePath(path)))) entries++;
        return entries;
      };
      return [{ fetcher, tree, openTree, list }, await list(request.volume)];
    });
    const { folder, file } = request;
    const listFolder =
      folder === null ? null : await step(async () => [null, await access.list(request.volume + folder)]);
    const read = async (path: string) => {
      let bytes = 0;
      const node = requireFile(await access.tree.resolve(parseTreePath(request.volume + path)));
      for await (const piece of readFile(node)) bytes += piece.length;
      return bytes;
    };
    const readAll = file === null ? null : await step(async () => [null, await read(file)]);
    const compare = async (name: string) => {
      const before = await access.openTree(name);
      const path = parseTreePath(request.volume);
      const start = { path, before: await before.resolve(path), after: await access.tree.resolve(path) };
      let differences = 0;
      for await (const _ of diffTrees(before, access.tree, start)) differences++;
      return differences;
    };
    const { before } = request;
    const diff = before === null ? null : await step(async () => [null, await compare(before)]);
    await access.fetcher.close();
    return {
      diff: diff?.[1] ?? null,
      openRepository: opened,
      listTop,
      listFolder: listFolder?.[1] ?? null,
      readFile: readAll?.[1] ?? null,
    };
  } finally {
    await repository.close();
  }
}

function open(backend: Awaited<ReturnType<typeof openBackend>>, passphrase: string): Promise<Repository> {
  const environment = systemEnvironment("0.0.0");
  return openRepository(backend, { secret: async () => ({ passphrase }), environment, cacheFolder: null, onWarning });
}
