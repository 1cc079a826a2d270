// Writes into a raw file or a block device that exists already. Zeros are written only where something else is, and
// large ones become holes where util-linux' fallocate can punch them.

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { findTool, runTool } from "../platform/tool.js";
import type { BlockWriter } from "./blockTarget.js";
import { readError, targetFailed, writeError } from "./targetErrors.js";

const blockBytes = 1024 * 1024;
/** Starting a program costs about as much as reading this much. */
const minPunchBytes = 4 * 1024 * 1024;
/** From here on it is cheaper to punch than to look first. */
const blindPunchBytes = 64 * 1024 * 1024;

const zeros = new Uint8Array(blockBytes);

/** TARGET_READ_ONLY, TARGET_WRITE_FAILED (also for a link), TARGET_UNSUPPORTED. Never creates anything. */
export async function openFileWriter(path: string): Promise<BlockWriter> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw writeError(path, `open ${path}`, error);
  }
  const stats = await handle.stat();
  if (stats.isFile() || stats.isBlockDevice()) return new FileWriter(handle, path, stats.isFile());
  await handle.close();
  throw targetFailed("TARGET_UNSUPPORTED", `${path} is neither a file nor a block device`, { data: { path } });
}

class FileWriter implements BlockWriter {
  readonly #handle: FileHandle;
  readonly #path: string;
  #canPunch: boolean;

  constructor(handle: FileHandle, path: string, isFile: boolean) {
    this.#handle = handle;
    this.#path = path;
    this.#canPunch = isFile;
  }

  async write(bytes: Uint8Array, offset: number): Promise<void> {
    let written = 0;
    while (written < bytes.length) {
      const at = offset + written;
      try {
        const { bytesWritten } = await this.#handle.write(bytes, written, bytes.length - written, at);
        written += bytesWritten;
      } catch (error) {
        throw writeError(this.#path, `write to ${this.#path}`, error, { offset: at });
      }
    }
  }

  async zero(offset: number, length: number): Promise<void> {
    if (length >= blindPunchBytes && (await this.#punch(offset, length))) return;
    const end = offset + length;
    const found = new Uint8Array(Math.min(blockBytes, length));
    for (let at = offset; at < end; at += blockBytes) {
      const block = found.subarray(0, Math.min(blockBytes, end - at));
      await this.read(block, at);
      if (isZero(block)) continue;
      if (end - at >= minPunchBytes && (await this.#punch(at, end - at))) return;
      await this.write(zeros.subarray(0, block.length), at);
    }
  }

  async read(buffer: Uint8Array, offset: number): Promise<void> {
    let filled = 0;
    while (filled < buffer.length) {
      const at = offset + filled;
      const { bytesRead } = await this.#handle
        .read(buffer, filled, buffer.length - filled, at)
        .catch((error) => Promise.reject(readError(this.#path, at, error)));
      if (bytesRead === 0) throw readError(this.#path, at);
      filled += bytesRead;
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** False when holes cannot be punched here; then nobody tries again. */
  async #punch(offset: number, length: number): Promise<boolean> {
    if (!this.#canPunch || (await findTool("fallocate")) === undefined) return false;
    const args = ["--punch-hole", "--offset", String(offset), "--length", String(length), "--", this.#path];
    const { exitCode } = await runTool("fallocate", args, { timeoutMs: 600_000 });
    this.#canPunch = exitCode === 0;
    return this.#canPunch;
  }
}

function isZero(block: Uint8Array): boolean {
  return Buffer.compare(block, zeros.subarray(0, block.length)) === 0;
}
