// Declarations of what may stand on a command line.

/** `place`: a snapshot, perhaps with a path; `machine-place`: the same of a machine. */
export type Completes = "file" | "folder" | "snapshot" | "place" | "group" | "machine-place" | "nothing";

export interface OptionSpec {
  /** As commander reads them: `-n, --last <count>`, `--force`, `--no-resume`. */
  flags: string;
  description: string;
  /** May be given several times; `given.texts` has all values. */
  many?: true;
  /** The verb does not run without it. */
  required?: true;
  choices?: readonly string[];
  /** Shown in the help. The verb applies it. */
  standard?: string;
  completes?: Completes;
  /** Left out of the help. */
  hidden?: true;
}

export interface OperandSpec {
  /** `<snapshot>` must be given, `[text]` may be, `[disk...]` any number. */
  name: string;
  description: string;
  choices?: readonly string[];
  completes?: Completes;
}
