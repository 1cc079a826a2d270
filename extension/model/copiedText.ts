// What "Copy Path" and "Copy reprise Command Line" give for each kind of row: names and lines that the command line takes.

import { commandLine } from "./commandLine.js";

export type CopySubject =
  | { kind: "repository" }
  | { kind: "namespace"; namespace: string }
  | { kind: "machine"; machine: string }
  | { kind: "snapshots"; snapshots: readonly string[] }
  | { kind: "snapshot"; snapshot: string }
  | { kind: "file" | "folder"; snapshot: string; path: string }
  | { kind: "changes"; before: string; after: string; path: string }
  | { kind: "tested"; machine: string }
  | { kind: "test"; file: string; test: string | null; machine: string | null; check: string | null };

/**
 * As commands take it: a location, a machine, the id of a snapshot (two may have one time), a path in it. A line for each of several
 * snapshots.
 */
export function copiedPath(location: string, subject: CopySubject): string {
  switch (subject.kind) {
    case "repository":
      return location;
    case "namespace":
      return subject.namespace;
    case "machine":
    case "tested":
      return subject.machine;
    case "snapshots":
      return subject.snapshots.join("\n");
    case "snapshot":
      return subject.snapshot;
    case "test":
      return subject.file;
    default:
      return subject.path;
  }
}

/** Shows the same in a terminal. Every line runs as it is, in any POSIX shell. */
export function copiedLine(location: string, subject: CopySubject): string {
  const line = (...args: string[]) => commandLine(location, args);
  switch (subject.kind) {
    case "repository":
      return line("snapshots");
    case "namespace":
      return line("snapshots", "--ns", subject.namespace);
    case "machine":
      return line("snapshots", "--group", subject.machine);
    case "snapshots":
      return subject.snapshots.map((snapshot) => line("show", snapshot)).join("\n");
    case "snapshot":
      return line("ls", subject.snapshot);
    case "file":
      return line("cat", `${subject.snapshot}:${subject.path}`);
    case "folder":
      return line("ls", subject.path === "/" ? subject.snapshot : `${subject.snapshot}:${subject.path}`);
    case "changes":
      return line("diff", subject.before, subject.after, ...(subject.path === "/" ? [] : ["--path", subject.path]));
    case "tested":
      return line("test", "--history", subject.machine);
    case "test":
      return line("test", subject.file, ...testOptions(subject));
  }
}

function testOptions({ test, machine, check }: Extract<CopySubject, { kind: "test" }>): string[] {
  const options: [string, string | null][] = [
    ["--test", test],
    ["--machine", machine],
    ["--check", check],
  ];
  return options.flatMap(([name, value]) => (value === null ? [] : [name, value]));
}
