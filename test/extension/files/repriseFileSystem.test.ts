// Whom a file that cannot be read is told to, and how often, with an editor and a service that only answer.

import assert from "node:assert/strict";
import type { Uri } from "vscode";
import type { RepriseFileSystem } from "../../../extension/files/repriseFileSystem.js";
import type { OpenRepositories } from "../../../extension/repositories/openRepositories.js";
import type { ServiceClient } from "../../../extension/service/client.js";
import { importWithEditor } from "../support/handedOutEditor.js";
import { PlainEmitter } from "../support/viewEditor.js";

class FileSystemError extends Error {
  readonly code: string;
  constructor(code: string, given: unknown) {
    super(typeof given === "string" ? given : code);
    this.code = code;
  }
  static Unavailable = (given: unknown) => new FileSystemError("Unavailable", given);
  static FileNotFound = (given: unknown) => new FileSystemError("FileNotFound", given);
}

const editor = {
  ...{ EventEmitter: PlainEmitter, FileSystemError, l10n: { t: (text: string) => text } },
  ...{ FileType: {}, FilePermission: { Readonly: 1 }, Disposable: class {} },
};
const ID = "0".repeat(32);
const [ONE, TWO] = ["1".repeat(32), "2".repeat(32)] as const;
const uriOf = (path: string, snapshot: string = ONE): Uri => {
  return { scheme: "reprise", authority: ID, path: `/vm/web1/${snapshot}${path}`, query: "" } as unknown as Uri;
};

describe("files that cannot be read", () => {
  let files: RepriseFileSystem;
  let told: string[];
  let repeated: string[];
  /** Of a file by its path; else it is read. */
  let failure: (path: string) => Error | undefined;
  let failWith: (code: string, family: string) => Error;

  beforeEach(async () => {
    [told, repeated, failure] = [[], [], () => undefined];
    type Modules = typeof import("../../../extension/files/repriseFileSystem.js") &
      typeof import("../../../extension/service/client.js");
    const { RepriseFileSystem, ServiceError } = await importWithEditor<Modules>(
      "files/repriseFileSystem.js",
      editor,
      "service/client.js",
    );
    const call = async (method: string, { path }: { path: string }) => {
      const error = failure(path);
      if (error !== undefined) throw error;
      return method === "stat" ? { sizeBytes: 1 } : new Uint8Array(1);
    };
    const repositories = {
      byId: async () => ({ configured: {} }),
      use: async (_: object, work: (opened: object) => unknown) => await work({ handle: "h", repositoryId: ID }),
    };
    const client = { call } as unknown as ServiceClient;
    const known = repositories as unknown as OpenRepositories;
    files = new RepriseFileSystem(
      client,
      known,
      async () => true,
      (error, isNew) => void (isNew ? told : repeated).push(error.message),
    );
    failWith = (code, family) => new ServiceError({ name: "ServiceError", message: code, code, family });
  });
  afterEach(() => files.dispose());

  const read = async (...uris: Uri[]) => await Promise.allSettled(uris.map((uri) => files.readFile(uri)));
  const tabs = Array.from({ length: 10 }, (_, n) => uriOf(`/etc/${n}`));

  it("are told once when it is their storage, and again after it was there", async () => {
    failure = () => failWith("STORAGE_FAILED", "backend");
    const all = await read(...tabs);
    assert.ok(all.every(({ status }) => status === "rejected"));
    assert.deepEqual([told.length, repeated.length], [1, 9]);
    failure = () => undefined;
    await read(uriOf("/etc/1"));
    failure = () => failWith("STORAGE_FAILED", "backend");
    await read(uriOf("/etc/1"));
    assert.deepEqual([told.length, repeated.length], [2, 9]);
  });

  it("are told each when they are damaged", async () => {
    failure = (path) => failWith("CHUNK_MISSING", path === "/etc/1" ? "corrupt" : "format");
    await read(...tabs, ...tabs);
    assert.deepEqual([told.length, repeated.length], [10, 10]);
  });

  it("are told once for each snapshot that was forgotten elsewhere", async () => {
    failure = () => failWith("SNAPSHOT_NOT_FOUND", "not-found");
    await read(...tabs, uriOf("/etc/1", TWO));
    assert.deepEqual([told.length, repeated.length], [2, 9]);
  });

  it("are told once when another repository is at the place", async () => {
    failure = () => failWith("REPOSITORY_ID_DIFFERS", "conflict");
    await read(...tabs, uriOf("/etc/1", TWO));
    assert.deepEqual([told.length, repeated.length], [1, 10]);
  });
});
