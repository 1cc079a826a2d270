// Opens the folder that an `sftp:` location names: a line to the server, and what must be known of the folder.

import { RepriseError } from "../../errors.js";
import type { Backend, StorageRetry } from "../backend.js";
import { symlinkFound } from "../localFiles.js";
import { RetryNotice } from "../retryNotice.js";
import { TrafficCount } from "../trafficCount.js";
import type { ByteLine } from "./byteLine.js";
import { SftpBackend } from "./sftpBackend.js";
import { hasStatus, SftpClient, SftpLineError } from "./sftpClient.js";
import { SFTP_PATIENCE_MS, SftpConnections } from "./sftpConnections.js";
import { sftpError, withDiagnosis } from "./sftpErrors.js";
import { SftpFiles } from "./sftpFiles.js";
import type { SftpEnvironment } from "./sftpIdentity.js";
import { readFolder } from "./sftpList.js";
import { parseSftpLocation, type SftpPlace } from "./sftpLocation.js";
import { type FileAttributes, STATUS } from "./sftpPacket.js";
import { openSsh2Line } from "./ssh2Transport.js";
import { openSystemLine } from "./systemTransport.js";

const FOLDER_MODE = 0o700;

export interface SftpBackendOptions {
  /** Make the folder (and its parents) when it does not exist. Default: false. */
  create?: boolean;
  /** Where the agent and the secrets are named. Default: the process's environment. */
  environment?: SftpEnvironment;
  /** A server silent for this long is given up. Default: two minutes. */
  idleTimeoutMs?: number;
  /** Ends the connecting; what is opened is not bound to it. */
  signal?: AbortSignal;
  onRetry?: (retry: StorageRetry) => void;
  /** Opens a line; for tests. */
  openLine?: (place: SftpPlace, environment: SftpEnvironment, signal: AbortSignal) => Promise<ByteLine>;
}

/**
 * Throws `STORAGE_LOCATION_INVALID` (usage), `STORAGE_NOT_FOUND`, `STORAGE_SYMLINK`, `SFTP_HOST_KEY_UNKNOWN`,
 * `SFTP_HOST_KEY_CHANGED`, `SFTP_AUTH_FAILED`, `SFTP_IDENTITY_INVALID`, `TOOL_MISSING` (for the system's ssh) and
 * `STORAGE_FAILED`.
 */
export async function openSftpBackend(location: string, options: SftpBackendOptions = {}): Promise<Backend> {
  const place = parseSftpLocation(location);
  const { create = false, signal, onRetry } = options;
  const traffic = new TrafficCount();
  const notice = new RetryNotice(place.shown, onRetry);
  const onRepeat = (error: unknown) => {
    traffic.retry();
    notice.tell(error instanceof Error ? error.message : String(error), SFTP_PATIENCE_MS);
  };
  const connect = (ended: AbortSignal) => openClient(place, options, traffic, ended);
  const connections = new SftpConnections(connect, { lines: place.connections, onRepeat });
  try {
    const files = await connections.run((client) => openFolder(client, place, create), { impatient: true, signal });
    return new SftpBackend(connections, files, traffic);
  } catch (error) {
    await connections.close();
    if (signal?.aborted) throw signal.reason;
    throw sftpError(error, { operation: create ? "create" : "open", location: place.shown });
  }
}

async function openClient(
  place: SftpPlace,
  options: SftpBackendOptions,
  traffic: TrafficCount,
  signal: AbortSignal,
): Promise<SftpClient> {
  const { environment = process.env, idleTimeoutMs } = options;
  const openLine = options.openLine ?? (place.transport === "ssh" ? openSystemLine : openSsh2Line);
  const client = new SftpClient(await openLine(place, environment, signal), { idleTimeoutMs, traffic });
  // twice: the system's ssh connects and logs in while the first answer is awaited
  const waitMs = 2 * place.connectTimeoutMs;
  const late = () => client.end(new SftpLineError("silent", `no SFTP session within ${waitMs / 1000} s`));
  const timer = setTimeout(late, waitMs);
  const stop = () => client.end();
  signal.addEventListener("abort", stop, { once: true });
  try {
    signal.throwIfAborted();
    await client.start();
    return client;
  } catch (error) {
    client.end();
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

async function openFolder(client: SftpClient, place: SftpPlace, create: boolean): Promise<SftpFiles> {
  const path = place.path.startsWith("/") ? place.path : await inHome(client, place.path);
  if (create) await makeFolders(client, path);
  const root = await existingFolder(client, place, path);
  for (const { name, attributes } of await readFolder(client, root)) {
    if (attributes.type === "link") throw symlinkFound(`${root}/${name}`);
  }
  const space = client.has("statvfs@openssh.com") ? await client.space(root).catch(refusedQuietly) : undefined;
  return new SftpFiles(root, place.shown, space?.fileSystemId);
}

/** A server may offer an extension and refuse it for this folder. */
function refusedQuietly(error: unknown): undefined {
  if (hasStatus(error, ...Object.values(STATUS))) return undefined;
  throw error;
}

async function inHome(client: SftpClient, path: string): Promise<string> {
  const home = (await client.realPath(".")).replace(/\/+$/, "");
  return path === "" ? home || "/" : `${home}/${path}`;
}

/** The folder without links: the root itself may be one. */
async function existingFolder(client: SftpClient, place: SftpPlace, path: string): Promise<string> {
  try {
    const root = await client.realPath(path);
    const found = await client.stat(root);
    const target: FileAttributes = found.type === "link" ? await client.stat(`${root}/.`) : found;
    if (target.type === "folder") return root;
  } catch (error) {
    if (!hasStatus(error, STATUS.noSuchFile)) throw error;
    throw new RepriseError("not-found", "STORAGE_NOT_FOUND", `there is no folder ${place.shown}`, {
      data: { location: place.shown },
      hint: "check the path (absolute, or /~/… for one in the home folder); `init` makes a new repository",
      cause: error,
    });
  }
  throw new RepriseError("usage", "STORAGE_LOCATION_INVALID", `${place.shown} is not a folder`, {
    data: { location: place.shown },
  });
}

async function makeFolders(client: SftpClient, path: string): Promise<void> {
  const parts = path.split("/").filter((part) => part !== "");
  for (let count = 1; count <= parts.length; count++) {
    const folder = `/${parts.slice(0, count).join("/")}`;
    try {
      await client.stat(folder);
    } catch (error) {
      if (!hasStatus(error, STATUS.noSuchFile)) throw error;
      await makeFolder(client, folder);
    }
  }
}

async function makeFolder(client: SftpClient, folder: string): Promise<void> {
  try {
    await client.makeFolder(folder, FOLDER_MODE);
  } catch (error) {
    const made = await client.stat(folder).catch(() => undefined); // another process may have been faster
    if (made === undefined)
      throw await withDiagnosis(error, client, folder.slice(0, folder.lastIndexOf("/")) || "/", 0);
  }
}
