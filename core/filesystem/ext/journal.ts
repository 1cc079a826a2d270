// What recovery of the journal would write, kept as a table of places: transactions are followed from the oldest to the
// first that is not whole, as the kernel does, and nothing is copied until it is read.

import type { ReadOptions } from "../blockReader.js";
import { crc32BigEndian } from "./crc.js";
import type { FileContents } from "./fileContents.js";
import type { Inode } from "./inode.js";
import {
  BLOCK_TYPE,
  commitChecksumFits,
  decodeJournalSuperblock,
  decodeRevokes,
  decodeTags,
  JOURNAL_MAGIC,
  type JournalSuperblock,
  type JournalTag,
  loggedBlockFits,
  tailChecksumFits,
} from "./journalFormat.js";
import { be32, u16, u32 } from "./littleEndian.js";
import type { BlockOverlay, ExtVolume } from "./volume.js";

/** 4 GiB of them; mke2fs makes journals of 1 GiB at most unless told. The table takes about 100 bytes a logged block. */
const MAX_LOGGED_BLOCKS = 1_000_000;
const FAST_COMMIT_HEAD = 9;
const WHERE = "journal";

interface LoggedBlock extends JournalTag {
  /** Which block of the journal it is. */
  logical: number;
  sequence: number;
}

interface Transaction {
  logged: LoggedBlock[];
  revoked: number[];
  /** For commit blocks that vouch for all blocks before them. */
  sum: number;
}

export class Journal implements BlockOverlay {
  readonly #volume: ExtVolume;
  readonly #contents: FileContents;
  readonly #inode: Inode;
  readonly #superblock: JournalSuperblock;
  readonly #newest = new Map<number, LoggedBlock>();
  readonly #revoked = new Map<number, number>();
  #loggedCount = 0;
  transactionCount = 0;
  /** Whether there are fast commits after the last transaction: they are not followed. */
  endsWithFastCommits = false;

  constructor(volume: ExtVolume, contents: FileContents, inode: Inode, superblock: JournalSuperblock) {
    this.#volume = volume;
    this.#contents = contents;
    this.#inode = inode;
    this.#superblock = superblock;
  }

  get size(): number {
    return this.#newest.size;
  }

  has(block: number): boolean {
    return this.#newest.has(block);
  }

