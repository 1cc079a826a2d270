// Extended attributes on restored files. Node has no call for them: they go through one `setfattr --restore=-` for many files.
// Which are tried: those of the user, access lists, and as root also those of the system's security and of root itself.

import { attributeNameBytes } from "../../filesystem/attributeName.js";
import type { NamedBytes } from "../../filesystem/fileSystem.js";
import { findTool, firstLine, runTool } from "../../platform/tool.js";
import type { TreePath } from "../treePath.js";
import type { LeftOut } from "./leftOut.js";

/** Longer paths are not walked by any call of the system. */
const MAX_PATH_BYTES = 4000;
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
const MAX_BATCH_FILES = 2000;
const FOR_ALL = /^(user\.|system\.posix_acl_(access|default)$)/;
const FOR_ROOT = /^(security|trusted)\./;
/** Shown by readers as attributes, and no file system of this machine has a place for them. */
const WITHOUT_LOSS = /^dos\.attributes$/;

interface Waiting {
  path: TreePath;
  /** From the target's top. */
  names: readonly Uint8Array[];
  attributes: readonly NamedBytes[];
  finish: () => Promise<void>;
}

export class ExtendedAttributes {
  readonly #top: string;
  readonly #isRoot: boolean;
  readonly #leftOut: LeftOut;
  #waiting: Waiting[] = [];
  #bytes = 0;
  #hasTool: Promise<boolean> | undefined;

  /** `top`: the folder that `names` start from. */
  constructor(top: string, isRoot: boolean, leftOut: LeftOut) {
    this.#top = top;
    this.#isRoot = isRoot;
    this.#leftOut = leftOut;
  }

  /** The attributes that can be tried; the others are noted. */
  select(path: TreePath, attributes: readonly NamedBytes[]): NamedBytes[] {
    return attributes.filter(({ name }) => {
      if (FOR_ALL.test(name) || (this.#isRoot && FOR_ROOT.test(name))) return true;
      if (FOR_ROOT.test(name)) this.#leftOut.attribute(path, familyOf(name), "only root may set them");
      else if (!WITHOUT_LOSS.test(name)) this.#leftOut.attribute(path, familyOf(name), "have no place in files here");
      return false;
    });
  }

  /** `finish` is called when the attributes are set: modes come after them. */
  async add(waiting: Waiting, signal?: AbortSignal): Promise<void> {
    this.#waiting.push(waiting);
    this.#bytes += waiting.attributes.reduce((sum, { value }) => sum + value.length, 0);
    if (this.#waiting.length >= MAX_BATCH_FILES || this.#bytes >= MAX_BATCH_BYTES) await this.flush(signal);
  }

  async flush(signal?: AbortSignal): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    if (waiting.length === 0) return;
    await this.#set(waiting, signal);
    for (const { finish } of waiting) await finish();
  }

  async #set(waiting: readonly Waiting[], signal?: AbortSignal): Promise<void> {
    this.#hasTool ??= findTool("setfattr").then((path) => path !== undefined);
    if (!(await this.#hasTool)) {
      const reason = "the program setfattr is not installed (Debian package attr)";
      for (const { path } of waiting) this.#leftOut.attribute(path, "extended attributes", reason);
      return;
    }
    const reachable = waiting.filter(({ path, names }) => {
      const fits = names.reduce((sum, name) => sum + name.length + 1, 0) <= MAX_PATH_BYTES;
      if (!fits) this.#leftOut.attribute(path, "extended attributes", "the path is too long");
      return fits;
    });
    const input = new TextEncoder().encode(reachable.map(dumpOf).join(""));
    const options = { input, folder: this.#top, signal, timeoutMs: 600_000 };
    const { exitCode, stderr } = await runTool("setfattr", ["-h", "--restore=-"], options);
    if (exitCode !== 0) this.#noteFailures(stderr);
  }

  /** `setfattr: PATH: reason`, a line for each that failed, as far as they are kept. */
  #noteFailures(stderr: string): void {
    for (const line of stderr.split("\n")) {
      const [, path = "", reason = line] = /^setfattr: (.*): ([^:]*)$/.exec(line) ?? [];
      this.#leftOut.attribute(path, "extended attributes", firstLine(reason));
    }
  }
}

/** The text form of getfattr(1). */
function dumpOf({ names, attributes }: Waiting): string {
  const file = names.map((name) => `/${quoted(name)}`).join("");
  const lines = attributes.map((attribute) => {
    const { value } = attribute;
    const base64 = Buffer.from(value).toString("base64");
    return `${quoted(attributeNameBytes(attribute))}=${value.length === 0 ? '""' : `0s${base64}`}\n`;
  });
  return `# file: .${file}\n${lines.join("")}\n`;
}

/** Everything but plain characters as `\ooo`. */
function quoted(name: Uint8Array): string {
  return Array.from(name, (byte) =>
    byte > 0x20 && byte < 0x7f && byte !== 0x5c && byte !== 0x3d
      ? String.fromCharCode(byte)
      : `\\${byte.toString(8).padStart(3, "0")}`,
  ).join("");
}

function familyOf(name: string): string {
  if (name.startsWith("stream.")) return "alternate data streams";
  return `attributes ${name.split(".")[0]}.*`;
}
