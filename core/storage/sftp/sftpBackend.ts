// A backend in a folder of an SFTP server, with the layout of a local repository folder: every object is a file, written
// to `tmp/`, flushed, and only then given its name. docs/storage-sftp.md says what that is worth when the server fails.

import { RepriseError } from "../../errors.js";
import type { Backend, GetOptions, ObjectInfo, OperationOptions, Traffic } from "../backend.js";
import { parentOf } from "../localFiles.js";
import { checkObjectSize, objectNotFound, resolveRange } from "../objectBytes.js";
import { checkKey, checkPrefix } from "../objectKey.js";
import type { TrafficCount } from "../trafficCount.js";
import { hasStatus, type SftpClient, type SftpHandle } from "./sftpClient.js";
import type { SftpConnections } from "./sftpConnections.js";
import { type SftpOperation, sftpError } from "./sftpErrors.js";
import type { SftpFiles } from "./sftpFiles.js";
import { listObjects, objectInfo } from "./sftpList.js";
import { type FileAttributes, STATUS } from "./sftpPacket.js";
import { type Created, SftpPublisher } from "./sftpPublish.js";
import { readContents } from "./sftpTransfer.js";

/** Hides the three round trips of a read; the server's process works them off one by one all the same. */
const PARALLEL_READS = 4;

export class SftpBackend implements Backend {
  readonly location: string;
  readonly parallelReads = PARALLEL_READS;
  readonly #connections: SftpConnections;
  readonly #files: SftpFiles;
  readonly #traffic: TrafficCount;
  readonly #publisher: SftpPublisher;

  constructor(connections: SftpConnections, files: SftpFiles, traffic: TrafficCount) {
    this.#traffic = traffic;
    this.location = files.location;
    this.#connections = connections;
    this.#files = files;
    this.#publisher = new SftpPublisher(files);
  }

