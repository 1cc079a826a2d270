// Extended attributes of many entries, asked for together: one program run answers some hundred.

import { type StoredAttribute, storableAttributes } from "../format/treeAttributes.js";
import { canReadAttributes, readAttributesOf } from "../source/extendedAttributes.js";
import type { FolderHandle } from "../source/folderHandle.js";

const ENTRIES_PER_RUN = 512;

interface Question {
  folder: FolderHandle;
  path: Uint8Array;
  resolve(attributes: StoredAttribute[]): void;
  reject(error: unknown): void;
}

export class AttributeQueue {
  readonly #signal: AbortSignal | undefined;
  readonly isAble: boolean;
  #waiting: Question[] = [];
  /** One run at a time; they are short. */
  #running: Promise<void> = Promise.resolve();

  private constructor(isAble: boolean, signal: AbortSignal | undefined) {
    this.isAble = isAble;
    this.#signal = signal;
  }

  static async open(signal: AbortSignal | undefined): Promise<AttributeQueue> {
    return new AttributeQueue(await canReadAttributes(), signal);
  }

  /** Answered at the latest after `flush`; nothing where the machine cannot tell. */
  ask(folder: FolderHandle, name: Uint8Array): Promise<StoredAttribute[]> {
    if (!this.isAble) return Promise.resolve([]);
    folder.retain();
    const answer = new Promise<StoredAttribute[]>((resolve, reject) => {
      this.#waiting.push({ folder, path: folder.outsidePath(name), resolve, reject });
    });
    answer.catch(() => {});
    if (this.#waiting.length >= ENTRIES_PER_RUN) this.flush();
    return answer;
  }

  flush(): void {
    const batch = this.#waiting;
    this.#waiting = [];
    if (batch.length > 0) this.#running = this.#running.then(() => this.#run(batch));
  }

  async #run(batch: readonly Question[]): Promise<void> {
    try {
      const answers = await readAttributesOf(
        batch.map(({ path }) => path),
        this.#signal,
      );
      batch.forEach(({ resolve }, i) => {
        resolve(storableAttributes(answers[i] ?? []));
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      for (const { folder } of batch) folder.release();
    }
  }
}
