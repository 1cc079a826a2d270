// Heals what one disk or file of a snapshot has lost, from the same disk or file in a replica. Whatever comes from there must
// have the id that is wanted here, computed with our key: a replica can fail to help, and never do harm.

import { RepriseError } from "../errors.js";
import { equalBytes } from "../format/bytes.js";
import { bytesToHex, hexToBytes } from "../format/ids.js";
import type { Archive } from "../format/manifest.js";
import { BLOB_ID_BYTES, type BlobKind } from "../format/pack.js";
import { mapConcurrent } from "../platform/concurrency.js";
import type { BlobReader } from "../repository/blobReader.js";
import type { BlobSink } from "../repository/blobSink.js";
import { type ImageEntry, ImageReader } from "../repository/imageReader.js";
import type { Hasher } from "../repository/packReader.js";
import { copyArchive, copyPage } from "../sync/copyImage.js";
import type { ArchiveCopierOptions } from "../sync/copyOptions.js";
import { isDamage, type SourceReader } from "../sync/sourceReader.js";
import { healTree } from "./healTree.js";

export interface ByteSpan {
  offset: number;
  length: number;
}

/** A range that is lost, and what became of it; null: healed. */
export interface HealedSpan extends ByteSpan {
  reason: string | null;
}

export interface HealerOptions {
  /** Reads our own blobs; copies known to be damaged are not in its index. */
  blobs: BlobReader;
  hash: Hasher;
  sink: BlobSink;
  /** The replica. */
  reader: SourceReader;
  /** For whole pages and maps; they bring missing chunks along. */
  copying: Omit<ArchiveCopierOptions, "onBytes">;
  signal: AbortSignal | undefined;
}

export class Healer {
  readonly #options: HealerOptions;
  /** Hex ids that were stored in this run: their packs may still be open. */
  readonly #stored = new Set<string>();
  /** Plain bytes stored. */
  healedBytes = 0;

  constructor(options: HealerOptions) {
    this.#options = options;
  }

  get healedBlobs(): number {
    return this.#stored.size;
  }

