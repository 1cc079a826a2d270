// Backing up into an open repository, by hand or by a job of a reprise.yml, and making a new repository.

import {
  backUp,
  ConfiguredRepositories,
  DEFAULT_CHUNKER,
  defaultCacheFolder,
  defaultStateFolder,
  folderOfConfig,
  InputDisks,
  inertLine,
  initRepository,
  loadConfig,
  locationOf,
  nameArchives,
  openBackend,
  qualifiedGroup,
  type RepriseConfig,
  requireFolder,
  rescueFiles,
  runJob,
  splitNamespace,
  systemEnvironment,
  warmUpLanes,
} from "../../core/index.js";
import type { BackupResultData } from "./actionsProtocol.js";
import type { AnswerOf, ArgumentOf } from "./protocol.js";
import type { CallContext, Session } from "./session.js";
import { checkedTags, invalid } from "./snapshotActions.js";
import { VERSION } from "./version.js";

const LEVEL = 3;
const MAX_NAMED = 256;

export async function backUpNow(
  session: Session,
  { machine, disks, folders, notes, tags }: ArgumentOf<"backUp">,
  context: CallContext,
): Promise<BackupResultData> {
  const { namespace, group } = splitNamespace(machine);
  if (disks.length + folders.length === 0 || disks.length + folders.length > MAX_NAMED)
    throw invalid(`${disks.length + folders.length} disks and folders cannot be backed up`);
  const toName = (path: string) => ({ path, name: null });
  const named = nameArchives({ disks: disks.map(toName), files: [], trees: folders.map(toName) });
  for (const { path } of named.trees) await requireFolder(path);
  const files = named.disks.map((disk) => ({ ...disk, allowBackingFiles: false }));
  const opened = await InputDisks.open(files, { signal: context.signal });
  const warm = warmUpLanes();
  try {
    const trees = named.trees.map((tree) => ({ ...tree, excludes: [], oneFileSystem: true, readAll: false }));
    const { manifest, statistics } = await backUp(
      session.repository,
      {
        ...{ namespace, group, notes, tags: checkedTags(tags), protected: false, dryRun: false, files: [], trees },
        disks: opened.inputs,
        codec: { codec: "zstd", level: LEVEL },
      },
      context,
    );
    await opened.warnOfChanges(context.onWarning);
    const archives = manifest?.archives ?? [];
    return {
      snapshotId: manifest?.sid ?? "",
      machine: qualifiedGroup(namespace, group),
      sizeBytes: archives.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      newBytes: statistics.bytesNew,
      storedBytes: statistics.bytesStored,
      durationMs: statistics.durationMs,
    };
  } finally {
    await warm.close();
    await opened.close();
    await session.catalog(context, true).catch(() => {});
  }
}

/** The job's own repository is opened as the configuration says; the editor's passphrase serves when it is the same place. */
export async function backUpByJob(
  session: Session,
  { config: path, job, machine }: ArgumentOf<"backUpByJob">,
  context: CallContext,
): Promise<AnswerOf<"backUpByJob">> {
  const { signal, onWarning, onProgress } = context;
  const environment = systemEnvironment(VERSION);
  const config = await loadConfig(path, signal);
  const configured = new ConfiguredRepositories(config, { env: process.env, environment, signal, onWarning });
  const own = session.repository;
  const isOwn = (name: string) => sameLocation(config, name, own.backend.location);
  const repositories = {
    open: async (name: string) => (isOwn(name) ? own : await configured.open(name)),
    withoutLocations: (text: string) => configured.withoutLocations(text),
  };
  try {
    const { report } = await runJob(
      {
        ...{ config, job, machines: [machine], scheduledForMs: null, dryRun: false, trigger: "manual" },
        ...{ executedBy: environment.host, url: null, reportFolder: null, signingKeys: [] },
      },
      { environment, repositories, signal, onWarning, onProgress },
    );
    const problems = report.problems.map(({ message }) => inertLine(message));
    return { outcome: report.outcome, verdict: inertLine(report.verdict), problems };
  } finally {
    await configured.close();
    await session.catalog(context, true).catch(() => {});
  }
}

function sameLocation(config: RepriseConfig, name: string, location: string): boolean {
  const repository = config.repositories.find((each) => each.name === name);
  if (repository === undefined) return false;
  return locationOf(repository, { env: process.env, folder: folderOfConfig(config) }) === location;
}

export async function initNewRepository(
  { location, passphrase }: ArgumentOf<"initRepository">,
  { signal }: CallContext,
): Promise<AnswerOf<"initRepository">> {
  if (passphrase !== null && passphrase.length === 0) throw invalid("a passphrase has at least one character");
  const backend = await openBackend(location, { signal, create: true });
  try {
    const { repository, recoveryKey } = await initRepository(backend, {
      passphrase,
      chunker: DEFAULT_CHUNKER,
      environment: systemEnvironment(VERSION),
      cacheFolder: defaultCacheFolder(),
      trust: { stateFolder: defaultStateFolder() },
      rescue: rescueFiles(),
      signal,
    });
    return { repositoryId: repository.config.repositoryId, recoveryKey };
  } finally {
    await backend.close();
  }
}
