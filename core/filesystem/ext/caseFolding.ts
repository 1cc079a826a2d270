// Names in directories that ignore case. The kernel folds by Unicode 12.1 (NFD, then full case folding, default-ignorable
// code points dropped); the runtime's own tables do the same for every character both know.

const strict = { fatal: true, ignoreBOM: true } as const;

/** Null when it is not UTF-8: then only the same bytes are the same name. */
export function foldName(name: Uint8Array): string | null {
  try {
    const text = new TextDecoder("utf-8", strict).decode(name);
    // upper, then lower: what folds to several letters (ß) does so
    return text
      .replace(/\p{Default_Ignorable_Code_Point}/gu, "")
      .normalize("NFD")
      .toUpperCase()
      .toLowerCase()
      .replaceAll("ς", "σ")
      .normalize("NFD");
  } catch {
    return null;
  }
}
