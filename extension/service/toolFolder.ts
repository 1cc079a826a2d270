// Where QEMU's programs are looked for first: a folder that a setting of this computer names.

import { delimiter } from "node:path";

const ORIGINAL_PATH = process.env.PATH ?? "";

/** Of the whole service, until the next call; null or empty: where programs are. */
export function useToolFolder(folder: string | null): void {
  process.env.PATH = folder === null || folder === "" ? ORIGINAL_PATH : `${folder}${delimiter}${ORIGINAL_PATH}`;
}
