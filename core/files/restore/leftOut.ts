// What a restore of files could not bring back, told in two ways: each file that is missing or not whole by itself, and
// attributes that have no place on the target by their number, because there may be one on every file.

import type { RepriseError } from "../../errors.js";
import { formatTreePath, type TreePath } from "../treePath.js";

export interface SkippedFile {
  /** In the snapshot. */
  path: string;
  reason: string;
}

export interface LeftOutAttributes {
  /** "owner", "setuid bits", "attributes of user programs" … */
  what: string;
  reason: string;
  files: number;
  /** The first file it happened to. */
  example: string;
}

export class LeftOut {
  skipped = 0;
  readonly #onSkipped: (file: SkippedFile) => void;
  readonly #attributes = new Map<string, LeftOutAttributes>();

  constructor(onSkipped: (file: SkippedFile) => void) {
    this.#onSkipped = onSkipped;
  }

  skip(path: TreePath, reason: string): void {
    this.skipped++;
    this.#onSkipped({ path: formatTreePath(path), reason });
  }

  skipFor(path: TreePath, error: RepriseError): void {
    this.skip(path, error.message);
  }

  attribute(path: TreePath | string, what: string, reason: string): void {
    const key = `${what}\n${reason}`;
    const known = this.#attributes.get(key);
    if (known !== undefined) known.files++;
    else
      this.#attributes.set(key, {
        what,
        reason,
        files: 1,
        example: typeof path === "string" ? path : formatTreePath(path),
      });
  }

  get attributes(): LeftOutAttributes[] {
    return [...this.#attributes.values()];
  }
}
