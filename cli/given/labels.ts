// Tags and notes before they are stored.

import { MAX_NOTES_LENGTH, MAX_TAGS } from "../../core/index.js";
import { usageError, wrongValue } from "./given.js";

const MAX_TAG_CHARS = 128;

/** The tags without repetitions, in the order given. */
export function checkTags(tags: readonly string[], option: string): string[] {
  for (const tag of tags) {
    if (tag.length >= 1 && tag.length <= MAX_TAG_CHARS && !/[\p{Cc}\p{Cs}]/u.test(tag) && tag.trim() === tag) continue;
    throw wrongValue(option, tag, `a tag: 1 to ${MAX_TAG_CHARS} characters on one line, no blank at either end`);
  }
  const distinct = [...new Set(tags)];
  if (distinct.length > MAX_TAGS) throw usageError(`a snapshot has at most ${MAX_TAGS} tags, not ${distinct.length}`);
  return distinct;
}

export function checkNotes(notes: string): string {
  if (notes.length <= MAX_NOTES_LENGTH) return notes;
  throw usageError(`notes have at most ${MAX_NOTES_LENGTH} characters, not ${notes.length}`);
}