  /** FILESYSTEM_DAMAGED when the logged block is not what its tag says. */
  async load(block: number, options: ReadOptions): Promise<Uint8Array> {
    const logged = this.#newest.get(block) as LoggedBlock;
    const bytes = await this.#readBlock(logged.logical, options);
    if (!loggedBlockFits(this.#superblock, bytes, logged.sequence, logged.checksum)) {
      throw this.#volume.damaged(WHERE, `the logged contents of block ${block} have a wrong checksum`);
    }
    if (logged.isEscaped) bytes.set([0xc0, 0x3b, 0x39, 0x98]);
    return bytes;
  }

  /** Follows the transactions. Ends quietly at the first that is not whole: it never happened. */
  async follow(options: ReadOptions): Promise<void> {
    const { start, first, end } = this.#superblock;
    if (start === 0) return;
    let sequence = this.#superblock.sequence;
    let block = start;
    for (let seen = 0; seen < end - first; ) {
      const transaction: Transaction = { logged: [], revoked: [], sum: 0xffff_ffff };
      const length = await this.#readTransaction(block, sequence, end - first - seen, transaction, options);
      if (length === null) break;
      this.#apply(transaction, sequence);
      this.transactionCount++;
      seen += length;
      block = this.#advance(block, length);
      sequence = (sequence + 1) >>> 0;
    }
    this.#dropRevoked();
    this.endsWithFastCommits = await this.#hasFastCommits(sequence, options);
  }

  /** How many blocks of the journal it takes; null when it is not whole. */
  async #readTransaction(
    start: number,
    sequence: number,
    room: number,
    transaction: Transaction,
    options: ReadOptions,
  ): Promise<number | null> {
    for (let length = 0; length < room; ) {
      options.signal?.throwIfAborted();
      const logical = this.#advance(start, length);
      const bytes = await this.#readBlock(logical, options);
      length++;
      if (be32(bytes, 0) !== JOURNAL_MAGIC || be32(bytes, 8) !== sequence) return null;
      const type = be32(bytes, 4);
      if (type === BLOCK_TYPE.commit) {
        return commitChecksumFits(this.#superblock, bytes, transaction.sum) ? length : null;
      }
      if (!tailChecksumFits(this.#superblock, bytes)) return null;
      if (type === BLOCK_TYPE.descriptor) {
        length += await this.#readDescriptor(bytes, logical, sequence, transaction, options);
      } else if (type === BLOCK_TYPE.revoke) {
        const revoked = decodeRevokes(this.#superblock, bytes);
        if (revoked === null) return null;
        for (const block of revoked) transaction.revoked.push(block);
      } else {
        return null;
      }
    }
    return null;
  }

  /** Answers how many logged blocks follow the descriptor block. */
  async #readDescriptor(
    bytes: Uint8Array,
    logical: number,
    sequence: number,
    transaction: Transaction,
    options: ReadOptions,
  ): Promise<number> {
    const tags = decodeTags(this.#superblock, bytes);
    this.#loggedCount += tags.length;
    if (this.#loggedCount > MAX_LOGGED_BLOCKS) throw this.#volume.damaged(WHERE, "too many logged blocks");
    const isSummed = this.#superblock.checksums === "commit";
    if (isSummed) transaction.sum = crc32BigEndian(bytes, transaction.sum);
    for (const [index, tag] of tags.entries()) {
      const at = this.#advance(logical, index + 1);
      transaction.logged.push({ ...tag, logical: at, sequence });
      if (isSummed) transaction.sum = crc32BigEndian(await this.#readBlock(at, options), transaction.sum);
    }
    return tags.length;
  }

  #apply(transaction: Transaction, sequence: number): void {
    for (const logged of transaction.logged) this.#newest.set(logged.target, logged);
    for (const block of transaction.revoked) this.#revoked.set(block, sequence);
  }

  /** A revoked block was freed: what was logged for it before, and in the same transaction, is of no use. */
  #dropRevoked(): void {
    for (const [block, sequence] of this.#revoked) {
      const logged = this.#newest.get(block);
      // numbers of transactions wrap around
      if (logged !== undefined && ((sequence - logged.sequence) | 0) >= 0) this.#newest.delete(block);
    }
  }

  async #hasFastCommits(sequence: number, options: ReadOptions): Promise<boolean> {
    const { hasFastCommits, end, blockCount } = this.#superblock;
    if (!hasFastCommits || end + 1 >= blockCount) return false;
    const bytes = await this.#readBlock(end + 1, options);
    return u16(bytes, 0) === FAST_COMMIT_HEAD && u32(bytes, 8) === sequence;
  }

  #advance(block: number, count: number): number {
    const { first, end } = this.#superblock;
    return first + ((block - first + count) % (end - first));
  }

  async #readBlock(logical: number, options: ReadOptions): Promise<Uint8Array> {
    const bytes = new Uint8Array(this.#superblock.blockBytes);
    await this.#contents.read(this.#inode, bytes, logical * bytes.length, options);
    return bytes;
  }
}

/** Opens the journal that `inode` holds. `volume` must not read through a journal. */
export async function openJournal(
  volume: ExtVolume,
  contents: FileContents,
  inode: Inode,
  options: ReadOptions,
): Promise<Journal> {
  const fail = (problem: string) => volume.damaged(WHERE, problem);
  const { blockBytes } = volume.superblock;
  const bytes = new Uint8Array(blockBytes);
  await contents.read(inode, bytes, 0, options);
  const superblock = decodeJournalSuperblock(bytes, (feature) => volume.unsupported(feature), fail);
  if (superblock.blockBytes !== blockBytes) throw fail(`blocks of ${superblock.blockBytes} bytes`);
  if (superblock.blockCount * blockBytes > inode.sizeBytes) throw fail("is shorter than it says");
  const journal = new Journal(volume, contents, inode, superblock);
  await journal.follow(options);
  return journal;
}
