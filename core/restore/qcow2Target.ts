// A qcow2 file as restore target: qemu-img makes it under a partial name, a writable qemu-nbd serves it to the workers,
// and it is published only after qemu-img has found its structure sound.

import { isOurError } from "../errors.js";
import { firstLine, runTool } from "../platform/tool.js";
import { refuseForeignFiles } from "../source/foreignFiles.js";
import { checkQcow2, freeLeaks } from "../source/qcow2Check.js";
import { type QemuNbd, startQemuNbd } from "../source/qemuNbd.js";
import type { RestoreTarget, TargetLocation } from "./blockTarget.js";
import type { FileTargetOptions } from "./fileTarget.js";
import { checkFinalName, partialPathOf, publishPartial, removePartial } from "./partialFile.js";
import { inUse, type LockedPartial, openLockedPartial } from "./partialLock.js";
import { targetFailed, writeError } from "./targetErrors.js";

const lockFailure = /Failed to get .*lock/;
const sectorBytes = 512;

/** As createFileTarget, and TOOL_MISSING without qemu-img and qemu-nbd. The image is rounded up to whole sectors. */
export async function createQcow2Target(options: FileTargetOptions): Promise<RestoreTarget> {
  const { finalPath, sizeBytes, force, signal } = options;
  await checkFinalName(finalPath, force);
  const partial = await openLockedPartial(partialPathOf(finalPath, options.resumeKey), "qcow2");
  const { path, isNew } = partial;
  try {
    signal?.throwIfAborted();
    const resumed = !isNew && (await canResume(path, sizeBytes, signal));
    if (!resumed) await createImage(path, sizeBytes, signal);
    const server = await startQemuNbd({ imagePath: path, format: "qcow2", writable: true, signal });
    return new Qcow2Target(partial, server, { finalPath, sizeBytes, force, resumed });
  } catch (error) {
    const isBusy = isOurError(error, "SOURCE_IN_USE") || isOurError(error, "TARGET_IN_USE");
    // whoever has the image open writes it, also when we have made the file
    if (isNew && !isBusy) await removePartial(path).catch(() => undefined);
    await partial.release();
    if (isBusy) throw inUse(path);
    throw writeError(path, `make ${path} as a qcow2 image of ${sizeBytes} bytes`, error);
  }
}

/**
 * qemu-img takes the image's lock before it empties the file: neither a restore on another machine is disturbed nor the server of a
 * killed one that still writes what it has.
 */
async function createImage(path: string, sizeBytes: number, signal?: AbortSignal): Promise<void> {
  const args = ["create", "-q", "-f", "qcow2", path, String(roundedUp(sizeBytes))];
  const result = await runTool("qemu-img", args, { signal });
  if (result.exitCode === 0) return;
  if (lockFailure.test(result.stderr)) throw inUse(path);
  const errno = /No space left/.test(result.stderr) ? "ENOSPC" : undefined;
  throw writeError(path, `make ${path} as a qcow2 image: ${firstLine(result.stderr)}`, { code: errno });
}

function roundedUp(sizeBytes: number): number {
  return Math.ceil(sizeBytes / sectorBytes) * sectorBytes;
}

/** Anything that is not a sound image of the right size is written anew. */
async function canResume(path: string, sizeBytes: number, signal?: AbortSignal): Promise<boolean> {
  try {
    await refuseForeignFiles(path, "qcow2", signal);
    const info = await runTool("qemu-img", ["info", "--output=json", "-f", "qcow2", path], { signal });
    if (lockFailure.test(info.stderr)) throw inUse(path);
    const virtualBytes = (JSON.parse(info.stdout) as { "virtual-size"?: unknown })["virtual-size"];
    if (virtualBytes !== roundedUp(sizeBytes)) return false;
    await requireSound(path, signal);
    return true;
  } catch (error) {
    signal?.throwIfAborted();
    if (isOurError(error, "TARGET_IN_USE")) throw error;
    return false;
  }
}

/** TARGET_WRITE_FAILED for a corrupt image. Leaked clusters, which a killed server leaves, are freed. */
async function requireSound(path: string, signal?: AbortSignal): Promise<void> {
  let verdict = await checkQcow2(path, signal);
  if (verdict.state === "leaks") {
    await freeLeaks(path, signal);
    verdict = await checkQcow2(path, signal);
  }
  if (verdict.state === "sound") return;
  const message = `the image ${path} is not sound: ${verdict.message}`;
  throw targetFailed("TARGET_WRITE_FAILED", message, { data: { path } });
}

interface Qcow2Facts {
  finalPath: string;
  sizeBytes: number;
  force: boolean;
  resumed: boolean;
}

class Qcow2Target implements RestoreTarget {
  readonly location: TargetLocation;
  readonly finalPath: string;
  readonly resumed: boolean;
  readonly startsZeroed: boolean;
  readonly #partial: LockedPartial;
  readonly #server: QemuNbd;
  readonly partialPath: string;
  readonly #force: boolean;
  #ended = false;

  constructor(partial: LockedPartial, server: QemuNbd, facts: Qcow2Facts) {
    const { socketPath, exportName } = server;
    this.location = { kind: "nbd", socketPath, exportName, sizeBytes: facts.sizeBytes };
    this.finalPath = facts.finalPath;
    this.resumed = facts.resumed;
    this.startsZeroed = !facts.resumed;
    this.#partial = partial;
    this.#server = server;
    this.partialPath = partial.path;
    this.#force = facts.force;
  }

  /** The workers have closed their writers. */
  async publish({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    await this.#finishWriting();
    await requireSound(this.partialPath);
    signal?.throwIfAborted();
    await publishPartial(this.#partial.handle, this.partialPath, this.finalPath, this.#force);
    this.#ended = true;
    await this.#partial.release();
  }

  async discard({ keep }: { keep: boolean }): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    try {
      await this.#server.stop();
      // while it is locked: after that it may be another run's
      if (!keep) await removePartial(this.partialPath);
    } finally {
      await this.#partial.release();
    }
  }

  /** After this the file on the medium is complete and nobody holds it open. */
  async #finishWriting(): Promise<void> {
    try {
      if (this.#server.keeper.usable) await this.#server.keeper.flush();
      const clean = await this.#server.stop();
      if (!clean)
        throw targetFailed("TARGET_WRITE_FAILED", "qemu-nbd did not finish the image", {
          data: { path: this.partialPath },
        });
      await this.#partial.handle.sync();
    } catch (error) {
      throw writeError(this.partialPath, `flush ${this.partialPath}`, error);
    }
  }
}