  get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    return this.#run("get", key, options, async (client) => {
      const { handle, sizeBytes } = await this.#openObject(client, key);
      try {
        return await this.#read(client, handle, key, sizeBytes, options);
      } finally {
        client.close(handle).catch(() => undefined); // its answer is worth no waiting
      }
    });
  }

  stat(key: string, options: OperationOptions = {}): Promise<ObjectInfo> {
    return this.#run("stat", key, options, async (client) => {
      const path = this.#files.path(key);
      const [found] = await Promise.all([client.stat(path), this.#files.checkFolder(client, parentOf(key))]);
      if (found.type !== "file") throw objectNotFound(key);
      return objectInfo(key, found);
    });
  }

  async put(key: string, bytes: Uint8Array, options: OperationOptions = {}): Promise<void> {
    checkStored(key, bytes);
    let earlier: string | undefined;
    await this.#run("put", key, options, async (client) => {
      // A rename that the broken line still carries out must not undo a later put of this name.
      if (earlier !== undefined) await this.#files.removeTemporary(client, earlier);
      const temporary = this.#files.newTemporaryPath();
      earlier = temporary;
      await this.#write(client, temporary, bytes, options.signal);
      await this.#orRemove(client, temporary, () => this.#publisher.replace(client, temporary, key));
      await this.#checkPublished(client, key, undefined);
    });
  }

  async putIfAbsent(key: string, bytes: Uint8Array, options: OperationOptions = {}): Promise<Created> {
    checkStored(key, bytes);
    let earlier: { temporary: string; published: boolean } | undefined;
    return await this.#run("putIfAbsent", key, options, async (client) => {
      if (earlier?.published) {
        const { temporary } = earlier;
        return await this.#finish(client, temporary, key, bytes.length, () =>
          this.#publisher.settle(client, temporary, key, bytes.length),
        );
      }
      if (earlier !== undefined) await this.#files.removeTemporary(client, earlier.temporary);
      const temporary = this.#files.newTemporaryPath();
      earlier = { temporary, published: false };
      await this.#write(client, temporary, bytes, options.signal);
      earlier.published = true;
      return await this.#finish(client, temporary, key, bytes.length, () =>
        this.#publisher.create(client, temporary, key),
      );
    });
  }

  async *list(prefix: string, options: OperationOptions = {}): AsyncIterable<ObjectInfo> {
    checkPrefix(prefix);
    const { signal } = options;
    signal?.throwIfAborted();
    const folder = prefix.slice(0, -1);
    const onLine = <T>(use: (client: SftpClient) => Promise<T>) => this.#connections.run(use, { signal });
    const pathOf = (relative: string) => this.#files.path(relative);
    try {
      // Before and after: an empty answer from a disk that is no longer mounted would look like an empty repository.
      const check = (client: SftpClient) => this.#files.checkAttached(client);
      await onLine((client) => Promise.all([check(client), this.#files.checkFolder(client, folder)]));
      yield* listObjects(onLine, pathOf, folder, signal);
      await onLine(check);
    } catch (error) {
      if (signal?.aborted && error === signal.reason) throw error;
      throw sftpError(error, { operation: "list", key: prefix, location: this.location });
    }
  }

  async delete(key: string, options: OperationOptions = {}): Promise<void> {
    await this.#run("delete", key, options, async (client) => {
      await this.#files.checkFolder(client, parentOf(key));
      try {
        await client.remove(this.#files.path(key));
      } catch (error) {
        if (hasStatus(error, STATUS.noSuchFile)) return await this.#files.checkAttached(client);
        const found = await this.#files.statIfThere(client, key);
        if (found !== undefined && found.type !== "folder") throw error;
      }
    });
  }

  traffic(): Traffic {
    return this.#traffic.now;
  }

  async close(): Promise<void> {
    await this.#connections.close();
  }

  async #run<T>(
    operation: SftpOperation,
    key: string,
    { signal }: OperationOptions,
    use: (client: SftpClient) => Promise<T>,
  ): Promise<T> {
    try {
      checkKey(key);
      return await this.#connections.run(
        async (client) => {
          try {
            return await use(client);
          } catch (error) {
            const missing = (operation === "get" || operation === "stat") && hasStatus(error, STATUS.noSuchFile);
            if (!missing) throw error;
            await this.#files.checkAttached(client);
            throw objectNotFound(key);
          }
        },
        { signal },
      );
    } catch (error) {
      if (signal?.aborted && error === signal.reason) throw error;
      throw sftpError(error, { operation, key, location: this.location });
    }
  }

  /** Name and folders are looked at while the file is opened: one round trip instead of three. */
  async #openObject(client: SftpClient, key: string): Promise<{ handle: SftpHandle; sizeBytes: number }> {
    const path = this.#files.path(key);
    const [opened, ...looks] = await Promise.allSettled([
      client.openToRead(path),
      client.stat(path),
      this.#files.checkFolder(client, parentOf(key)),
    ]);
    const [named, checked] = looks;
    const broken = [checked, named, opened].find((result) => result.status === "rejected");
    const attributes: FileAttributes = named.status === "fulfilled" ? named.value : {};
    if (opened.status === "fulfilled" && broken === undefined && attributes.type === "file") {
      return { handle: opened.value, sizeBytes: objectInfo(key, attributes).sizeBytes };
    }
    if (opened.status === "fulfilled") client.close(opened.value).catch(() => undefined);
    throw broken?.reason ?? objectNotFound(key);
  }

  /** The size of the name may be that of a file that was replaced since: the handle's size decides. */
  async #read(
    client: SftpClient,
    handle: SftpHandle,
    key: string,
    sizeBytes: number,
    options: GetOptions,
  ): Promise<Uint8Array> {
    const { offset, length } = resolveRange(key, sizeBytes, options.range);
    const { into } = options;
    const bytes = into && into.length >= length ? into.subarray(0, length) : new Uint8Array(length);
    const [held, filled] = await Promise.allSettled([
      client.statHandle(handle),
      readContents(client, handle, offset, bytes, options.signal),
    ]);
    if (held.status === "rejected") throw held.reason;
    const { sizeBytes: heldBytes = sizeBytes } = held.value;
    if (heldBytes !== sizeBytes) return await this.#read(client, handle, key, heldBytes, options);
    if (filled.status === "rejected") throw filled.reason;
    return bytes;
  }

  async #write(client: SftpClient, temporary: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.#files.writeTemporary(client, temporary, bytes, signal);
    await this.#orRemove(client, temporary, async () => {
      await this.#files.removeStale(client, temporary);
      signal?.throwIfAborted();
    });
  }

  /** After a refusal nothing is left of ours; after a broken line there is nobody to ask. */
  async #orRemove<T>(client: SftpClient, temporary: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      await this.#files.removeTemporary(client, temporary);
      throw error;
    }
  }

  async #finish(
    client: SftpClient,
    temporary: string,
    key: string,
    sizeBytes: number,
    decide: () => Promise<Created>,
  ): Promise<Created> {
    const outcome = await this.#orRemove(client, temporary, decide);
    if (outcome === "created") await this.#checkPublished(client, key, sizeBytes);
    await this.#files.removeTemporary(client, temporary);
    return outcome;
  }

  /** SFTP cannot flush a folder: looking again is all that can be done. Also that the disk is still the one opened. */
  async #checkPublished(client: SftpClient, key: string, sizeBytes: number | undefined): Promise<void> {
    const [found] = await Promise.all([this.#files.statIfThere(client, key), this.#files.checkAttached(client)]);
    if (sizeBytes === undefined || found?.sizeBytes === sizeBytes) return;
    throw new RepriseError("backend", "STORAGE_FAILED", `${key} in ${this.location} is not what was written`, {
      data: { key, location: this.location, sizeBytes, found: found?.sizeBytes },
      retry: "later",
    });
  }
}

function checkStored(key: string, bytes: Uint8Array): void {
  checkKey(key);
  checkObjectSize(key, bytes.length);
}
