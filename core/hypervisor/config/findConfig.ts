// Which files of a snapshot are machine configurations: told by their contents, never by their names.

import { isOurError } from "../../errors.js";
import { parseLibvirtDomain } from "./libvirtDomain.js";
import { MAX_CONFIG_CHARS, type MachineConfig, NoteList } from "./machineConfig.js";
import { parseProxmoxConfig } from "./proxmoxConfig.js";

/** Files of a snapshot that are larger are no configurations: no need to read them. */
export const MAX_CONFIG_BYTES = MAX_CONFIG_CHARS;

export interface FoundConfig {
  /** Name of the archive; null: none of the files is a configuration. */
  archive: string | null;
  config: MachineConfig | null;
  /** About the files; the configuration has its own. */
  notes: readonly string[];
}

/** The first one counts; further ones, and one that is damaged, are noted. Never throws for what is in the files. */
export async function findMachineConfig(files: readonly { name: string; bytes: Uint8Array }[]): Promise<FoundConfig> {
  const notes = new NoteList();
  let found: FoundConfig = { archive: null, config: null, notes: [] };
  for (const { name, bytes } of files) {
    const config = await readMachineConfig(name, bytes, notes);
    if (config === null) continue;
    if (found.config === null) found = { archive: name, config, notes: [] };
    else notes.add(`${name}: a second machine configuration, not used`);
  }
  return { ...found, notes: notes.list };
}

async function readMachineConfig(name: string, bytes: Uint8Array, notes: NoteList): Promise<MachineConfig | null> {
  if (bytes.length > MAX_CONFIG_BYTES || bytes.includes(0)) return null;
  const text = new TextDecoder().decode(bytes);
  const isDomain = /^\s*(<\?xml[^>]{0,200}>\s*)?(<!--[\s\S]{0,10000}?-->\s*)?<domain[\s>]/.test(text.slice(0, 20_000));
  try {
    return isDomain ? await parseLibvirtDomain(text) : parseProxmoxConfig(text);
  } catch (error) {
    if (!isOurError(error, "MACHINE_CONFIG_INVALID")) throw error;
    if (isDomain) notes.add(`${name}: ${error.message}`);
    return null;
  }
}
