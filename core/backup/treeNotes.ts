// What goes wrong with single files of a folder while it is backed up: a warning each, with the path, and not without end.

import { formatName } from "../filesystem/nameText.js";
import type { OnWarning } from "../repository/warnings.js";

/** More of one sort are counted only. */
const MOST_WARNINGS = 1000;

export type TreeProblem = "FILE_UNREADABLE" | "FILE_VANISHED" | "FILE_CHANGED" | "FILE_ATTRIBUTES_LEFT_OUT";

export class TreeNotes {
  readonly #onWarning: OnWarning;
  readonly #top: string;
  readonly #counts = new Map<TreeProblem, number>();

  /** `top`: the folder as the user has named it. */
  constructor(top: string, onWarning: OnWarning) {
    this.#top = top;
    this.#onWarning = onWarning;
  }

  count(code: TreeProblem): number {
    return this.#counts.get(code) ?? 0;
  }

  /** `path`: names below the top. */
  note(code: TreeProblem, path: readonly Uint8Array[], why: string, data: Record<string, unknown> = {}): void {
    const count = this.count(code) + 1;
    this.#counts.set(code, count);
    if (count > MOST_WARNINGS) return;
    const text = [this.#top, ...path.map(formatName)].join("/");
    this.#onWarning({ code, message: `${text}: ${why}`, data: { path: text, ...data } });
  }

  /** Call once, at the end. */
  finish(): void {
    for (const [code, count] of this.#counts) {
      if (count <= MOST_WARNINGS) continue;
      const message = `${this.#top}: ${count - MOST_WARNINGS} more like this were not listed`;
      this.#onWarning({ code, message, data: { path: this.#top, count } });
    }
  }
}

/** Of the system, as in EACCES; other errors are passed on. */
export function errnoOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  if (typeof code === "string" && /^E[A-Z0-9]+$/.test(code) && name !== "RepriseError") return code;
  throw error;
}

/** It was there a moment ago: deleted, or something else is in its place. */
export function isVanished(errno: string): boolean {
  return errno === "ENOENT" || errno === "ESTALE" || errno === "ELOOP" || errno === "ENOTDIR" || errno === "ENXIO";
}