  /** One answer a span, in their order. Errors of the storage end it. */
  async heal(archive: Archive, replica: Archive, spans: readonly ByteSpan[]): Promise<HealedSpan[]> {
    try {
      // A map or a page that another snapshot needed as well came with all that it refers to; its bytes may still be on the way.
      if (this.#stored.has(archive.root)) return spans.map(({ offset, length }) => ({ offset, length, reason: null }));
      if (archive.kind === "file") await this.#healFile(archive, replica);
      else if (archive.kind === "tree") return await this.#healTree(archive, replica, spans);
      else if (!(await this.#isGood(idOf(archive)))) await this.#healMap(archive, replica);
      else return await this.#healSpans(archive, replica, spans);
      return spans.map(({ offset, length }) => ({ offset, length, reason: null }));
    } catch (error) {
      const reason = reasonOf(error);
      return spans.map(({ offset, length }) => ({ offset, length, reason }));
    }
  }

  async #healFile(archive: Archive, replica: Archive): Promise<void> {
    await this.#store("file", await this.#options.reader.file(replica), idOf(archive));
  }

  async #healTree(archive: Archive, replica: Archive, spans: readonly ByteSpan[]): Promise<HealedSpan[]> {
    const { blobs, reader, copying, signal } = this.#options;
    const isGood = (id: Uint8Array) => this.#isGood(id);
    const store = (kind: BlobKind, plain: Uint8Array, wanted: Uint8Array) => this.#store(kind, plain, wanted);
    const reasons = await healTree(archive, replica, spans, { blobs, reader, copying, signal, isGood, store, differs });
    return spans.map((span) => ({ offset: span.offset, length: span.length, reason: reasons.get(span) ?? null }));
  }

  /** The whole map is made again from the replica's. All chunks that are missing here come with it. */
  async #healMap(archive: Archive, replica: Archive): Promise<void> {
    const copied = await copyArchive(replica, null, { ...this.#options.copying, onBytes: () => {} });
    if (copied.root !== archive.root) throw differs(archive.name);
    this.#stored.add(archive.root);
  }

  async #healSpans(archive: Archive, replica: Archive, spans: readonly ByteSpan[]): Promise<HealedSpan[]> {
    const { blobs, reader, signal } = this.#options;
    const ours = await ImageReader.open(archive, blobs, signal);
    const theirs = await reader.image(replica);
    const byPage = new Map<number, ByteSpan[]>();
    for (const span of spans) {
      const page = Math.floor(span.offset / ours.root.pageSpanBytes);
      // A span that was lost with its whole disk covers many pages.
      const last = Math.floor((span.offset + Math.max(1, span.length) - 1) / ours.root.pageSpanBytes);
      for (let each = page; each <= last; each++) byPage.set(each, [...(byPage.get(each) ?? []), span]);
    }
    const reasons = new Map<ByteSpan, string>();
    for (const [page, lost] of byPage) {
      signal?.throwIfAborted();
      const job = new PageJob(archive.name, ours, theirs, page);
      for (const [span, reason] of await this.#healPage(job, lost)) reasons.set(span, reason);
    }
    return spans.map((span) => ({ offset: span.offset, length: span.length, reason: reasons.get(span) ?? null }));
  }

  /** Reasons of those that could not be healed. */
  async #healPage(job: PageJob, lost: readonly ByteSpan[]): Promise<Map<ByteSpan, string>> {
    const reasons = new Map<ByteSpan, string>();
    const id = job.ours.pageId(job.page);
    if (id === null || this.#stored.has(bytesToHex(id))) return reasons;
    try {
      if (!(await this.#isGood(id))) await this.#healWholePage(job, id);
      else {
        const wanted = (await job.ours.readPage(job.page, this.#options.signal)).filter(
          ({ id: chunk }) => chunk !== null,
        );
        await mapConcurrent(wanted, async (entry) => {
          const hit = lost.filter((span) => overlaps(span, entry));
          const reason = hit.length === 0 ? null : await this.#healChunk(job, entry);
          if (reason !== null) for (const span of hit) reasons.set(span, reason);
        });
      }
    } catch (error) {
      for (const span of lost) reasons.set(span, reasonOf(error));
    }
    return reasons;
  }

  async #healWholePage({ name, ours, theirs, page }: PageJob, id: Uint8Array): Promise<void> {
    if (theirs.root.pageSpanBytes !== ours.root.pageSpanBytes) throw differs(name);
    const plain = await copyPage(theirs, page, name, null, this.#options.copying);
    if (plain === null) throw differs(name);
    await this.#store("page", plain, id);
  }

  async #healChunk(job: PageJob, entry: ImageEntry): Promise<string | null> {
    const id = entry.id as Uint8Array;
    try {
      if (!(await this.#isGood(id))) await this.#store("chunk", await this.#bytesAt(job, entry), id);
      return null;
    } catch (error) {
      return reasonOf(error);
    }
  }

  /** The replica's bytes at the same place of the disk, however it is cut there. */
  async #bytesAt({ name, theirs }: PageJob, { offset, length }: ByteSpan): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    const { pageSpanBytes } = theirs.root;
    for (let page = Math.floor(offset / pageSpanBytes); page * pageSpanBytes < offset + length; page++) {
      if (page >= theirs.pageCount) throw differs(name);
      const entries = (await this.#options.reader.page(theirs, page, name)).filter(
        (entry) => entry.id !== null && overlaps(entry, { offset, length }),
      );
      const parts = entries.length === 0 ? [] : await this.#options.reader.chunks(entries, name);
      for (const [i, entry] of entries.entries()) {
        const from = Math.max(offset, entry.offset);
        const to = Math.min(offset + length, entry.offset + entry.length);
        bytes.set((parts[i] as Uint8Array).subarray(from - entry.offset, to - entry.offset), from - offset);
      }
    }
    return bytes;
  }

  /** What another snapshot needed as well has been stored already. */
  async #isGood(id: Uint8Array): Promise<boolean> {
    if (this.#stored.has(bytesToHex(id))) return true;
    try {
      await this.#options.blobs.read(id, { signal: this.#options.signal });
      return true;
    } catch (error) {
      if (isDamage(error)) return false;
      throw error;
    }
  }

  async #store(kind: BlobKind, plain: Uint8Array, wanted: Uint8Array): Promise<void> {
    const hex = bytesToHex(wanted);
    if (!equalBytes(this.#options.hash(plain), wanted)) throw differs(hex);
    if (this.#stored.has(hex)) return;
    this.#stored.add(hex);
    this.healedBytes += plain.length;
    await this.#options.sink.storeBlob(kind, plain);
  }
}

class PageJob {
  readonly name: string;
  readonly ours: ImageReader;
  readonly theirs: ImageReader;
  readonly page: number;

  constructor(name: string, ours: ImageReader, theirs: ImageReader, page: number) {
    this.name = name;
    this.ours = ours;
    this.theirs = theirs;
    this.page = page;
  }
}

function idOf(archive: Archive): Uint8Array {
  return hexToBytes(archive.root, BLOB_ID_BYTES, "archive root");
}

function overlaps(a: ByteSpan, b: ByteSpan): boolean {
  return a.offset < b.offset + b.length && b.offset < a.offset + a.length;
}

function reasonOf(error: unknown): string {
  if (isDamage(error)) return error.message;
  throw error;
}

function differs(what: string): RepriseError {
  return new RepriseError("corrupt", "REPLICA_DIFFERS", `${what}: the replica holds something else there`, {
    hint: "it is no copy of this snapshot, or was cut otherwise; try another replica",
  });
}
