// Backups as a read-only file system of the editor (`reprise:`), so that everything it does with files works on them. Nothing is
// ever written; what is larger than the settings allow is asked about, or refused before a byte is read.

import {
  Disposable,
  type Event,
  EventEmitter,
  type FileChangeEvent,
  FilePermission,
  type FileStat,
  FileSystemError,
  type FileSystemProvider,
  FileType,
  type Uri,
} from "vscode";
import { isStale, toFileSystemError } from "../adapt/errors.js";
import { fromUriParts, type SnapshotPlace } from "../model/repriseUri.js";
import { type OpenRepositories, unknownRepository } from "../repositories/openRepositories.js";
import type { ServiceClient } from "../service/client.js";
import { type EntryData, type EntryKind, type Handle, MAX_FILE_BYTES } from "../service/protocol.js";
import { ToldTroubles } from "./toldTroubles.js";

/** Whether a file of this size may be opened as a whole; may ask the user. Throws what says why not. */
export type AskToOpen = (uri: Uri, sizeBytes: number) => Promise<boolean>;

/** `isNew` false: told a moment ago, of this file or of another one that failed for the same reason. */
export type OnTrouble = (error: Error, isNew: boolean) => void;

export class RepriseFileSystem implements FileSystemProvider {
  readonly #client: ServiceClient;
  readonly #repositories: OpenRepositories;
  readonly #ask: AskToOpen;
  readonly #changed = new EventEmitter<FileChangeEvent[]>();
  /** A snapshot never changes. */
  readonly onDidChangeFile: Event<FileChangeEvent[]> = this.#changed.event;

  readonly #onTrouble: OnTrouble;
  readonly #told = new ToldTroubles();

  /**
   * `onTrouble`: a file could not be read (where it would be, the editor only shows that something went wrong), or a place names a
   * snapshot or a repository that is not there any more.
   */
  constructor(client: ServiceClient, repositories: OpenRepositories, ask: AskToOpen, onTrouble: OnTrouble = () => {}) {
    this.#client = client;
    this.#repositories = repositories;
    this.#ask = ask;
    this.#onTrouble = onTrouble;
  }

  dispose(): void {
    this.#changed.dispose();
  }

  watch(): Disposable {
    return new Disposable(() => {});
  }

  async stat(uri: Uri): Promise<FileStat> {
    return await this.#at(uri, "file", async (place, repository) => {
      const { snapshot, path, part } = place;
      const entry = await this.#client.call("stat", { repository, snapshot, path });
      const size = entry.sizeBytes ?? 0;
      return {
        type: typeOf(entry),
        ctime: entry.createdAtMs ?? entry.modifiedAtMs ?? 0,
        mtime: entry.modifiedAtMs ?? 0,
        size: part === undefined ? size : Math.max(0, Math.min(part.length, size - part.offset)),
        permissions: FilePermission.Readonly,
      };
    });
  }

  async readDirectory(uri: Uri): Promise<[string, FileType][]> {
    return await this.#at(uri, "folder", async ({ snapshot, path }, repository) => {
      const names = await this.#client.call("names", { repository, snapshot, path });
      return names.map(({ name, kind }): [string, FileType] => [name, typeOfKind(kind)]);
    });
  }

  async readFile(uri: Uri): Promise<Uint8Array> {
    const refused = new Set<unknown>();
    const tell: Tell = (shown, error, place) => {
      if (shown instanceof FileSystemError && shown.code === "Unavailable" && !refused.has(shown) && !isStale(error))
        this.#onTrouble(shown, this.#told.isNew(error, place));
    };
    const read = async ({ snapshot, path, part }: SnapshotPlace, repository: Handle) => {
      const place = { repository, snapshot, path };
      if (part !== undefined) return (await this.#client.call("readRange", { ...place, ...part })).bytes;
      const { sizeBytes } = await this.#client.call("stat", place);
      if (!(await this.#mayOpen(uri, sizeBytes ?? 0, refused))) throw FileSystemError.Unavailable(uri);
      return await this.#client.call("readFile", { ...place, maxBytes: MAX_FILE_BYTES });
    };
    return await this.#at(
      uri,
      "file",
      async (place, repository) => {
        const bytes = await read(place, repository);
        this.#told.wasRead(place);
        return bytes;
      },
      tell,
    );
  }

  /** What it throws has been said to the user. */
  async #mayOpen(uri: Uri, sizeBytes: number, refused: Set<unknown>): Promise<boolean> {
    try {
      return await this.#ask(uri, sizeBytes);
    } catch (error) {
      refused.add(error);
      throw error;
    }
  }

  createDirectory(uri: Uri): never {
    throw FileSystemError.NoPermissions(uri);
  }

  writeFile(uri: Uri): never {
    throw FileSystemError.NoPermissions(uri);
  }

  delete(uri: Uri): never {
    throw FileSystemError.NoPermissions(uri);
  }

  rename(uri: Uri): never {
    throw FileSystemError.NoPermissions(uri);
  }

  async #at<T>(
    uri: Uri,
    wanted: "file" | "folder",
    work: (place: SnapshotPlace, repository: Handle) => Promise<T>,
    tell: Tell = () => {},
  ): Promise<T> {
    const place = fromUriParts(uri);
    if (place === undefined) throw FileSystemError.FileNotFound(uri);
    try {
      const { configured } = await this.#repositories.byId(place.repositoryId);
      return await this.#repositories.use(configured, ({ handle, repositoryId }) => {
        if (repositoryId !== place.repositoryId) throw unknownRepository(place.repositoryId);
        return work(place, handle);
      });
    } catch (error) {
      // the view shows what is no more
      if (isStale(error)) this.#onTrouble(error, this.#told.isNew(error, place));
      const shown = toFileSystemError(error, uri, wanted);
      tell(shown, error, place);
      throw shown;
    }
  }
}

/** What the editor is thrown, and what it was made of. */
type Tell = (shown: unknown, error: unknown, place: SnapshotPlace) => void;

function typeOf({ kind, targetKind }: EntryData): FileType {
  if (kind !== "symlink") return typeOfKind(kind);
  return FileType.SymbolicLink | typeOfKind(targetKind);
}

/** Devices, pipes and the like are neither files nor folders to the editor. */
function typeOfKind(kind: EntryKind | null): FileType {
  if (kind === "file") return FileType.File;
  if (kind === "symlink") return FileType.SymbolicLink;
  return kind === "disk" || kind === "volume" || kind === "directory" ? FileType.Directory : FileType.Unknown;
}
