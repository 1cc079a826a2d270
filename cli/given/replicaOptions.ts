// Options of verbs that read a second repository.

import type { OptionSpec } from "../lineSpec.js";

export const FROM_PASSPHRASE_OPTION: OptionSpec = {
  flags: "--from-passphrase-file <file>",
  description: "its passphrase (or set REPRISE_FROM_PASSPHRASE or REPRISE_FROM_PASSPHRASE_FILE); else the same",
  completes: "file",
};

export const BWLIMIT_OPTION: OptionSpec = {
  flags: "--bwlimit <rate>",
  description: "at most this many bytes a second to and from each storage, as in 20M",
  completes: "nothing",
};
